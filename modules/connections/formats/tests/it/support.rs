use std::ops::ControlFlow;

use connections_formats::{
    Detection, Format, FormatError, Mapping, Plan, Position, RejectedRow, Row, Securities, Sink,
    StatementBalance, StatementHead, Summary, Survey, csv, detect, qif, read, securities,
};
use kernel::{Currency, Money};

/// One statement of a file, collected.
#[derive(Debug, PartialEq)]
pub struct Statement {
    pub head: StatementHead,
    pub rows: Vec<Row>,
    pub rejected: Vec<RejectedRow>,
    pub balances: Vec<StatementBalance>,
    pub positions: Vec<Position>,
}

/// Keeps all that it is given. Stops after `stop_after` rows.
#[derive(Debug, Default)]
pub struct Collected {
    pub statements: Vec<Statement>,
    pub summary: Summary,
    pub stop_after: Option<usize>,
    pub progress: Vec<u64>,
}

impl Sink for Collected {
    fn statement(&mut self, statement: usize, head: StatementHead) -> ControlFlow<()> {
        assert_eq!(statement, self.statements.len(), "statements are numbered in order");
        self.statements.push(Statement {
            head,
            rows: vec![],
            rejected: vec![],
            balances: vec![],
            positions: vec![],
        });
        ControlFlow::Continue(())
    }

    fn row(&mut self, statement: usize, row: Row) -> ControlFlow<()> {
        self.statements[statement].rows.push(row);
        match self.stop_after {
            Some(most) if self.rows().count() >= most => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }

    fn rejected(&mut self, statement: usize, row: RejectedRow) -> ControlFlow<()> {
        self.statements[statement].rejected.push(row);
        ControlFlow::Continue(())
    }

    fn balance(&mut self, statement: usize, balance: StatementBalance) -> ControlFlow<()> {
        self.statements[statement].balances.push(balance);
        ControlFlow::Continue(())
    }

    fn position(&mut self, statement: usize, position: Position) -> ControlFlow<()> {
        self.statements[statement].positions.push(position);
        ControlFlow::Continue(())
    }

    fn progress(&mut self, bytes_read: u64) -> ControlFlow<()> {
        self.progress.push(bytes_read);
        ControlFlow::Continue(())
    }
}

impl Collected {
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.statements.iter().flat_map(|statement| &statement.rows)
    }

    /// `line code` of every rejected row.
    pub fn rejections(&self) -> Vec<String> {
        let rejected = self.statements.iter().flat_map(|statement| &statement.rejected);
        rejected.map(|row| format!("{} {}", row.line, row.code.as_str())).collect()
    }

    /// `date amount` of every row.
    pub fn booked(&self) -> Vec<String> {
        self.rows().map(|row| format!("{} {}", row.posted_on, row.amount.amount())).collect()
    }
}

/// A whole file, from survey to rows, as the importer does it.
pub struct Given<'a> {
    bytes: &'a [u8],
    file_name: Option<&'a str>,
    currency: Option<Currency>,
    mapping: Option<Mapping>,
}

pub fn file(bytes: &(impl AsRef<[u8]> + ?Sized)) -> Given<'_> {
    Given { bytes: bytes.as_ref(), file_name: None, currency: None, mapping: None }
}

impl<'a> Given<'a> {
    pub fn named(self, file_name: &'a str) -> Self {
        Self { file_name: Some(file_name), ..self }
    }

    pub fn currency(self, code: &str) -> Self {
        Self { currency: Some(currency(code)), ..self }
    }

    pub fn mapping(self, mapping: Mapping) -> Self {
        Self { mapping: Some(mapping), ..self }
    }

    pub fn detect(&self) -> Result<Detection, FormatError> {
        let (report, head) = survey(self.bytes, 4096);
        detect(&report, &head, self.file_name)
    }

    pub fn plan(&self) -> Result<Plan, FormatError> {
        let (_, head) = survey(self.bytes, 4096);
        let Detection { format, encoding, lists_securities, .. } = self.detect()?;
        let mapping = match (format, &self.mapping) {
            (Format::Csv, given) => {
                let mapping = given.clone().map_or_else(|| csv::suggest(&head, &encoding), Ok)?;
                Some(csv::decide(self.bytes, &encoding, mapping, self.currency)?)
            }
            (Format::Qif, given) => {
                let mapping = given.clone().unwrap_or_else(qif::mapping);
                Some(qif::decide(self.bytes, &encoding, mapping, self.currency)?)
            }
            _ => None,
        };
        let securities =
            if lists_securities { securities(self.bytes, &encoding)? } else { Securities::default() };
        Ok(Plan { format, encoding, mapping, default_currency: self.currency, securities })
    }

    pub fn read(&self) -> Result<Collected, FormatError> {
        self.read_with(Collected::default())
    }

