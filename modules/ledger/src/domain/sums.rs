use sea_orm::FromQueryResult;

/// A sum that SQL made in two halves, so that it is exact and cannot overflow there.
///
/// SQLite fails on an overflow of `sum`, PostgreSQL answers NUMERIC: halves of a billion fit a BIGINT on both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromQueryResult)]
pub(crate) struct Sum {
    pub(crate) billions: Option<i64>,
    pub(crate) rest: Option<i64>,
}

impl Sum {
    /// The SQL of both halves for a column of minor units, to be selected as `billions` and `rest`.
    pub(crate) fn sql(column: &str) -> String {
        format!(
            "CAST(sum({column} / 1000000000) AS BIGINT) AS billions, CAST(sum({column} % 1000000000) AS BIGINT) AS rest"
        )
    }

    /// The whole sum; none of nothing is zero.
    pub(crate) fn total(self) -> i128 {
        i128::from(self.billions.unwrap_or_default()) * 1_000_000_000
            + i128::from(self.rest.unwrap_or_default())
    }
}
