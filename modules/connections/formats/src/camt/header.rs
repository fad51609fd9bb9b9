use crate::ofx::xml_encoding;

/// What stands at the beginning of a CAMT document.
#[derive(Debug)]
pub(crate) struct Header {
    /// The encoding that the file claims, in its own words.
    pub(crate) declared_encoding: Option<String>,
    /// Message and version as its namespace has them, `camt.053.001.08`; none where no namespace tells.
    pub(crate) message: Option<String>,
}

/// The messages that are statements, by the name of the message in any namespace and by the namespace of any version.
const MARKS: [&str; 6] = [
    "XSD:CAMT.052.",
    "XSD:CAMT.053.",
    "XSD:CAMT.054.",
    "BKTOCSTMRACCTRPT",
    "BKTOCSTMRSTMT",
    "BKTOCSTMRDBTCDTNTFCTN",
];

/// Recognises a CAMT file by its head; `None` if it is something else, another ISO 20022 message among them.
pub(crate) fn header(head: &str) -> Option<Header> {
    let start = head.trim_start_matches(|c: char| c.is_whitespace() || "\u{feff}ï»¿".contains(c));
    if !start.starts_with('<') {
        return None;
    }
    let upper = start.to_ascii_uppercase();
    let is_camt = MARKS.iter().any(|mark| upper.contains(mark));
    is_camt.then(|| Header { declared_encoding: xml_encoding(&upper), message: message(&upper) })
}

/// `CAMT.053.001.08` out of the namespace, in small letters.
fn message(upper: &str) -> Option<String> {
    const BEGINS: &str = "XSD:CAMT.";
    let name = &upper[upper.find(BEGINS)? + "XSD:".len()..];
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '.')?;
    let name = name[..end].to_ascii_lowercase();
    (name.len() == "camt.053.001.08".len()).then_some(name)
}
