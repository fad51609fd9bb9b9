//! What an operator sees of all processes together.

use std::process::Command;

use super::Installation;

impl Installation {
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
