use crate::{Format, FormatError};

/// What stands before `<OFX>`.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) format: Format,
    /// The encoding that the file claims, in its own words.
    pub(crate) declared_encoding: Option<String>,
}

/// Recognises an OFX file by its head; `None` if it is something else.
///
/// The header may be `KEY:VALUE` lines, one line of them, XML instructions, or absent (the file starts at
/// `<OFX>`). A header without a document is a file that was cut.
pub(crate) fn header(head: &str) -> Result<Option<Header>, FormatError> {
    let upper = head.to_ascii_uppercase();
    let root = find_root(&upper);
    let before = &upper[..root.unwrap_or(upper.len())];
    let is_xml = before.contains("<?OFX") || (root.is_some() && before.contains("<?XML"));
    let is_sgml = before.contains("OFXHEADER");
    if root.is_none() {
        let is_cut = before.contains("<?OFX") || is_sgml;
        let line = 1 + before.matches('\n').count() as u64;
        return if is_cut { Err(FormatError::TruncatedFile { line }) } else { Ok(None) };
    }
    let format = if is_xml { Format::Ofx2 } else { Format::Ofx1 };
    let declared_encoding = if is_xml { xml_encoding(before) } else { sgml_encoding(before) };
    Ok(Some(Header { format, declared_encoding }))
}

/// Where the document element begins, perhaps behind a namespace prefix.
fn find_root(upper: &str) -> Option<usize> {
    let ends_name = |byte: Option<&u8>| matches!(byte, Some(b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n'));
    let mut from = 0;
    while let Some(found) = upper[from..].find("OFX") {
        let at = from + found;
        let open = upper[..at].rfind('<').filter(|open| {
            let prefix = &upper[open + 1..at];
            prefix.is_empty()
                || (prefix.ends_with(':') && prefix.len() <= 16 && !prefix.contains(['?', '>', ' ']))
        });
        if let Some(open) = open.filter(|_| ends_name(upper.as_bytes().get(at + 3))) {
            return Some(open);
        }
        from = at + 3;
    }
    None
}

/// The value of `encoding="…"` in an XML declaration, of upper-case text.
pub(crate) fn xml_encoding(before: &str) -> Option<String> {
    let (_, rest) = before.split_once("<?XML")?;
    let (declaration, _) = rest.split_once("?>")?;
    let (_, value) = declaration.split_once("ENCODING")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split(quote).next().map(str::to_owned)
}

/// `ENCODING` and `CHARSET` of a 1.x header. With `USASCII` the code page is in the second.
fn sgml_encoding(before: &str) -> Option<String> {
    let encoding = header_value(before, "ENCODING:");
    let charset = header_value(before, "CHARSET:").filter(|charset| *charset != "NONE");
    match (encoding, charset) {
        (Some("USASCII") | None, Some(charset)) => Some(charset.to_owned()),
        (encoding, _) => encoding.map(str::to_owned),
    }
}

/// The word behind `key`. On a one-line header the next key follows after a space, or at once.
fn header_value<'a>(before: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = before.split_once(key)?;
    let value = rest.trim_start_matches([' ', '\t']);
    let value = value.split(|c: char| c.is_whitespace() || c == '<').next()?;
    let value = KEYS.iter().fold(value, |value, key| value.split(key).next().unwrap_or(value));
    (!value.is_empty()).then_some(value)
}

const KEYS: [&str; 6] = ["CHARSET:", "COMPRESSION:", "OLDFILEUID:", "NEWFILEUID:", "SECURITY:", "ENCODING:"];
