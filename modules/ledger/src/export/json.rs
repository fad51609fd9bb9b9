//! JSON: everything that the API shows of accounts, transactions and stated balances, in its own words.

use ledger_api::{Account, BalanceSnapshot};

use super::sheet::{Balances, Entry, Sheet, Writer};

/// `{"format":"tributary-ledger","version":1,"accounts":[{"account":…,"transactions":[…],"balances":[…]}]}`
#[derive(Default)]
pub(super) struct Json {
    /// Something stands in the innermost list, so that a comma goes before the next.
    has_account: bool,
    has_row: bool,
    in_balances: bool,
}

impl Json {
    fn separate(&mut self, out: &mut String) {
        out.push_str(if std::mem::replace(&mut self.has_row, true) { ",\n" } else { "\n" });
    }

    fn begin_balances(&mut self, out: &mut String) {
        if !std::mem::replace(&mut self.in_balances, true) {
            self.has_row = false;
            out.push_str("],\n\"balances\":[");
        }
    }
}

impl Writer for Json {
    fn balances(&self) -> Balances {
        Balances::AfterRows
    }

    fn takes_pending(&self) -> bool {
        true
    }

    fn begin(&mut self, out: &mut String, _: &[Account]) {
        out.push_str("{\"format\":\"tributary-ledger\",\"version\":1,\"accounts\":[");
    }

    fn begin_account(&mut self, out: &mut String, sheet: &Sheet) {
        out.push_str(if std::mem::replace(&mut self.has_account, true) { ",\n" } else { "\n" });
        (self.has_row, self.in_balances) = (false, false);
        out.push_str("{\"account\":");
        push(out, &sheet.account);
        out.push_str(",\n\"transactions\":[");
    }

    fn row(&mut self, out: &mut String, _: &Sheet, entry: Entry<'_>) {
        self.separate(out);
        push(out, entry.transaction);
    }

    fn snapshot(&mut self, out: &mut String, snapshot: &BalanceSnapshot) {
        self.begin_balances(out);
        self.separate(out);
        push(out, snapshot);
    }

    fn end_account(&mut self, out: &mut String, _: &Sheet) {
        self.begin_balances(out);
        out.push_str("]}");
    }

    fn end(&mut self, out: &mut String) {
        out.push_str("]}\n");
    }
}

fn push(out: &mut String, value: &impl serde::Serialize) {
    out.push_str(&serde_json::to_string(value).expect("our own types have text keys and no failing parts"));
}
