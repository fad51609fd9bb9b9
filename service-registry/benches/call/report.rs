//! Collects what was measured and judges it.

/// Lines for the reader, and whether every target was met.
pub struct Report {
    missed: Vec<String>,
}

impl Report {
    pub fn new() -> Self {
        Self::beside(["bare", "ours"])
    }

    /// A report that calls the two sides so.
    pub fn beside([floor, other]: [&str; 2]) -> Self {
        println!("{:<58} {floor:>12} {other:>12} {:>9}  target", "", "ratio");
        Self { missed: Vec::new() }
    }

    /// For the reader, without a target.
    pub fn told(&mut self, what: &str, unit: &str, bare: f64, ours: f64) {
        self.line(what, unit, [bare, ours], "none", true);
    }

    /// `ours` may be at most `target` times `bare`.
    pub fn at_most(&mut self, what: &str, unit: &str, bare: f64, ours: f64, target: f64) {
        self.line(what, unit, [bare, ours], &format!("≤ {target}"), ours <= target * bare);
    }

    /// `ours` must be at least `target` times `bare`.
    pub fn at_least(&mut self, what: &str, unit: &str, bare: f64, ours: f64, target: f64) {
        self.line(what, unit, [bare, ours], &format!("≥ {target}"), ours >= target * bare);
    }

    /// `ours` must stay under a number of its own.
    pub fn under(&mut self, what: &str, unit: &str, bare: f64, ours: f64, limit: f64) {
        self.line(what, unit, [bare, ours], &format!("≤ {limit} {unit}"), ours <= limit);
    }

    fn line(&mut self, what: &str, unit: &str, [bare, ours]: [f64; 2], target: &str, met: bool) {
        let (ratio, verdict) = (ours / bare, if met { "ok" } else { "MISSED" });
        println!("{what:<58} {bare:>9.1} {unit} {ours:>9.1} {unit} {ratio:>8.2}×  {target} {verdict}");
        if !met {
            self.missed.push(what.to_owned());
        }
    }

    /// Ends the process with 1 if a target was missed.
    pub fn finish(self) {
        if !self.missed.is_empty() {
            eprintln!("missed: {}", self.missed.join(", "));
            std::process::exit(1);
        }
    }
}

/// The value below which `share` of the samples lie.
pub fn quantile(samples: &mut [f64], share: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let last = samples.len() - 1;
    samples[((last as f64) * share).round() as usize]
}

/// The middle one.
pub fn median(samples: &mut [f64]) -> f64 {
    quantile(samples, 0.5)
}

/// What a measurement is when nothing else disturbs the machine.
pub fn quiet(samples: &mut [f64]) -> f64 {
    quantile(samples, 0.1)
}
