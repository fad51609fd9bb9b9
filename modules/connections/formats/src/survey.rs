use memchr::memmem;
use serde::{Deserialize, Serialize};

/// How many bytes of its beginning decide what a file is.
pub const HEAD_BYTES: usize = 64 * 1024;

/// Looks at every byte of a file as it is uploaded, so that its encoding is decided without a second pass.
///
/// Feed the chunks in order, then `finish`. Holds the head of the file and nothing else.
#[derive(Debug, Default)]
pub struct Survey {
    report: SurveyReport,
    head: Vec<u8>,
    /// A UTF-8 sequence that the last chunk broke off: at most three bytes.
    broken: Vec<u8>,
    /// The end of the last chunk, in which `LIST` may have begun.
    tail: Vec<u8>,
}

/// What the bytes of a whole file say about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurveyReport {
    /// Size of the file.
    pub size_bytes: u64,
    /// Every byte of it is part of valid UTF-8. True for plain ASCII as well.
    pub valid_utf8: bool,
    /// Some byte is not ASCII.
    pub has_non_ascii: bool,
    /// Zero bytes.
    pub nul_bytes: u64,
    /// Control characters that no text has, zero bytes among them.
    pub control_bytes: u64,
    /// The name of OFX's list of securities stands somewhere in it.
    #[serde(default)]
    pub lists_securities: bool,
}

/// What a list of securities begins with, and the message set around it.
pub(crate) const LIST: &[u8] = b"SECLIST";

/// Where a list of securities seems to begin; SGML names may be small.
pub(crate) fn find_list(bytes: &[u8]) -> Option<usize> {
    memmem::find(bytes, LIST).or_else(|| memmem::find(bytes, b"seclist"))
}

impl Default for SurveyReport {
    fn default() -> Self {
        Self {
            size_bytes: 0,
            valid_utf8: true,
            has_non_ascii: false,
            nul_bytes: 0,
            control_bytes: 0,
            lists_securities: false,
        }
    }
}

impl Survey {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes of the file.
    pub fn feed(&mut self, chunk: &[u8]) {
        self.report.size_bytes += chunk.len() as u64;
        let missing = HEAD_BYTES - self.head.len();
        self.head.extend_from_slice(&chunk[..chunk.len().min(missing)]);
        for &byte in chunk {
            self.report.nul_bytes += u64::from(byte == 0);
            self.report.control_bytes += u64::from(is_control(byte));
        }
        self.report.has_non_ascii |= !chunk.is_ascii();
        if self.report.valid_utf8 {
            self.check_utf8(chunk);
        }
        if !self.report.lists_securities {
            self.look_for_list(chunk);
        }
    }

    /// The verdict, and up to `HEAD_BYTES` of the beginning of the file.
    pub fn finish(mut self) -> (SurveyReport, Vec<u8>) {
        self.report.valid_utf8 &= self.broken.is_empty();
        (self.report, self.head)
    }

    fn look_for_list(&mut self, chunk: &[u8]) {
        let (first, last) = (chunk.len().min(LIST.len() - 1), chunk.len().saturating_sub(LIST.len() - 1));
        self.tail.extend_from_slice(&chunk[..first]);
        self.report.lists_securities = find_list(chunk).is_some() || find_list(&self.tail).is_some();
        self.tail.extend_from_slice(&chunk[last.max(first)..]);
        self.tail.drain(..self.tail.len().saturating_sub(LIST.len() - 1));
    }

    fn check_utf8(&mut self, mut chunk: &[u8]) {
        while !self.broken.is_empty() {
            let Some((&next, rest)) = chunk.split_first() else { return };
            self.broken.push(next);
            chunk = rest;
            match std::str::from_utf8(&self.broken) {
                Ok(_) => self.broken.clear(),
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return self.report.valid_utf8 = false,
            }
        }
        if let Err(error) = std::str::from_utf8(chunk) {
            match error.error_len() {
                None => self.broken.extend_from_slice(&chunk[error.valid_up_to()..]),
                Some(_) => self.report.valid_utf8 = false,
            }
        }
    }
}

/// Tab, line feed, form feed, carriage return, end-of-file (^Z) and escape do occur in text.
fn is_control(byte: u8) -> bool {
    byte < 0x20 && !matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | 0x1a | 0x1b)
}
