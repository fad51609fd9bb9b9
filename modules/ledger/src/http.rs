//! Door 1: public routes.

mod accounts;
mod transactions;

use std::sync::Arc;

use actix_web::web::Data;
use ledger_api::Ledger;
use platform::Routes;
use service_registry::ServiceClient;
use utoipa_actix_web::service_config::ServiceConfig;

type Client = Data<ServiceClient<dyn Ledger>>;

/// The public routes of the ledger over any client of it.
pub fn routes(ledger: ServiceClient<dyn Ledger>) -> Routes {
    let ledger = Client::new(ledger);
    Arc::new(move |routes| mount(routes, &ledger))
}

fn mount(routes: &mut ServiceConfig, ledger: &Client) {
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
        .service(transactions::changes);
}
