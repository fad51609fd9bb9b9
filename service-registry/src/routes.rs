//! Which service owns a public path.

/// A path pattern, segment by segment; `{}` (or `{name}`) matches any one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Any,
    Exactly(&'static str),
}

impl Pattern {
    /// Says what is wrong with a route that does not start with `/` or has an empty segment.
    pub(crate) fn parse(route: &'static str) -> Result<Self, &'static str> {
        let path = route.strip_prefix('/').ok_or("must start with /")?;
        let segments: Vec<Segment> = path
            .split('/')
            .map(|segment| match segment.starts_with('{') && segment.ends_with('}') {
                true => Segment::Any,
                false => Segment::Exactly(segment),
            })
            .collect();
        if segments.contains(&Segment::Exactly("")) {
            return Err("must not have an empty segment");
        }
        Ok(Self { segments })
    }

    /// How well this pattern owns `path`: none if it is no prefix of it, else more for longer patterns,
    /// and of two equally long ones more for the one with its first name where the other has `{}`.
    pub(crate) fn rank(&self, path: &str) -> Option<Rank> {
        let mut segments = path.split('?').next()?.strip_prefix('/')?.split('/');
        let mut named = Vec::with_capacity(self.segments.len());
        for expected in &self.segments {
            let found = segments.next()?;
            match expected {
                Segment::Exactly(name) if *name != found => return None,
                Segment::Any if found.is_empty() => return None,
                _ => named.push(*expected != Segment::Any),
            }
        }
        Some((self.segments.len(), named))
    }
}

/// Length first, then which segments are names.
pub(crate) type Rank = (usize, Vec<bool>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_owns_whole_segments_only() {
        let accounts = Pattern::parse("/api/v1/accounts").unwrap();
        assert!(accounts.rank("/api/v1/accounts").is_some());
        assert!(accounts.rank("/api/v1/accounts/7?limit=1").is_some());
        assert!(accounts.rank("/api/v1/accounts-archive").is_none());
        assert!(accounts.rank("/api/v1").is_none());
    }

    #[test]
    fn longer_patterns_win_and_names_win_over_wildcards() {
        let rank = |route, path| Pattern::parse(route).unwrap().rank(path);
        let path = "/api/v1/accounts/7/imports";
        assert!(rank("/api/v1/accounts/{}/imports", path) > rank("/api/v1/accounts", path));
        assert!(rank("/api/v1/accounts/7", path) > rank("/api/v1/accounts/{id}", path));
        assert_eq!(Pattern::parse("/a/{}"), Pattern::parse("/a/{id}"));
    }

    #[test]
    fn a_route_that_matches_nothing_is_refused() {
        assert!(Pattern::parse("api/v1").is_err());
        assert!(Pattern::parse("/api//v1").is_err());
        assert!(Pattern::parse("/api/v1/").is_err());
    }
}
