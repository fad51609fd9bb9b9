//! Public requests, which are no calls and yet go from a gateway to a service.

use std::sync::Arc;
use std::time::Duration;

use super::{Edges, Tally};
use crate::binding::Kind;

/// The name of these edges in place of a method's.
const REQUEST: &str = "request";
/// They are of no version.
pub(super) const VERSION: u32 = 0;

/// The public requests to one service that a gateway answers here or passes on: an edge like any other.
pub struct Requests(Arc<Edges>);

impl Requests {
    pub(super) fn new(edges: Arc<Edges>) -> Self {
        Self(edges)
    }

    pub(super) fn edges(caller: &str, service: &'static str) -> Arc<Edges> {
        Edges::new(caller, service, VERSION, vec![(REQUEST, true)])
    }

    /// Counts a request that was answered in this process, or passed on, and the kind of its failure if it failed.
    pub fn count(&self, passed_on: bool, took: Duration, failure: Option<&'static str>) {
        let edge = self.0.edge(0, if passed_on { Kind::Remote } else { Kind::Local });
        edge.begin();
        edge.end(took);
        if let Some(kind) = failure {
            edge.count_error(kind);
        }
    }

    /// Where those that are passed on again are counted.
    pub fn retries(&self) -> Tally {
        self.0.edge(0, Kind::Remote).retries().clone()
    }
}
