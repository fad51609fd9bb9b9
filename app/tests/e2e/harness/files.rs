//! Bank files: those that ship with the project, and small ones made for the occasion.

use std::fmt::Write;
use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A statement that ships with the project.
pub struct Sample {
    pub name: &'static str,
    pub content: &'static [u8],
    pub rows: u64,
}

macro_rules! sample {
    ($name:literal, $rows:literal) => {
        Sample {
            name: $name,
            content: include_bytes!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../modules/connections/formats/samples/",
                $name
            )),
            rows: $rows,
        }
    };
}

/// Two of one account that overlap in March by 27 rows, a credit card in dollars, and a savings account as a table.
pub const SAMPLES: [Sample; 4] = [
    sample!("checking-2026-q1.ofx", 78),
    sample!("checking-2026-march-april.ofx", 52),
    sample!("credit-card-2026.ofx", 43),
    sample!("savings-2026.csv", 26),
];

/// A ZIP archive of these files.
pub fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(*name, SimpleFileOptions::default()).expect("a file can be begun");
        writer.write_all(content).expect("a file can be packed");
    }
    writer.finish().expect("an archive can be written").into_inner()
}

/// Writes statements of one account as OFX 1.x.
#[derive(Clone)]
pub struct Bank {
    account: String,
    currency: &'static str,
    rows: String,
    balance: Option<&'static str>,
}

impl Bank {
    pub fn account(number: &str) -> Self {
        Self { account: number.to_owned(), currency: "EUR", rows: String::new(), balance: None }
    }

    pub fn currency(self, currency: &'static str) -> Self {
        Self { currency, ..self }
    }

    /// What the statement says the account holds at the end of June 2026.
    pub fn balance(self, balance: &'static str) -> Self {
        Self { balance: Some(balance), ..self }
    }

    /// A movement in June 2026; each begins on its own line, the first on line 4.
    pub fn row(mut self, day: u32, amount: &str, id: &str) -> Self {
        let row = format!(
            "<STMTTRN><TRNTYPE>POS<DTPOSTED>202606{day:02}<TRNAMT>{amount}<FITID>{id}<NAME>Shop {id}"
        );
        writeln!(self.rows, "{row}</STMTTRN>").expect("a string can be written");
        self
    }

    /// `count` movements of 0.01 each, all different.
    pub fn cents(mut self, count: u32) -> Self {
        for number in 0..count {
            self = self.row(number % 30 + 1, "0.01", &format!("c{number}"));
        }
        self
    }

    pub fn write(&self) -> String {
        let Self { account, currency, rows, balance } = self;
        let balance = balance.map_or(String::new(), |balance| {
            format!("<LEDGERBAL><BALAMT>{balance}<DTASOF>20260630</LEDGERBAL>\n")
        });
        format!(
            "OFXHEADER:100\nDATA:OFXSGML\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>{currency}<BANKACCTFROM>\
             <BANKID>1<ACCTID>{account}<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST>\n{rows}</BANKTRANLIST>\n\
             {balance}</STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n"
        )
    }
}
