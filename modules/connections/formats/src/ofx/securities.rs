use std::collections::HashMap;
use std::io::Read;

use super::Tag;
use super::token::{Tokens, Value};
use crate::source::Source;
use crate::{Encoding, FormatError};

/// Names and tickers of the securities that a file lists (`SECLIST`).
///
/// The list comes behind the rows that speak of its securities, and rows stream; so it is read before them, in a pass
/// of its own that looks at nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Securities {
    by_id: HashMap<(String, String), Security>,
}

/// What a list tells of a security.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Security {
    pub(super) name: Option<String>,
    pub(super) ticker: Option<String>,
}

/// More securities than any statement lists; of those behind them only the number is known.
const MOST_SECURITIES: usize = 20_000;
/// Longer than any name of a security: so that the list is small whatever stands in it.
const LONGEST_TEXT: usize = 255;

/// Reads the list of securities at the end of an OFX file. Finds none in a file without one.
///
/// Only worth its pass where `Detection::lists_securities` says so.
pub fn securities(source: impl Read, encoding: &Encoding) -> Result<Securities, FormatError> {
    let mut tokens = Tokens::new(Source::new(source, encoding.codec()));
    let mut found = Securities::default();
    let mut draft: Option<Draft> = None;
    if !tokens.skip_to_list()? {
        return Ok(found);
    }
    while let Some(token) = tokens.next()? {
        match token.tag {
            Tag::SecurityInfo => {
                draft.take().into_iter().for_each(|draft| found.add(draft));
                draft = (!token.is_end).then(Draft::default);
            }
            tag => draft.iter_mut().for_each(|draft| draft.set(tag, &token.value)),
        }
    }
    draft.into_iter().for_each(|draft| found.add(draft));
    Ok(found)
}

impl Securities {
    pub(super) fn find(&self, id: Option<&str>, id_type: Option<&str>) -> Option<&Security> {
        if self.by_id.is_empty() {
            return None;
        }
        self.by_id.get(&key(id?, id_type))
    }

    fn add(&mut self, draft: Draft) {
        let Some(id) = draft.id.filter(|id| id.len() <= LONGEST_TEXT) else { return };
        if self.by_id.len() < MOST_SECURITIES {
            // The first one stands: a file that lists a security twice repeats itself.
            self.by_id.entry(key(&id, draft.id_type.as_deref())).or_insert(draft.security);
        }
    }
}

fn key(id: &str, id_type: Option<&str>) -> (String, String) {
    let id_type = id_type.unwrap_or_default();
    (id.to_owned(), id_type.chars().take(LONGEST_TEXT).collect::<String>().to_ascii_uppercase())
}

/// One entry of the list while its elements come in.
#[derive(Debug, Default)]
struct Draft {
    id: Option<String>,
    id_type: Option<String>,
    security: Security,
}

impl Draft {
    fn set(&mut self, tag: Tag, value: &Value<'_>) {
        // The first one stands: an option names the security under it behind its own.
        let field = match tag {
            Tag::SecurityId => &mut self.id,
            Tag::SecurityIdType => &mut self.id_type,
            Tag::SecurityName => &mut self.security.name,
            Tag::Ticker => &mut self.security.ticker,
            _ => return,
        };
        if field.is_none() {
            *field = value.some_text().map(|text| text.chars().take(LONGEST_TEXT).collect());
        }
    }
}
