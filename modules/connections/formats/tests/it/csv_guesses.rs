//! Tables of banks that no layout is known for: which column means what.

use crate::support::{Collected, file};

fn read(table: &str) -> Collected {
    file(table).currency("EUR").read().unwrap_or_else(|error| panic!("{error}: {table:.500}"))
}


#[test]
fn regression_the_text_of_a_row_is_found_under_any_name_and_never_in_an_empty_column() {
    for table in [
        "Date,Narration,Debit Amount,Credit Amount,Ref\n15/01/2025,shop and more,1.00,,77\n",
        "Data Contabile;Addebiti (euro);Accrediti (euro);Wording of it;Ref\n15/01/2025;1,00;;shop and more;X7\n",
        "Datum;Buchungstext;Belastung CHF;Gutschrift CHF;Details\n15.01.2025;shop and more;1.00;;\n",
        "Datum;Bewegungstyp;Avisierungstext;Gutschrift in CHF;Lastschrift in CHF\n15.01.2025;x;shop and more;;-1.00\n",
        "15.01.2025;shop and more;15.01.2025;-1,00;EUR;15.01.2025 10:11:12:123\n16.01.2025;b;16.01.2025;-1,00;EUR;16.01.2025 10:11:12:123\n",
        "Date, Type, Description, Value, Balance\n15 Jan 2025,POS,shop and more,-1.00,9.00\n",
    ] {
        let collected = read(table);
        let row = collected.rows().next().unwrap();
        assert_eq!((row.name.as_deref(), row.amount.minor()), (Some("shop and more"), -100), "{table}");
    }
}
