use std::str::FromStr;

/// A network that is simulated before one service: `remote=ledger,latency=2ms,loss=0.1%`.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulate {
    pub service: String,
    /// There and back again; decimals, since those of the settings have them.
    pub latency_ms: String,
    pub loss_percent: String,
}

impl FromStr for Simulate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut simulate =
            Self { service: String::new(), latency_ms: "0.0".to_owned(), loss_percent: "0.0".to_owned() };
        for part in text.split(',') {
            let (word, value) = part.split_once('=').ok_or_else(|| format!("{part:?} is no word=value"))?;
            match word {
                "remote" => simulate.service = value.to_owned(),
                "latency" => simulate.latency_ms = number(value, "ms")?,
                "loss" => simulate.loss_percent = number(value, "%")?,
                _ => return Err(format!("{word:?} is none of remote, latency and loss")),
            }
        }
        match simulate.service.is_empty() {
            true => Err("remote=SERVICE is missing".to_owned()),
            false => Ok(simulate),
        }
    }
}

/// What stands before its unit.
fn number(value: &str, unit: &str) -> Result<String, String> {
    let number = value.strip_suffix(unit).and_then(|number| number.parse::<f64>().ok());
    let number = number.ok_or_else(|| format!("{value:?} should be a number and {unit}, such as 2{unit}"))?;
    Ok(format!("{number:?}"))
}
