use super::Column;

/// What a column of a table can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Meaning {
    Date,
    TransactionDate,
    Amount,
    Debit,
    Credit,
    Direction,
    Name,
    Memo,
    Id,
    CheckNumber,
    Balance,
    Currency,
    Account,
}

/// Column names as banks write them, in their `normal` form, the surest first.
#[rustfmt::skip] // A table, not code: a line for each name would hide it.
const NAMES: [(Meaning, &[&str]); 13] = [
    (Meaning::Date, &[
        "posting date", "posted date", "post date", "date posted", "booking date", "buchungstag",
        "buchungsdatum", "buchung", "date comptable", "date operation", "date de l operation",
        "fecha contable", "fecha operacion", "fecha de operacion", "data contabile", "data operazione",
        "boekdatum", "boekingsdatum", "bokforingsdag", "completed date", "datum", "date", "fecha", "data",
        "dato", "txn date", "tran date", "date de comptabilisation", "value date", "settlement date",
        "valutadatum", "valuta", "wertstellung", "wertstellungstag",
        "date valeur", "date de valeur", "fecha valor", "data valuta", "rentedatum", "transaction date",
        "trans date", "datetime", "time", "day",
    ]),
    (Meaning::TransactionDate, &[
        "transaction date", "trans date", "purchase date", "date of transaction", "started date",
        "transaktionsdatum", "kaufdatum", "belegdatum", "date achat", "date de transaction",
        "fecha transaccion", "transactiedatum",
    ]),
    (Meaning::Amount, &[
        "net amount", "amount", "transaction amount", "betrag", "umsatz", "umsatz in eur", "montant",
        "importe", "importo", "bedrag", "valor", "belopp", "belop", "belob", "kwota",
        "amount in account currency", "amt", "summe", "sum", "total", "value",
    ]),
    (Meaning::Debit, &[
        "debit", "debit amount", "withdrawal", "withdrawals", "withdrawal amount", "paid out", "money out",
        "amount debit", "soll", "ausgang", "ausgabe", "ausgaben", "belastung", "lastschrift", "debito",
        "cargo", "cargos", "addebiti", "uscite", "dare", "out", "spent", "payments out", "funds out", "outflow",
        "withdrawal amt", "debit euros", "debet", "af",
    ]),
    (Meaning::Credit, &[
        "credit", "credit amount", "deposit", "deposits", "deposit amount", "paid in", "money in",
        "amount credit", "haben", "eingang", "einnahme", "einnahmen", "gutschrift", "credito", "abono",
        "abonos", "accrediti", "entrate", "avere", "in", "received", "payments in", "funds in", "inflow",
        "deposit amt", "credit euros", "bij",
    ]),
    (Meaning::Direction, &[
        "debit credit", "credit debit", "dr cr", "cr dr", "d c", "soll haben", "s h", "af bij", "af of bij",
        "bij af", "in out", "creditdebet", "credit debet", "debet credit", "soll haben kennzeichen",
        "credit debit indicator", "debit credit indicator", "direction", "sens", "transaction type", "type",
        "type of transaction", "tipo", "art", "kennzeichen", "sign",
    ]),
    (Meaning::Name, &[
        "payee", "merchant", "merchant name", "counterparty", "counterparty name", "beneficiary", "name",
        "name of sender receiver",
        "empfanger", "empfaenger", "empfaenger 1", "auftraggeber empfanger", "sender empfanger",
        "begunstigter auftraggeber", "beguenstigter auftraggeber", "beguenstigter zahlungspflichtiger",
        "begunstigter zahlungspflichtiger", "zahlungsempfanger", "name zahlungsbeteiligter", "partner",
        "partner name", "partnername", "tegenpartij", "naam tegenpartij", "naam tegenpartij bevat",
        "naam omschrijving", "naam", "tiers",
        "beneficiaire", "beneficiario", "description", "transaction description", "details",
        "transaction details", "narrative", "narration", "avisierungstext", "tekst", "rubrik", "beschreibung",
        "bezeichnung", "libelle", "libelle operation", "libelle simplifie", "concepto", "descripcion",
        "descrizione", "descrizione operazioni", "causale", "omschrijving", "descricao", "lancamento",
        "buchungstext", "text",
        "verwendungszweck", "reference", "memo",
    ]),
    (Meaning::Memo, &[
        "memo", "notes", "note", "verwendungszweck", "mededelingen", "communication", "observaciones",
        "remarks", "description", "details", "extended details", "particulars", "omschrijving",
        "buchungstext", "reference", "concepto", "libelle", "type", "transaction type",
    ]),
    (Meaning::Id, &[
        "transaction id", "transaction number", "reference number", "id", "unique id", "fitid",
        "transaktions id", "transaktionsnummer", "referenznummer", "volgnr", "archivreferenz",
    ]),
    (Meaning::CheckNumber, &[
        "check number", "check no", "check", "cheque number", "cheque no", "check or slip", "check #",
        "scheck",
    ]),
    (Meaning::Balance, &[
        "balance", "running balance", "running bal", "available balance", "account balance", "saldo",
        "kontostand", "saldo nach buchung", "solde", "saldo na mutatie", "saldo na trn", "saldo contable",
        "balance after",
    ]),
    (Meaning::Currency, &[
        "currency", "currency code", "ccy", "wahrung", "waehrung", "devise", "divisa", "moneda", "valuta",
        "munt", "muntsoort", "moeda",
    ]),
    (Meaning::Account, &[
        "account", "account number", "account no", "account id", "iban", "konto", "kontonummer",
        "auftragskonto", "iban auftragskonto", "rekening", "rekeningnummer", "compte", "numero de compte",
        "cuenta", "conto", "own account",
    ]),
];

