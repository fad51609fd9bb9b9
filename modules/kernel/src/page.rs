use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The most items a page may hold.
pub const MAX_LIMIT: u16 = 200;
const DEFAULT_LIMIT: u16 = 50;

/// Where a list goes on: the sort key of the last item seen, opaque to clients.
///
/// A keyset position, not an offset, so that a page is as cheap at the end of a list as at its start, and
/// stays right while rows come and go. Written as hexadecimal of the key parts joined by `|`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(Vec<String>);

/// The text is not a cursor that we gave out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this list")]
pub struct InvalidCursor;

impl Cursor {
    /// A position after the item with these sort-key parts, most significant first.
    pub fn new<Part: ToString>(parts: impl IntoIterator<Item = Part>) -> Self {
        Self(parts.into_iter().map(|part| part.to_string()).collect())
    }

    /// The sort-key part at `index`, read back as `T`; `InvalidCursor` where it is none.
    pub fn part<T: FromStr>(&self, index: usize) -> Result<T, InvalidCursor> {
        self.0.get(index).and_then(|part| part.parse().ok()).ok_or(InvalidCursor)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.join("|").bytes().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;
    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect();
        let digits = digits.filter(|digits| !digits.is_empty()).ok_or(InvalidCursor)?;
        let (pairs, []) = digits.as_chunks::<2>() else { return Err(InvalidCursor) };
        let bytes = pairs.iter().map(|[high, low]| high << 4 | low).collect();
        let joined = String::from_utf8(bytes).map_err(|_| InvalidCursor)?;
        Ok(Self(joined.split('|').map(str::to_owned).collect()))
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Cursor {
    fn schema_name() -> Cow<'static, str> {
        "Cursor".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "cursor" })
    }
}

/// Which page of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PageRequest {
    /// Goes on after this position; from the start where absent.
    pub cursor: Option<Cursor>,
    /// Items at most, 1 to `MAX_LIMIT`.
    pub limit: u16,
    /// Whether to count the whole list as well, which costs a scan of what matches.
    pub with_total: bool,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { cursor: None, limit: DEFAULT_LIMIT, with_total: false }
    }
}

/// A stretch of a list, in its order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
#[schemars(rename = "Page_of_{T}")]
pub struct Page<T> {
    /// The items.
    pub data: Vec<T>,
    /// Give this as `cursor` for the next page; null on the last one.
    #[schema(value_type = Option<String>)]
    pub next_cursor: Option<Cursor>,
    /// Items in the whole list, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub total: Option<u64>,
}

impl<T> Page<T> {
    /// Makes a page of `rows`, of which one more than `limit` was fetched to learn whether there is another.
    pub fn cut(mut rows: Vec<T>, limit: u16, cursor: impl Fn(&T) -> Cursor) -> Self {
        let more = rows.len() > usize::from(limit);
        rows.truncate(usize::from(limit));
        let next_cursor = if more { rows.last().map(cursor) } else { None };
        Self { data: rows, next_cursor, total: None }
    }

    /// The same page with each item made into another.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Page<U> {
        Page {
            data: self.data.into_iter().map(each).collect(),
            next_cursor: self.next_cursor,
            total: self.total,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_full_last_page_has_no_next() {
        let page = Page::cut(vec![1, 2, 3], 3, |n| Cursor::new([n]));
        assert_eq!((page.data.len(), page.next_cursor), (3, None));
        let page = Page::cut(vec![1, 2, 3, 4], 3, |n| Cursor::new([n]));
        assert_eq!(page.next_cursor, Some(Cursor::new([3])));
    }

    proptest! {
        #[test]
        fn cursors_survive_their_text(parts in prop::collection::vec("[^|]{0,12}", 1..4)) {
            let cursor = Cursor::new(&parts);
            prop_assume!(!cursor.to_string().is_empty());
            prop_assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<Cursor>();
        }
    }
}
