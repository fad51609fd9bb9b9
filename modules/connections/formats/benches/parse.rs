//! Rows per second of each reader, and how that compares with the least that any reader must do: find the lines
//! of the same bytes, check that they are UTF-8 and read the digits of the amounts.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use connections_formats::{
    Detection, Format, Plan, RejectedRow, Row, Securities, Sink, StatementBalance, StatementHead, Survey,
    csv, detect, qif, read,
};
use criterion::{Criterion, Throughput, criterion_group};
use kernel::Currency;

const ROWS: u64 = 100_000;

/// Takes rows and lets them go, as a consumer does that hands them on.
#[derive(Default)]
struct Counter {
    rows: u64,
    minor: i64,
}

impl Sink for Counter {
    fn statement(&mut self, _: usize, _: StatementHead) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    fn row(&mut self, _: usize, row: Row) -> ControlFlow<()> {
        self.rows += 1;
        self.minor = self.minor.wrapping_add(black_box(row).amount.minor());
        ControlFlow::Continue(())
    }
    fn rejected(&mut self, _: usize, row: RejectedRow) -> ControlFlow<()> {
        panic!("the benchmark's rows are all good: {row:?}")
    }
    fn balance(&mut self, _: usize, _: StatementBalance) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// A statement with bank-like rows of about 230 bytes.
fn ofx() -> Vec<u8> {
    let mut text = String::from(
        "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nENCODING:USASCII\nCHARSET:1252\n\n<OFX>\n<BANKMSGSRSV1>\n\
         <STMTTRNRS>\n<STMTRS>\n<CURDEF>EUR\n<BANKACCTFROM>\n<BANKID>1\n<ACCTID>77\n<ACCTTYPE>CHECKING\n\
         </BANKACCTFROM>\n<BANKTRANLIST>\n<DTSTART>20250101\n<DTEND>20251231\n",
    );
    for row in 0..ROWS {
        let (month, day, cents) = (row % 12 + 1, row % 28 + 1, row * 7919 % 1_000_000);
        text += &format!(
            "<STMTTRN>\n<TRNTYPE>DEBIT\n<DTPOSTED>2025{month:02}{day:02}120000.000[-5:EST]\n<TRNAMT>-{}.{:02}\n\
             <FITID>2025{row:012}\n<NAME>CARD PAYMENT SHOP {}\n<MEMO>POS 4711 TERMINAL {row} THANK YOU FOR SHOPPING\n\
             </STMTTRN>\n",
            cents / 100,
            cents % 100,
            row % 5000
        );
    }
    text += "</BANKTRANLIST>\n<LEDGERBAL><BALAMT>1.00<DTASOF>20251231</LEDGERBAL>\n</STMTRS>\n</STMTTRNRS>\n\
             </BANKMSGSRSV1>\n</OFX>\n";
    text.into_bytes()
}

/// A statement whose entries of about 850 bytes have one detail each.
fn camt() -> Vec<u8> {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\">\
         <BkToCstmrStmt><GrpHdr><MsgId>1</MsgId></GrpHdr><Stmt><Id>1</Id><Acct><Id><IBAN>DE00999000000012345678</IBAN>\
         </Id><Ccy>EUR</Ccy></Acct>\n",
    );
    for row in 0..ROWS {
        let (month, day, cents) = (row % 12 + 1, row % 28 + 1, row * 7919 % 1_000_000);
        text += &format!(
            "<Ntry><NtryRef>{row}</NtryRef><Amt Ccy=\"EUR\">{0}.{1:02}</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\
             <BookgDt><Dt>2025-{month:02}-{day:02}</Dt></BookgDt><ValDt><Dt>2025-{month:02}-{day:02}</Dt></ValDt>\
             <AcctSvcrRef>2025{row:012}</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>CCRD</Cd><SubFmlyCd>POSD</SubFmlyCd>\
             </Fmly></Domn></BkTxCd><NtryDtls><TxDtls><Refs><EndToEndId>E2E{row}</EndToEndId></Refs><Amt Ccy=\"EUR\">{0}.{1:02}\
             </Amt><CdtDbtInd>DBIT</CdtDbtInd><RltdPties><Cdtr><Pty><Nm>CARD PAYMENT SHOP {2}</Nm></Pty></Cdtr><CdtrAcct><Id>\
             <IBAN>DE00999000000087654321</IBAN></Id></CdtrAcct></RltdPties><RmtInf><Ustrd>POS 4711 TERMINAL {row} THANK YOU \
             FOR SHOPPING</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>\n",
            cents / 100,
            cents % 100,
            row % 5000
        );
    }
    text += "</Stmt></BkToCstmrStmt></Document>\n";
    text.into_bytes()
}

