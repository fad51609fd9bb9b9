//! What an operator does: moves services by the command line, and looks at metrics.

use std::process::{Command, Output};

use serde_json::Value;

use super::{Client, Installation, Process};

impl Installation {
    /// Runs `tributary placement …` against the process at `index`.
    pub fn placement(&self, index: usize, words: &str) -> Output {
        let at = format!("http://{}", self.processes[index].private());
        Command::new(env!("CARGO_BIN_EXE_tributary"))
            .env_clear()
            .arg("placement")
            .args(words.split(' '))
            .args(["--at", &at, "--data-dir"])
            .arg(self.directory.path())
            .output()
            .expect("the binary can be run")
    }

    /// The same where it has to work; gives what it printed as JSON.
    #[track_caller]
    pub fn placed(&self, index: usize, words: &str) -> Value {
        let output = self.placement(index, &format!("{words} --json"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "placement {words}: {said}");
        serde_json::from_slice(&output.stdout).expect("JSON was asked for")
    }
}

/// The sum of all counts of `name` in a process whose labels hold each of `labels`.
pub async fn metric(process: &Process, name: &str, labels: &[&str]) -> f64 {
    let text = Client::new(process.private()).get("/metrics").await.text;
    let named = text.lines().filter(|line| line.split(['{', ' ']).next() == Some(name));
    let matching = named.filter(|line| labels.iter().all(|label| line.contains(label)));
    matching.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}
