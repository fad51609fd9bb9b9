//! What an operator sees of all processes together.

use std::process::Command;

use super::{Installation, Process};

/// A call of a sampled trace, as the log of one process tells it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// `service.method`.
    pub call: String,
    pub binding: String,
    pub traceparent: String,
}

impl Span {
    /// Of a line such as `INFO call{service="ledger" method="stage" …}: …: close time.busy=…`.
    fn of(line: &str) -> Option<Self> {
        let (spans, _) = line.split_once(": close time.busy=")?;
        let (_, fields) = spans.rsplit_once("call{")?;
        let field = |name: &str| {
            let (_, value) = fields.split_once(&format!("{name}="))?;
            Some(value.split([' ', '}']).next()?.trim_matches('"').to_owned())
        };
        let call = format!("{}.{}", field("service")?, field("method")?);
        Some(Self { call, binding: field("binding")?, traceparent: field("traceparent")? })
    }
}

impl Installation {
    /// The calls of the trace with this id, as all processes have logged them.
    pub fn spans(&self, trace_id: &str) -> Vec<Span> {
        let logs = self.processes.iter().map(Process::log_text).collect::<String>();
        logs.lines().filter_map(Span::of).filter(|span| span.traceparent.contains(trace_id)).collect()
    }

    /// What `tributary topology` prints of all processes.
    #[track_caller]
    pub fn topology(&self, format: &[&str]) -> String {
        let at = self.processes.iter().map(|process| format!("--at=http://{}", process.private()));
        let output = Command::new(env!("CARGO_BIN_EXE_tributary"))
            .env_clear()
            .args(["topology", "--data-dir"])
            .arg(self.directory.path())
            .args(at)
            .args(format)
            .output()
            .expect("the binary can be run");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "topology {format:?}: {said}");
        String::from_utf8(output.stdout).expect("it prints UTF-8")
    }
}
