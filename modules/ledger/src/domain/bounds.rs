use kernel::Currency;

/// Decimals that a bound may have: the most that ISO 4217 gives any currency.
const SCALE: u8 = 4;

/// A limit on amounts that holds in any currency: a decimal, compared with minor units of each scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bound(i128);

impl Bound {
    /// Reads a plain decimal with up to four digits after the point.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let long = whole.len() > 18 || fraction.len() > usize::from(SCALE);
        if long
            || !(whole.len() + fraction.len() > 0
                && (whole.bytes().chain(fraction.bytes())).all(|b| b.is_ascii_digit()))
        {
            return None;
        }
        format!("{whole}{fraction:0<4}").parse::<i128>().ok().map(|value| Self(sign * value))
    }

    /// The least amount of `currency` that is not below the bound, in minor units.
    pub(crate) fn least(self, currency: Currency) -> i64 {
        let unit = Self::unit(currency);
        clamp(self.0.div_euclid(unit) + i128::from(self.0.rem_euclid(unit) != 0))
    }

    /// The greatest amount of `currency` that is not above the bound, in minor units.
    pub(crate) fn greatest(self, currency: Currency) -> i64 {
        clamp(self.0.div_euclid(Self::unit(currency)))
    }

    fn unit(currency: Currency) -> i128 {
        10i128.pow(u32::from(SCALE - currency.scale()))
    }
}

fn clamp(minor: i128) -> i64 {
    i64::try_from(minor).unwrap_or(if minor < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_round_inwards_where_a_currency_has_fewer_decimals() {
        let (eur, jpy) = (Currency::parse("EUR").unwrap(), Currency::parse("JPY").unwrap());
        let bound = Bound::parse("-10.5").unwrap();
        assert_eq!((bound.least(eur), bound.greatest(eur)), (-1050, -1050));
        assert_eq!((bound.least(jpy), bound.greatest(jpy)), (-10, -11));
    }

    #[test]
    fn what_is_no_decimal_is_no_bound() {
        for text in ["", "-", ".", "1,5", "1e3", "1.23456", "99999999999999999999"] {
            assert_eq!(Bound::parse(text), None, "{text}");
        }
    }
}