/// A table with rows of about 90 bytes.
fn table() -> Vec<u8> {
    let mut text = String::from("Date,Description,Memo,Reference Number,Amount,Balance\n");
    for row in 0..ROWS {
        let (month, day, cents) = (row % 12 + 1, row % 28 + 1, row * 7919 % 1_000_000);
        text += &format!(
            "2025-{month:02}-{day:02},CARD PAYMENT SHOP {},\"POS 4711, TERMINAL {row}\",{row:012},-{}.{:02},10000.00\n",
            row % 5000,
            cents / 100,
            cents % 100
        );
    }
    text.into_bytes()
}

/// An MT940 statement with rows of about 220 bytes, structured as German banks do.
fn mt940() -> Vec<u8> {
    let mut text =
        String::from(":20:STARTUMS\r\n:25:10020030/1234567\r\n:28C:1/1\r\n:60F:C250101EUR0,00\r\n");
    for row in 0..ROWS {
        let (month, day, cents) = (row % 12 + 1, row % 28 + 1, row * 7919 % 1_000_000);
        text += &format!(
            ":61:25{month:02}{day:02}{month:02}{day:02}DR{},{:02}NDDTNONREF//{row:014}\r\n\
             :86:105?00BASISLASTSCHRIFT?10931?20EREF+E2E{row:09}?21MREF+M-{row:05}?22S\r\n\
             VWZ+Invoice {row} thank yo?23u for shopping?30BANKDEFFXXX?31DE021203\r\n\
             00000000202051?32SHOP {}?34992\r\n",
            cents / 100,
            cents % 100,
            row % 5000
        );
    }
    text += ":62F:D251231EUR0,00\r\n-\r\n";
    text.into_bytes()
}

/// A table of a German bank, with a decimal comma, groups of thousands and rows of about 150 bytes.
fn comma_table() -> Vec<u8> {
    let mut text = String::from(
        "\"Buchungsdatum\";\"Wertstellung\";\"Status\";\"Zahlungspflichtige*r\";\"Zahlungsempfänger*in\";\
         \"Verwendungszweck\";\"Umsatztyp\";\"IBAN\";\"Betrag (€)\";\"Kundenreferenz\"\n",
    );
    for row in 0..ROWS {
        let (month, day, cents) = (row % 12 + 1, row % 28 + 1, row * 7919 % 1_000_000);
        let (thousands, euros) = (cents / 100_000, cents / 100 % 1000);
        let whole = if thousands > 0 { format!("{thousands}.{euros:03}") } else { euros.to_string() };
        text += &format!(
            "\"{day:02}.{month:02}.25\";\"{day:02}.{month:02}.25\";\"Gebucht\";\"Jo Musterfrau\";\"LADEN {}//Neudorf\";\
             \"Kartenzahlung {row}\";\"Ausgang\";\"DE02999000000000000004\";\"-{whole},{:02}\";\"\"\n",
            row % 5000,
            cents % 100
        );
    }
    text.into_bytes()
}

/// A register with rows of about 90 bytes.
fn register() -> Vec<u8> {
    let mut text = String::from("!Account\nNHousehold\nTBank\n^\n!Type:Bank\n");
    for row in 0..ROWS {
        let (month, day, cents) = (row % 12 + 1, row % 28 + 1, row * 7919 % 1_000_000);
        text += &format!(
            "D{month}/{day:2}'25\nT-{}.{:02}\nC*\nN{row}\nPCARD PAYMENT SHOP {}\nMPOS 4711 TERMINAL {row}\n\
             LHousehold:Food\n^\n",
            cents / 100,
            cents % 100,
            row % 5000
        );
    }
    text.into_bytes()
}