/// A column name without what differs between files of one bank: case, accents, punctuation, and words in
/// brackets.
pub(super) fn normal(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut depth = 0u32;
    for c in name.trim_matches(['\u{feff}', ' ', '"']).chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            '#' => out.push('#'),
            c if c.is_alphanumeric() => out.extend(c.to_lowercase().map(without_accent)),
            _ if out.ends_with(' ') => {}
            _ => out.push(' '),
        }
    }
    out.trim().to_owned()
}

/// Banks leave accents out as often as not.
fn without_accent(c: char) -> char {
    match c {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'ç' => 'c',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ñ' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' => 'o',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        c => c,
    }
}

/// The columns of a header that may hold `meaning`, the surest first. A trailing currency code does not matter.
pub(super) fn candidates(header: &[String], meaning: Meaning) -> Vec<usize> {
    let names = NAMES.iter().find(|(known, _)| *known == meaning).map_or(&[][..], |(_, names)| *names);
    let rank = |name: &str| {
        let bare = without_currency(name);
        names.iter().position(|known| *known == name || bare == Some(known))
    };
    let mut found: Vec<_> =
        header.iter().enumerate().filter_map(|(index, name)| Some((rank(&normal(name))?, index))).collect();
    found.sort_unstable();
    found.into_iter().map(|(_, index)| index).collect()
}

/// `betrag` of `betrag eur` and of `betrag in eur`; `None` if no currency is at the end.
fn without_currency(name: &str) -> Option<&str> {
    let (bare, _) = name.rsplit_once(' ').filter(|(_, last)| kernel::Currency::parse(last).is_ok())?;
    Some(bare.strip_suffix(" in").unwrap_or(bare))
}

/// Whether a column of this name holds something that we know.
pub(super) fn is_known(name: &str) -> bool {
    let name = normal(name);
    let bare = without_currency(&name);
    NAMES.iter().any(|(_, names)| names.iter().any(|known| *known == name || bare == Some(known)))
}

/// How many columns of a record carry names that we know.
pub(super) fn known_names(record: &[String]) -> usize {
    record.iter().filter(|name| is_known(name)).count()
}

/// Where the header has the column; a name counts if its normal form is the same.
pub(super) fn position(header: &[String], column: &Column) -> Option<usize> {
    match column {
        Column::Index(index) => Some(*index),
        Column::Name(name) => {
            let exact = header.iter().position(|other| other.trim() == name.trim());
            exact.or_else(|| header.iter().position(|other| normal(other) == normal(name)))
        }
    }
}

/// A short name for a header row (FNV-1a, 64 bits, hexadecimal): equal for files of one bank and kind. It finds
/// a saved profile; nothing relies on it being hard to forge.
pub(super) fn fingerprint(header: &[String], delimiter: char) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    for name in header {
        normal(name).bytes().for_each(&mut add);
        add(0);
    }
    delimiter.to_string().bytes().for_each(&mut add);
    format!("{hash:016x}")
}
