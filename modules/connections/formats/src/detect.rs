use serde::{Deserialize, Serialize};

use crate::encoding::{byte_order, head_text};
use crate::{Encoding, FormatError, SurveyReport, camt, csv, mt940, ofx, qif};

/// A format that we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// OFX or QFX 1.x: SGML.
    Ofx1,
    /// OFX or QFX 2.x: XML.
    Ofx2,
    /// CAMT.052, CAMT.053 or CAMT.054 of ISO 20022, in any version.
    Camt,
    /// A table with one transaction per line.
    Csv,
    /// SWIFT MT940 or MT942, with or without an envelope.
    Mt940,
    /// Quicken Interchange Format.
    Qif,
}

impl Format {
    /// The name that is also its serialised form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ofx1 => "ofx1",
            Self::Ofx2 => "ofx2",
            Self::Camt => "camt",
            Self::Csv => "csv",
            Self::Mt940 => "mt940",
            Self::Qif => "qif",
        }
    }

    /// File name extensions, lower case, the usual one first.
    pub fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Ofx1 | Self::Ofx2 => &["ofx", "qfx", "qbo"],
            Self::Camt => &["xml"],
            Self::Csv => &["csv", "tsv", "tab"],
            Self::Mt940 => &["sta", "mt940", "940", "mt942", "942", "swi"],
            Self::Qif => &["qif"],
        }
    }
}

/// What a file is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detection {
    /// By its content; the name has no say.
    pub format: Format,
    /// How its bytes become characters.
    pub encoding: Encoding,
    /// The extension of the file name, if it belongs to another format than the content.
    pub misleading_extension: Option<String>,
    /// Message and version of a CAMT file, as its namespace has them: `camt.053.001.08`.
    #[serde(default)]
    pub message: Option<String>,
    /// An OFX file that may list securities: reading them (`securities`) is worth a pass.
    #[serde(default)]
    pub lists_securities: bool,
}

/// Decides by its content what a file is. `report` and `head` come from `Survey::finish`.
///
/// Refuses what is empty, binary, of another known format, or of none.
pub fn detect(report: &SurveyReport, head: &[u8], file_name: Option<&str>) -> Result<Detection, FormatError> {
    let beyond_mark = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    if beyond_mark.iter().all(u8::is_ascii_whitespace) && report.size_bytes <= head.len() as u64 {
        return Err(FormatError::EmptyFile);
    }
    if let Some(what) = binary_format(head) {
        return Err(FormatError::UnsupportedFormat { what });
    }
    let wide = byte_order(head).filter(|codec| *codec != encoding_rs::UTF_8);
    let is_binary = report.nul_bytes > 0 || report.control_bytes * 50 > report.size_bytes;
    if wide.is_none() && is_binary {
        return Err(FormatError::BinaryFile);
    }
    // Only ASCII is looked for, so that it does not matter yet which 8-bit encoding it is.
    let text = head_text(head, wide.unwrap_or(encoding_rs::WINDOWS_1252));
    let mut message = None;
    let (format, declared) = if let Some(header) = ofx::header(&text)? {
        (header.format, header.declared_encoding)
    } else if let Some(header) = camt::header(&text) {
        message = header.message;
        (Format::Camt, header.declared_encoding)
    } else if let Some(what) = text_format(&text) {
        return Err(FormatError::UnsupportedFormat { what });
    } else if qif::looks_like_qif(&text) {
        (Format::Qif, None)
    } else if mt940::looks_like_mt940(&text) {
        (Format::Mt940, None)
    } else if csv::looks_like_a_table(&text) {
        (Format::Csv, None)
    } else {
        return Err(FormatError::UnknownFormat);
    };
    let encoding = Encoding::decide(report, head, declared.as_deref());
    let is_ofx = matches!(format, Format::Ofx1 | Format::Ofx2);
    Ok(Detection {
        format,
        encoding,
        misleading_extension: misleading_extension(format, file_name),
        message,
        // The survey looks for plain bytes, which a wide encoding does not have.
        lists_securities: is_ofx && (report.lists_securities || wide.is_some()),
    })
}

/// Formats known by the magic bytes at their beginning.
fn binary_format(head: &[u8]) -> Option<&'static str> {
    let holds = |needle: &[u8]| memchr::memmem::find(head, needle).is_some();
    let magic: [(&[u8], &str); 7] = [
        (b"%PDF-", "pdf"),
        (b"\xd0\xcf\x11\xe0", "xls"),
        (b"\x1f\x8b", "gzip"),
        (b"{\\rtf", "rtf"),
        (b"\x89PNG", "image"),
        (b"\xff\xd8\xff", "image"),
        (b"SQLite format 3", "sqlite"),
    ];
    if head.starts_with(b"PK\x03\x04") {
        let is_sheet = holds(b"xl/") || holds(b"[Content_Types].xml");
        return Some(if is_sheet { "xlsx" } else { "zip" });
    }
    // Some PDF writers put a few bytes before the mark; readers accept it within the first kilobyte.
    let is_late_pdf = memchr::memmem::find(&head[..head.len().min(1024)], b"%PDF-").is_some();
    let found = magic.iter().find(|(start, _)| head.starts_with(start)).map(|&(_, what)| what);
    found.or(is_late_pdf.then_some("pdf"))
}

/// Text formats that are no OFX and no table, or that a table reader would take for one.
fn text_format(text: &str) -> Option<&'static str> {
    let start = text.trim_start_matches(|c: char| c.is_whitespace() || "\u{feff}ï»¿".contains(c));
    let lower: String = start.chars().take(2048).collect::<String>().to_ascii_lowercase();
    let any = |needles: &[&str]| needles.iter().any(|needle| lower.starts_with(needle));
    if lower.contains("iso:std:iso:20022") {
        Some("iso20022")
    } else if any(&["<!doctype html", "<html"]) {
        Some("html")
    } else if any(&["<?xml"]) {
        Some("xml")
    } else if any(&["{\"", "[{", "{\n", "{\r\n", "{ \""]) {
        Some("json")
    } else {
        None
    }
}

fn misleading_extension(format: Format, file_name: Option<&str>) -> Option<String> {
    const OTHERS: [&str; 11] =
        ["pdf", "zip", "xlsx", "xls", "json", "html", "htm", "png", "jpg", "gz", "rtf"];
    let (_, extension) = file_name?.rsplit_once('.')?;
    let extension = extension.to_ascii_lowercase();
    let belongs_to = |format: Format| format.extensions().contains(&extension.as_str());
    let elsewhere = [Format::Ofx1, Format::Csv, Format::Mt940, Format::Qif].into_iter().any(belongs_to)
        || OTHERS.contains(&extension.as_str());
    (elsewhere && !belongs_to(format)).then_some(extension)
}