fn plan(bytes: &[u8]) -> Plan {
    let mut survey = Survey::new();
    survey.feed(bytes);
    let (report, head) = survey.finish();
    let Detection { format, encoding, .. } =
        detect(&report, &head, None).expect("the benchmark's files are known");
    let currency = Currency::parse("EUR").ok();
    let mapping = match format {
        Format::Csv => csv::suggest(&head, &encoding)
            .and_then(|mapping| csv::decide(bytes, &encoding, mapping, currency))
            .map(Some),
        Format::Qif => qif::decide(bytes, &encoding, qif::mapping(), currency).map(Some),
        _ => Ok(None),
    };
    let mapping = mapping.expect("dates are clear");
    Plan { format, encoding, mapping, default_currency: currency, securities: Securities::default() }
}

fn parse(bytes: &[u8], plan: &Plan) -> u64 {
    let mut counter = Counter::default();
    read(bytes, plan, &mut counter).expect("the benchmark's files are good");
    assert_eq!(counter.rows, ROWS);
    black_box(counter.minor);
    counter.rows
}

/// The least that any reader must do.
fn floor(bytes: &[u8]) -> i64 {
    let mut sum = 0i64;
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', bytes) {
        if let Ok(line) = std::str::from_utf8(&bytes[start..end]) {
            let amount = line.strip_prefix("<TRNAMT>").or_else(|| line.rsplit(',').nth(1));
            if let Some((whole, cents)) = amount.and_then(|amount| amount.split_once('.')) {
                let whole: i64 = whole.parse().unwrap_or(0);
                sum = sum.wrapping_add(whole * 100 + cents.parse::<i64>().unwrap_or(0));
            }
        }
        start = end + 1;
    }
    sum
}

fn files() -> [(&'static str, Vec<u8>); 6] {
    [
        ("ofx", ofx()),
        ("camt", camt()),
        ("csv", table()),
        ("csv-comma", comma_table()),
        ("mt940", mt940()),
        ("qif", register()),
    ]
}

fn readers(criterion: &mut Criterion) {
    for (name, bytes) in files() {
        let plan = plan(&bytes);
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(ROWS)).sample_size(20);
        group.bench_function("read", |bencher| bencher.iter(|| parse(black_box(&bytes), &plan)));
        group.bench_function("floor", |bencher| bencher.iter(|| floor(black_box(&bytes))));
        group.finish();
    }
}

/// The best of several turns, reader and floor by turns so that both meet the same machine.
fn summary() {
    for (name, bytes) in files() {
        let plan = plan(&bytes);
        let (mut reader, mut least) = (Duration::MAX, Duration::MAX);
        for _ in 0..15 {
            let start = Instant::now();
            black_box(parse(black_box(&bytes), &plan));
            reader = reader.min(start.elapsed());
            let start = Instant::now();
            black_box(floor(black_box(&bytes)));
            least = least.min(start.elapsed());
        }
        // Whole numbers throughout: no float belongs in this crate.
        let rows_per_second = u128::from(ROWS) * 1_000_000_000 / reader.as_nanos();
        let megabytes_per_second = bytes.len() as u128 * 1000 / reader.as_nanos();
        let tenths = reader.as_nanos() * 10 / least.as_nanos().max(1);
        println!(
            "{name}: {rows_per_second} rows/s, {megabytes_per_second} MB/s, {}.{} times the bare line scan",
            tenths / 10,
            tenths % 10
        );
    }
}

criterion_group!(benches, readers);

fn main() {
    // `cargo test --benches` passes no `--bench`: nothing is measured then.
    if std::env::args().any(|argument| argument == "--bench") {
        benches();
        Criterion::default().configure_from_args().final_summary();
        summary();
    }
}