    pub fn read_with(&self, mut collected: Collected) -> Result<Collected, FormatError> {
        collected.summary = read(self.bytes, &self.plan()?, &mut collected)?;
        let rejected =
            collected.statements.iter().map(|statement| statement.rejected.len() as u64).sum::<u64>();
        assert_eq!(collected.summary.rows, collected.rows().count() as u64);
        assert_eq!(collected.summary.rejected, rejected);
        let positions =
            collected.statements.iter().map(|statement| statement.positions.len() as u64).sum::<u64>();
        assert_eq!(collected.summary.positions, positions);
        assert_eq!(collected.summary.bytes_read, self.bytes.len() as u64);
        Ok(collected)
    }

    /// The code with which the file is refused.
    pub fn refusal(&self) -> &'static str {
        match self.read() {
            Ok(collected) => panic!("the file was read: {collected:?}"),
            Err(error) => error.code(),
        }
    }
}

pub fn survey(bytes: &[u8], chunk: usize) -> (connections_formats::SurveyReport, Vec<u8>) {
    let mut survey = Survey::new();
    bytes.chunks(chunk.max(1)).for_each(|chunk| survey.feed(chunk));
    survey.finish()
}

pub fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

pub fn money(text: &str, code: &str) -> Money {
    Money::parse(text, currency(code)).unwrap()
}

/// A bank statement in OFX 1.x with these elements as its list of transactions.
pub fn ofx(transactions: &str) -> String {
    format!(
        "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nSECURITY:NONE\nENCODING:USASCII\nCHARSET:1252\n\
         COMPRESSION:NONE\nOLDFILEUID:NONE\nNEWFILEUID:NONE\n\n<OFX>\n<BANKMSGSRSV1><STMTTRNRS><TRNUID>1\n\
         <STATUS><CODE>0<SEVERITY>INFO</STATUS><STMTRS><CURDEF>EUR\n<BANKACCTFROM><BANKID>1<ACCTID>77\
         <ACCTTYPE>CHECKING</BANKACCTFROM>\n<BANKTRANLIST>\n{transactions}\n</BANKTRANLIST></STMTRS></STMTTRNRS>\
         </BANKMSGSRSV1></OFX>\n"
    )
}

/// An investment statement with these elements as its transactions; the list begins on line 3.
pub fn investments(transactions: &str) -> String {
    format!(
        "<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS></SONRS></SIGNONMSGSRSV1><INVSTMTMSGSRSV1>\n\
         <INVSTMTTRNRS><INVSTMTRS><DTASOF>20250331<CURDEF>USD<INVACCTFROM><BROKERID>broker.example<ACCTID>I-5\
         </INVACCTFROM><INVTRANLIST><DTSTART>20250301<DTEND>20250331\n{transactions}</INVTRANLIST>\n\
         <INVPOSLIST><POSSTOCK><INVPOS><SECID><UNIQUEID>000000001<UNIQUEIDTYPE>CUSIP</SECID><HELDINACCT>CASH\
         <POSTYPE>LONG<UNITS>12.500<UNITPRICE>20.1234<MKTVAL>251.5425<DTPRICEASOF>20250328</INVPOS></POSSTOCK>\n\
         <POSOPT><INVPOS><SECID><UNIQUEID>000000002<UNIQUEIDTYPE>CUSIP</SECID><HELDINACCT>MARGIN<POSTYPE>SHORT\
         <UNITS>3<UNITPRICE>1<MKTVAL>-300<DTPRICEASOF>20250328</INVPOS></POSOPT></INVPOSLIST>\n\
         <INVBAL><AVAILCASH>250.75<MARGINBALANCE>0<SHORTBALANCE>0<BALLIST><BAL><NAME>Net worth<DESC>All<BALTYPE>DOLLAR\
         <VALUE>1<DTASOF>20250101</BAL></BALLIST></INVBAL></INVSTMTRS></INVSTMTTRNRS></INVSTMTMSGSRSV1>\n\
         <SECLISTMSGSRSV1><SECLIST><STOCKINFO><SECINFO><SECID><UNIQUEID>000000001<UNIQUEIDTYPE>CUSIP</SECID>\
         <SECNAME>Acme Widgets &amp; Co<TICKER>ACME<MEMO>n</SECINFO><STOCKTYPE>COMMON</STOCKINFO>\n\
         <OPTINFO><SECINFO><SECID><UNIQUEID>000000002<UNIQUEIDTYPE>CUSIP</SECID><SECNAME>Acme call 25</SECINFO>\
         <OPTTYPE>CALL<SECID><UNIQUEID>000000001<UNIQUEIDTYPE>CUSIP</SECID></OPTINFO></SECLIST></SECLISTMSGSRSV1></OFX>\n"
    )
}

/// A file that comes in pieces of this size.
pub struct InPieces<'a> {
    pub bytes: &'a [u8],
    pub size: usize,
}

impl std::io::Read for InPieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let length = self.size.min(self.bytes.len()).min(into.len());
        let (now, later) = self.bytes.split_at(length);
        into[..length].copy_from_slice(now);
        self.bytes = later;
        Ok(length)
    }
}
