//! W3C Trace Context: where this call stands in the tree of calls that a request causes.

use std::fmt;
use std::str::FromStr;

use crate::ids::fresh_span_id;

/// A `traceparent`: trace id, span id and whether the trace is recorded (W3C Trace Context § 2.2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    pub trace_id: [u8; 16],
    pub span_id: [u8; 8],
    pub sampled: bool,
}

impl TraceContext {
    /// A new trace, with this as its first span.
    pub fn new(sampled: bool) -> Self {
        Self { trace_id: *uuid::Uuid::new_v4().as_bytes(), span_id: fresh_span_id(), sampled }
    }

    /// The trace that `header` names, or a new unsampled one: a broken `traceparent` restarts the trace
    /// and is never an error (W3C Trace Context § 3.2.2.3).
    pub fn from_header(header: Option<&str>) -> Self {
        header.and_then(|value| value.parse().ok()).unwrap_or_else(|| Self::new(false))
    }

    /// A new span in the same trace.
    pub fn child(&self) -> Self {
        Self { span_id: fresh_span_id(), ..*self }
    }

    /// The trace id as 32 hex digits, as logs and trace stores write it.
    pub fn trace_id_hex(&self) -> String {
        self.traceparent()[3..35].to_owned()
    }

    /// The value of a `traceparent` header of version 00.
    pub fn traceparent(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for TraceContext {
    /// As [`TraceContext::traceparent`] gives it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = *b"00-tttttttttttttttttttttttttttttttt-ssssssssssssssss-00";
        write_hex(&self.trace_id, &mut text[3..35]);
        write_hex(&self.span_id, &mut text[36..52]);
        text[54] += u8::from(self.sampled);
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A `traceparent` that the specification tells us to ignore.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a traceparent of W3C Trace Context")]
pub struct BadTraceparent;

impl FromStr for TraceContext {
    type Err = BadTraceparent;

    /// Version 00 is exactly four fields; a later version may append more after another dash, and is then
    /// read as version 00 (§ 3.2.2.3); version ff and all-zero ids are invalid (§ 2.2.2–2.2.4).
    fn from_str(header: &str) -> Result<Self, Self::Err> {
        let bytes = header.as_bytes();
        if bytes.len() < 55 || bytes[2] != b'-' || bytes[35] != b'-' || bytes[52] != b'-' {
            return Err(BadTraceparent);
        }
        let [version] = unhex::<1>(&bytes[0..2])?;
        let ends_well = match version {
            0x00 => bytes.len() == 55,
            0xff => false,
            _ => bytes.len() == 55 || bytes[55] == b'-',
        };
        let trace_id = unhex::<16>(&bytes[3..35])?;
        let span_id = unhex::<8>(&bytes[36..52])?;
        let [flags] = unhex::<1>(&bytes[53..55])?;
        if !ends_well || trace_id == [0; 16] || span_id == [0; 8] {
            return Err(BadTraceparent);
        }
        Ok(Self { trace_id, span_id, sampled: flags & 1 == 1 })
    }
}

/// Two digits for each byte.
fn write_hex(bytes: &[u8], digits: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (byte, pair) in bytes.iter().zip(digits.chunks_exact_mut(2)) {
        pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

/// Lower-case hex only: the specification forbids the upper-case form.
fn unhex<const N: usize>(digits: &[u8]) -> Result<[u8; N], BadTraceparent> {
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(BadTraceparent),
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn the_example_of_the_specification_survives_a_round_trip() {
        let trace: TraceContext = EXAMPLE.parse().unwrap();
        assert!(trace.sampled);
        assert_eq!(trace.traceparent(), EXAMPLE);
        assert_eq!(trace.trace_id_hex(), "0af7651916cd43dd8448eb211c80319c");
    }

    #[test]
    fn a_later_version_with_more_fields_is_read_as_version_00() {
        let later = EXAMPLE.replacen("00-", "cc-", 1) + "-what-the-future-will-be-like";
        assert_eq!(later.parse::<TraceContext>(), EXAMPLE.parse());
    }

    #[test]
    fn invalid_headers_start_a_new_unsampled_trace() {
        let broken = [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.more",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
            "00-0af7651916cd43dd8448eb211c80319é-b7ad6b7169203331-01",
        ];
        for header in broken {
            assert_eq!(header.parse::<TraceContext>(), Err(BadTraceparent), "{header}");
            assert!(!TraceContext::from_header(Some(header)).sampled);
        }
        assert_ne!(TraceContext::from_header(None).trace_id, TraceContext::from_header(None).trace_id);
    }
}
