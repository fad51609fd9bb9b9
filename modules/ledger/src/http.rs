//! Door 1: public routes.

mod accounts;
mod exports;
mod transactions;

use std::sync::Arc;

use actix_web::web::Data;
use ledger_api::Ledger;
use platform::Routes;
use service_registry::ServiceClient;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::export::Exports;

type Client = Data<ServiceClient<dyn Ledger>>;

/// The public routes of the ledger, to be described and not called.
pub fn described() -> Routes {
    routes(ServiceClient::unbound(), None)
}

/// The public routes of the ledger over any client of it; files are written where its database is.
pub(crate) fn routes(ledger: ServiceClient<dyn Ledger>, exports: Option<Exports>) -> Routes {
    let ledger = Client::new(ledger);
    let exports = exports.map(Data::new);
    Arc::new(move |routes| mount(routes, &ledger, exports.as_ref()))
}

fn mount(routes: &mut ServiceConfig, ledger: &Client, exports: Option<&Data<Exports>>) {
    if let Some(exports) = exports {
        routes.app_data(Data::clone(exports));
    }
    routes
        .app_data(Data::clone(ledger))
        .service(accounts::list_accounts)
        .service(accounts::create_account)
        .service(accounts::account)
        .service(accounts::update_account)
        .service(accounts::account_balance_snapshots)
        .service(accounts::balance_snapshots)
        .service(transactions::account_transactions)
        .service(transactions::list_transactions)
        .service(transactions::transaction)
        .service(transactions::update_transaction)
        .service(transactions::changes)
        .service(exports::csv)
        .service(exports::ofx)
        .service(exports::qif)
        .service(exports::beancount)
        .service(exports::hledger)
        .service(exports::json);
}
