//! Calls one after another, and 64 at a time.

use std::future::Future;
use std::time::{Duration, Instant};

const SEQUENTIAL: usize = 200;
const CONCURRENT: usize = 64;

/// Microseconds of each call.
pub async fn sequential<F: Future<Output = bool>>(call: &impl Fn() -> F) -> Vec<f64> {
    let mut took = Vec::with_capacity(SEQUENTIAL);
    for _ in 0..SEQUENTIAL {
        let started = Instant::now();
        assert!(call().await);
        took.push(started.elapsed().as_nanos() as f64 / 1000.0);
    }
    took
}

/// Processor time of this process, and the calls it was spent on.
#[derive(Default)]
pub struct Spent {
    ticks: u64,
    calls: usize,
}

impl Spent {
    /// Runs a window, adds its calls and its time, and answers with its calls per second.
    pub async fn during(&mut self, window: impl Future<Output = (usize, Duration)>) -> f64 {
        let before = ticks();
        let (calls, took) = window.await;
        self.ticks += ticks() - before;
        self.calls += calls;
        calls as f64 / took.as_secs_f64()
    }

    /// Microseconds; a tick is ten milliseconds on Linux.
    pub fn per_call(&self) -> f64 {
        self.ticks as f64 * 10_000.0 / self.calls as f64
    }
}

/// User and system time from proc(5), fields 14 and 15 of `stat`; zero where there is no such file.
fn ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    after_name.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
}

/// Calls made by 64 callers at once, and how long that took.
pub async fn concurrent<F: Future<Output = bool> + Send + 'static>(call: &impl Fn() -> F) -> (usize, Duration)
where
    F::Output: Send,
{
    const WINDOW: Duration = Duration::from_millis(120);
    let started = Instant::now();
    let mut done = 0_usize;
    let mut running: tokio::task::JoinSet<bool> = (0..CONCURRENT).map(|_| call()).collect();
    while let Some(answered) = running.join_next().await {
        assert!(answered.expect("no caller panics"));
        done += 1;
        if started.elapsed() < WINDOW {
            running.spawn(call());
        }
    }
    (done, started.elapsed())
}
