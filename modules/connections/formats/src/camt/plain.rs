use memchr::memchr3;

/// A token that needs no parser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plain<'a> {
    /// `<Name>`
    Start(&'a str),
    /// `</Name>`
    End(&'a str),
    /// What stands before the next tag.
    Text(&'a str),
}

/// Longer than any name of the schema with its prefix.
const LONGEST_NAME: usize = 64;

/// The token that `view` begins with, and its length; `None` where it takes a parser to tell: what has attributes,
/// references, sections or is malformed, and what does not end in the view.
pub(super) fn plain(view: &[u8]) -> Option<(Plain<'_>, usize)> {
    match view {
        [b'<', b'/', rest @ ..] => name(rest).map(|name| (Plain::End(name), name.len() + 3)),
        [b'<', rest @ ..] => name(rest).map(|name| (Plain::Start(name), name.len() + 2)),
        _ => {
            // XML makes one line feed of a carriage return and a line feed; that is left to the parser, too.
            let end = memchr3(b'<', b'&', b'\r', view).filter(|end| view[*end] == b'<')?;
            std::str::from_utf8(&view[..end]).ok().map(|text| (Plain::Text(text), end))
        }
    }
}

/// A name in ASCII with nothing but `>` behind it.
fn name(rest: &[u8]) -> Option<&str> {
    let length = rest.iter().take(LONGEST_NAME).position(|byte| *byte == b'>')?;
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'-' | b'.');
    let name = &rest[..length];
    let is_name = name.first()?.is_ascii_alphabetic() && name.iter().all(is_plain);
    is_name.then(|| std::str::from_utf8(name).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_nothing_special_about_it_is_plain() {
        for (view, expected) in [
            ("<Ntry><Amt>", Some((Plain::Start("Ntry"), 6))),
            ("<c:Ntry>", Some((Plain::Start("c:Ntry"), 8))),
            ("</Ntry>x", Some((Plain::End("Ntry"), 7))),
            ("Caf\u{e9} Roma</Nm>", Some((Plain::Text("Caf\u{e9} Roma"), 10))),
            ("<Amt Ccy=\"EUR\">", None),
            ("</Ntry >", None),
            ("<Nm/>", None),
            ("<>", None),
            ("<!-- x -->", None),
            ("<?xml?>", None),
            ("<1a>", None),
            ("<\u{e9}>", None),
            ("a &amp; b<", None),
            ("a\r\nb<", None),
            ("a", None),
            ("<Ntr", None),
            ("", None),
        ] {
            assert_eq!(plain(view.as_bytes()), expected, "{view}");
        }
        assert_eq!(plain(b"a\xffb<"), None, "it is not UTF-8");
    }
}
