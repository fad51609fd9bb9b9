//! Bank files to import.

/// The number that is nowhere to be found afterwards.
pub const NUMBER: &str = "DE00999000000012345678";

/// A checking account in OFX 1.x with these rows: day of January 2026, amount, FITID, name.
pub fn ofx(rows: &[(u32, &str, &str, &str)]) -> String {
    statement(NUMBER, rows.iter().map(|(day, amount, id, name)| row(*day, amount, id, name)).collect())
}

/// The same with many rows that are all different.
pub fn long_ofx(rows: usize) -> String {
    pieces_of_long_ofx(rows).collect()
}

/// The same, piece by piece, so that nobody has to hold all of it.
pub fn pieces_of_long_ofx(rows: usize) -> impl Iterator<Item = String> {
    let whole = statement(NUMBER, vec!["|".to_owned()]);
    let (before, after) = whole.split_once('|').unwrap();
    let (before, after) = (before.to_owned(), after.to_owned());
    let numbered = |n: usize| {
        let name = format!("Payee number {n} of the many in this file");
        row(n as u32 % 28 + 1, &format!("-{}.25", n % 5000 + 1), &format!("id{n}"), &name)
    };
    let piece = move |from: usize| (from..rows.min(from + 500)).map(numbered).collect();
    std::iter::once(before).chain((0..rows).step_by(500).map(piece)).chain(std::iter::once(after))
}

pub fn statement(number: &str, rows: Vec<String>) -> String {
    format!(
        "OFXHEADER:100\r\nDATA:OFXSGML\r\nVERSION:102\r\nSECURITY:NONE\r\nENCODING:USASCII\r\nCHARSET:1252\r\n\
         COMPRESSION:NONE\r\nOLDFILEUID:NONE\r\nNEWFILEUID:NONE\r\n\r\n<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0\
         <SEVERITY>INFO</STATUS><DTSERVER>20260201<LANGUAGE>ENG</SONRS></SIGNONMSGSRSV1><BANKMSGSRSV1>{}\
         </BANKMSGSRSV1></OFX>\r\n",
        account(number, rows)
    )
}

/// Two accounts in one file.
pub fn two_accounts() -> String {
    let one = account(NUMBER, vec![row(3, "-1.00", "a", "Baker")]);
    let other = account("DE00999000000087654321", vec![row(3, "-2.00", "b", "Butcher")]);
    statement(NUMBER, vec![]).replace(&account(NUMBER, vec![]), &format!("{one}{other}"))
}

fn account(number: &str, rows: Vec<String>) -> String {
    format!(
        "<STMTTRNRS><TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS><STMTRS><CURDEF>EUR<BANKACCTFROM><BANKID>99900000\
         <ACCTID>{number}<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST><DTSTART>20260101<DTEND>20260131\r\n{}\
         </BANKTRANLIST></STMTRS></STMTTRNRS>",
        rows.concat()
    )
}

fn row(day: u32, amount: &str, id: &str, name: &str) -> String {
    format!(
        "<STMTTRN><TRNTYPE>OTHER<DTPOSTED>202601{day:02}<TRNAMT>{amount}<FITID>{id}<NAME>{name}</STMTTRN>\r\n"
    )
}

/// An investment account with a purchase, reinvested income, a holding and the list that names the security.
pub fn investments() -> String {
    let security = "<SECID><UNIQUEID>000000001<UNIQUEIDTYPE>CUSIP</SECID>";
    format!(
        "OFXHEADER:100\r\nDATA:OFXSGML\r\nENCODING:USASCII\r\nCHARSET:1252\r\n\r\n<OFX><INVSTMTMSGSRSV1><INVSTMTTRNRS>\
         <INVSTMTRS><DTASOF>20260131<CURDEF>USD<INVACCTFROM><BROKERID>broker.example<ACCTID>{NUMBER}</INVACCTFROM>\
         <INVTRANLIST><DTSTART>20260101<DTEND>20260131\r\n\
         <BUYSTOCK><INVBUY><INVTRAN><FITID>a<DTTRADE>20260105</INVTRAN>{security}<UNITS>10<UNITPRICE>19.25\
         <COMMISSION>7.50<TOTAL>-200.00</INVBUY><BUYTYPE>BUY</BUYSTOCK>\r\n\
         <REINVEST><INVTRAN><FITID>b<DTTRADE>20260106</INVTRAN>{security}<INCOMETYPE>DIV<TOTAL>-5.00<UNITS>0.25\
         <UNITPRICE>20</REINVEST></INVTRANLIST><INVPOSLIST><POSSTOCK><INVPOS>{security}<UNITS>10.25<UNITPRICE>20\
         <MKTVAL>205.00</INVPOS></POSSTOCK></INVPOSLIST><INVBAL><AVAILCASH>50.00</INVBAL></INVSTMTRS></INVSTMTTRNRS>\
         </INVSTMTMSGSRSV1><SECLISTMSGSRSV1><SECLIST><STOCKINFO><SECINFO>{security}<SECNAME>Acme Widgets<TICKER>ACME\
         </SECINFO></STOCKINFO></SECLIST></SECLISTMSGSRSV1></OFX>\r\n"
    )
}
