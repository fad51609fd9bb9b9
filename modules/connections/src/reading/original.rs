use connections_formats::OriginalCurrency;
use kernel::Money;

/// A rate with more digits than this is no rate.
const MOST_DIGITS: usize = 18;

/// What `amount` was before the bank converted it: what the bank states, else divided by the bank's rate (OFX
/// `CURRATE`), rounded half to even to the minor unit of the original currency. None where the bank gave neither.
pub(super) fn original_amount(amount: Money, original: &OriginalCurrency) -> Option<Money> {
    if original.amount.is_some() {
        return original.amount;
    }
    let (digits, decimals) = rate(original.rate.as_deref()?)?;
    let scale = i32::from(original.currency.scale()) - i32::from(amount.currency().scale());
    // amount / (digits / 10^decimals), moved from the scale of one currency to that of the other.
    let shift = i32::try_from(decimals).ok()? + scale;
    let power = 10_i128.checked_pow(shift.unsigned_abs())?;
    let minor = i128::from(amount.minor());
    let (over, under) =
        if shift >= 0 { (minor.checked_mul(power)?, digits) } else { (minor, digits.checked_mul(power)?) };
    let rounded = i64::try_from(half_even(over, under)).ok()?;
    Some(Money::from_minor(rounded, original.currency))
}

/// The digits of a positive decimal and how many of them stand behind the point.
fn rate(text: &str) -> Option<(i128, usize)> {
    let text = text.trim().replace(',', ".");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits = format!("{whole}{fraction}");
    let is_number =
        (1..=MOST_DIGITS).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let value: i128 = if is_number { digits.parse().ok()? } else { return None };
    (value > 0).then_some((value, fraction.len()))
}

fn half_even(over: i128, under: i128) -> i128 {
    let (quotient, rest) = (over / under, over % under);
    let away = if over < 0 { -1 } else { 1 };
    match (rest.abs() * 2).cmp(&under) {
        std::cmp::Ordering::Less => quotient,
        std::cmp::Ordering::Equal if quotient % 2 == 0 => quotient,
        _ => quotient + away,
    }
}

#[cfg(test)]
mod tests {
    use kernel::Currency;

    use super::*;

    fn converted(amount: &str, currency: &str, original: &str, rate: &str) -> Option<String> {
        let amount = Money::parse(amount, Currency::parse(currency).unwrap()).unwrap();
        let currency = Currency::parse(original).unwrap();
        let original = OriginalCurrency { currency, rate: Some(rate.into()), amount: None };
        original_amount(amount, &original).map(|money| money.to_string())
    }

    #[test]
    fn a_converted_amount_is_divided_by_the_rate_in_the_scale_of_the_original() {
        for (amount, currency, original, rate, expected) in [
            ("-108.25", "USD", "EUR", "1.0825", "-100.00 EUR"),
            ("65.40", "EUR", "JPY", "0.00654", "10000 JPY"),
            ("100", "JPY", "KWD", "500", "0.200 KWD"),
            ("10.00", "USD", "EUR", "1,25", "8.00 EUR"),
            ("0.01", "USD", "EUR", "2", "0.00 EUR"),
            ("0.03", "USD", "EUR", "2", "0.02 EUR"),
        ] {
            assert_eq!(converted(amount, currency, original, rate).as_deref(), Some(expected));
        }
    }

    #[test]
    fn an_original_amount_that_is_stated_is_not_computed() {
        let [amount, stated] = [("-92.38", "EUR"), ("-100.00", "USD")]
            .map(|(text, code)| Money::parse(text, Currency::parse(code).unwrap()).unwrap());
        let rate = Some("0.92".into());
        let original = OriginalCurrency { currency: stated.currency(), rate, amount: Some(stated) };
        assert_eq!(original_amount(amount, &original), Some(stated));
    }

    #[test]
    fn a_rate_that_is_none_gives_no_original() {
        for rate in ["", "0", "0.000", "-1", "1.2.3", "abc", "1234567890.1234567890"] {
            assert_eq!(converted("1.00", "USD", "EUR", rate), None, "{rate}");
        }
    }
}
