//! A network that fails on purpose, by a plan with a seed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use service_registry::policy::{BreakerRules, Policy, RetryRules};
use service_registry::testing::{Fault, FaultPlan, FaultProxy};
use service_registry::{CallContext, CallError, ServiceClient};

use crate::bindings::{Fault as ServerFault, Server, client};
use crate::probe::{Probe, ProbeError, ProbeService};

struct Shaky {
    probe: Arc<ProbeService>,
    proxy: FaultProxy,
    client: ServiceClient<dyn Probe>,
    _server: Server,
}

/// A probe behind a proxy; neither breaker nor budget hides what the plan does.
async fn shaky(plan: FaultPlan) -> Shaky {
    let probe = Arc::new(ProbeService::default());
    let server = Server::start(probe.clone(), ServerFault::None);
    let address = server.url.trim_start_matches("http://").parse().unwrap();
    let proxy = FaultProxy::start(address, plan).await.unwrap();
    let policy = Policy {
        breaker: BreakerRules {
            failures_in_a_row: u32::MAX,
            least_calls: u32::MAX,
            ..BreakerRules::default()
        },
        retry: RetryRules { percent: 100, floor_per_s: 100 },
        ..Policy::default()
    };
    let client = client(&[proxy.url()], &policy, &server.tester);
    Shaky { probe, proxy, client, _server: server }
}

/// The handshake is no call, and is left alone.
fn calls(plan: FaultPlan) -> FaultPlan {
    plan.only("POST")
}

fn always(fault: Fault) -> FaultPlan {
    calls(FaultPlan::seeded(1).with(fault, 1.0))
}

#[tokio::test]
async fn without_faults_the_proxy_changes_nothing() {
    let shaky = shaky(calls(FaultPlan::seeded(1))).await;
    assert_eq!(shaky.client.nothing(&CallContext::root()).await, Ok(()));
    assert_eq!((shaky.proxy.requests(), shaky.proxy.failed()), (1, 0));
}

#[tokio::test]
async fn each_fault_is_what_its_name_says() {
    let unavailable = Err(ProbeError::Call(CallError::unavailable("probe")));
    for (fault, attempts, executions) in [
        (Fault::DropBefore, 3, 0),
        (Fault::DropAfter, 3, 3),
        (Fault::ResetMidAnswer, 3, 3),
        (Fault::Status(503), 3, 0),
    ] {
        let shaky = shaky(always(fault)).await;
        assert_eq!(shaky.client.nothing(&CallContext::root()).await, unavailable, "{fault:?}");
        assert_eq!((shaky.proxy.requests(), shaky.probe.executions()), (attempts, executions), "{fault:?}");
    }
}

#[tokio::test]
async fn slow_networks_are_bounded_by_the_deadline() {
    let late = Err(ProbeError::Call(CallError::deadline_exceeded("probe", "nothing")));
    for fault in
        [Fault::BlackHole, Fault::Delay(Duration::from_secs(60)), Fault::SlowDrip(Duration::from_secs(1))]
    {
        let shaky = shaky(always(fault)).await;
        let started = Instant::now();
        let short = CallContext::root().with_remaining(Duration::from_millis(150));
        assert_eq!(shaky.client.nothing(&short).await, late, "{fault:?}");
        assert!(started.elapsed() < Duration::from_secs(2), "{fault:?}");
    }
}

#[tokio::test]
async fn what_acts_once_is_sent_again_only_if_its_receiver_knows_repeats() {
    let shaky = shaky(always(Fault::ResetMidAnswer)).await;
    assert!(shaky.client.increment(&CallContext::root()).await.is_err());
    assert_eq!((shaky.proxy.requests(), shaky.probe.executions()), (1, 1));
    assert!(shaky.client.make_row(&CallContext::root()).await.is_err());
    assert_eq!((shaky.proxy.requests(), shaky.probe.rows.lock().unwrap().len()), (4, 1));
}

/// Drill 3: of every ten answers one is lost after the work was done. Gives the calls that succeeded and the rows.
async fn drill_3(plan: FaultPlan) -> (usize, usize) {
    let plan = plan.with(Fault::DropAfter, 0.05).with(Fault::ResetMidAnswer, 0.05).only("/make_row");
    let shaky = shaky(plan).await;
    let mut succeeded = 0;
    for _ in 0..300 {
        succeeded += usize::from(shaky.client.make_row(&CallContext::root()).await.is_ok());
    }
    assert!((20..60).contains(&shaky.proxy.failed()), "{} answers were lost", shaky.proxy.failed());
    let rows = shaky.probe.rows.lock().unwrap().len();
    (succeeded, rows)
}

#[tokio::test]
async fn drill_3_rows_are_exactly_the_calls_that_succeeded_though_answers_are_lost() {
    assert_eq!(drill_3(FaultPlan::seeded(7)).await, (300, 300));
}

#[tokio::test]
async fn drill_3_fails_where_repeats_are_not_known() {
    let (succeeded, rows) = drill_3(FaultPlan::seeded(7).as_strangers()).await;
    assert!(rows > succeeded, "{rows} rows for {succeeded} calls");
}
