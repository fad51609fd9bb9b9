use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::SurveyReport;

/// The character encoding a file is read with, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encoding {
    /// WHATWG name of what is used: `UTF-8`, `windows-1252`, `UTF-16LE`, …
    pub used: String,
    /// Why.
    pub decided_by: EncodingEvidence,
    /// What the file claims to be, in its own words, if it claims anything.
    pub declared: Option<String>,
}

/// Why an encoding was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EncodingEvidence {
    /// A byte order mark, or the zero bytes that only UTF-16 has.
    ByteOrderMark,
    /// The file says so and nothing in it contradicts.
    Declared,
    /// The file says otherwise, and its bytes prove it wrong.
    DeclarationWrong,
    /// The file says nothing: UTF-8 if it is valid; else windows-1252, or macintosh where lines end as on the old
    /// Macintosh.
    Guessed,
}

impl Encoding {
    /// An encoding that the caller decides on, by any WHATWG label; `None` if there is no such label.
    pub fn named(label: &str) -> Option<Self> {
        let codec = encoding_rs::Encoding::for_label(label.as_bytes())?;
        Some(Self::new(codec, EncodingEvidence::Declared, Some(label.to_owned())))
    }

    /// Decides from the bytes of the whole file what the declaration is worth.
    ///
    /// Text in any other encoding that happens to be valid non-ASCII UTF-8 does not occur in practice, so
    /// UTF-8 wins over every declaration; a declaration of UTF-8 that the bytes contradict means windows-1252.
    pub(crate) fn decide(report: &SurveyReport, head: &[u8], declared: Option<&str>) -> Self {
        use EncodingEvidence::{ByteOrderMark, DeclarationWrong, Declared, Guessed};
        let declared_owned = declared.map(str::to_owned);
        if let Some(codec) = byte_order(head) {
            return Self::new(codec, ByteOrderMark, declared_owned);
        }
        let claimed = declared.and_then(claimed_codec);
        let (codec, evidence) = match claimed {
            Some(codec) if !report.has_non_ascii => (codec, Declared),
            Some(codec) if report.valid_utf8 => {
                (encoding_rs::UTF_8, if codec == encoding_rs::UTF_8 { Declared } else { DeclarationWrong })
            }
            Some(codec) if codec == encoding_rs::UTF_8 => (encoding_rs::WINDOWS_1252, DeclarationWrong),
            Some(codec) => (codec, Declared),
            None if report.valid_utf8 => (encoding_rs::UTF_8, Guessed),
            None if head.contains(&b'\r') && !head.contains(&b'\n') => (encoding_rs::MACINTOSH, Guessed),
            None => (encoding_rs::WINDOWS_1252, Guessed),
        };
        Self::new(codec, evidence, declared_owned)
    }

    fn new(
        codec: &'static encoding_rs::Encoding,
        decided_by: EncodingEvidence,
        declared: Option<String>,
    ) -> Self {
        Self { used: codec.name().to_owned(), decided_by, declared }
    }

    pub(crate) fn codec(&self) -> &'static encoding_rs::Encoding {
        encoding_rs::Encoding::for_label(self.used.as_bytes()).unwrap_or(encoding_rs::UTF_8)
    }
}

/// The encoding that a mark at the beginning proves, or the zero bytes of UTF-16 without a mark.
pub(crate) fn byte_order(head: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    if let Some((codec, _)) = encoding_rs::Encoding::for_bom(head) {
        return Some(codec);
    }
    // Without a mark: most characters of any bank's file are of the Latin script, and half their bytes are zero.
    let pairs = || head.chunks_exact(2).take(256);
    let most =
        |is_latin: fn(&[u8]) -> bool| pairs().filter(|pair| is_latin(pair)).count() * 4 > pairs().len() * 3;
    if pairs().len() < 4 {
        None
    } else if most(|pair| pair[0] != 0 && pair[1] == 0) {
        Some(encoding_rs::UTF_16LE)
    } else if most(|pair| pair[0] == 0 && pair[1] != 0) {
        Some(encoding_rs::UTF_16BE)
    } else {
        None
    }
}

/// What a declaration means: a WHATWG label, or the names that the headers of OFX 1.x use.
fn claimed_codec(declared: &str) -> Option<&'static encoding_rs::Encoding> {
    let name = declared.trim().to_ascii_uppercase();
    match name.as_str() {
        // "UNICODE" was meant to be UTF-16; without its zero bytes it is what banks send under that name.
        "UNICODE" | "CSUNICODE" | "UTF8" | "UTF-16" => Some(encoding_rs::UTF_8),
        "USASCII" | "NONE" | "ANSI" => Some(encoding_rs::WINDOWS_1252),
        "" => None,
        _ if name.bytes().all(|byte| byte.is_ascii_digit()) => {
            encoding_rs::Encoding::for_label(format!("windows-{name}").as_bytes())
        }
        _ if name.starts_with("8859") => encoding_rs::Encoding::for_label(format!("ISO-{name}").as_bytes()),
        _ => encoding_rs::Encoding::for_label(name.as_bytes()),
    }
}

/// The head of a file as text.
pub(crate) fn head_text<'a>(head: &'a [u8], codec: &'static encoding_rs::Encoding) -> Cow<'a, str> {
    codec.decode_with_bom_removal(head).0
}

/// Whether bytes below 0x80 stand for themselves wherever they occur, so that tags and delimiters can be found
/// before decoding. Not so in UTF-16, nor where a second byte may be ASCII (Shift_JIS, GBK, Big5, …).
pub(crate) fn keeps_ascii(codec: &'static encoding_rs::Encoding) -> bool {
    codec == encoding_rs::UTF_8 || codec.is_single_byte()
}

/// One value as text. Bytes that mean nothing become U+FFFD; the survey makes that rare.
pub(crate) fn decode<'a>(bytes: &'a [u8], codec: &'static encoding_rs::Encoding) -> Cow<'a, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if codec == encoding_rs::UTF_8 || bytes.is_ascii() => Cow::Borrowed(text),
        _ => codec.decode_without_bom_handling(bytes).0,
    }
}
