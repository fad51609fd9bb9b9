use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use super::certificates::Certificates;
use super::client::patiently;
use super::{Answer, Authority, Client, Part};

const NOT_STARTED: &str = "the process was started";
/// How long to give an address that somebody else happens to use right now.
const RETRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(10);

/// One process of the real binary; killed when dropped.
pub struct Process {
    mode: &'static str,
    modules: &'static [&'static str],
    common: Vec<String>,
    private: SocketAddr,
    /// Chosen by the system at the first start, and kept at the next: clients know it by then.
    public: Option<SocketAddr>,
    announcement: PathBuf,
    log: PathBuf,
    certificates: Option<Certificates>,
    socket: Option<PathBuf>,
    child: Option<Child>,
    killed: bool,
}

/// Addresses that are free right now. Each is asked for while the others are held, so all differ.
pub(super) fn free_addresses(count: usize) -> Vec<SocketAddr> {
    let bind = |_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the system has a free port");
    let held: Vec<_> = (0..count).map(bind).collect();
    held.iter().map(|listener| listener.local_addr().expect("a bound listener has an address")).collect()
}

impl Process {
    pub(super) fn new(
        (mode, modules): Part,
        private: SocketAddr,
        common: &[String],
        directory: &Path,
    ) -> Self {
        let file = |kind: &str| directory.join(format!("{}.{kind}", modules.join("-")));
        let (announcement, log) = (file("announcement"), file("log"));
        Self {
            mode,
            modules,
            common: common.to_vec(),
            private,
            public: None,
            announcement,
            log,
            certificates: None,
            socket: None,
            child: None,
            killed: false,
        }
    }

    /// The same with certificates that `authority` signed.
    pub(super) fn certified(mut self, directory: &Path, authority: &Authority) -> Self {
        let certificates = Certificates::below(directory, self.modules);
        certificates.believe(&[authority]);
        certificates.issue(authority);
        self.common.extend(certificates.settings());
        self.certificates = Some(certificates);
        self
    }

    /// The same with a Unix socket for its private listener.
    pub(super) fn listening_at(mut self, socket: PathBuf) -> Self {
        self.common.push(format!("--set=private.socket={}", socket.display()));
        self.socket = Some(socket);
        self
    }

    /// Where its private listener answers too.
    pub fn socket(&self) -> &Path {
        self.socket.as_deref().expect("calls go over sockets here")
    }

    pub fn runs(&self, module: &str) -> bool {
        self.modules.contains(&module)
    }

    pub fn public(&self) -> Option<SocketAddr> {
        self.public
    }

    pub fn private(&self) -> SocketAddr {
        self.private
    }

    /// The most memory it ever had, where the system tells (`proc(5)`, `VmHWM`).
    pub fn peak_memory_kib(&self) -> Option<u64> {
        let id = self.child.as_ref().expect(NOT_STARTED).id();
        let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().trim_end_matches(" kB").parse().ok()
    }

    /// Whether it was started and has not ended in a way that somebody waited for.
    pub(super) fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// Starts it, or starts it again where it was; returns when it listens.
    pub async fn start(&mut self) {
        for _ in 0..RETRIES {
            self.child = Some(self.spawn());
            match self.until_announced().await {
                Ok(()) => return,
                // Another process was given our port in the moment between choosing it and taking it.
                Err(_) if self.log_text().contains("cannot listen on") => sleep(PAUSE * 50).await,
                Err(status) => panic!("{} ended at its start with {status}", self.name()),
            }
        }
        panic!("{} found no free address", self.name());
    }

    /// Starts it again, and waits until it is of use.
    pub async fn restart(&mut self) {
        self.start().await;
        self.until_ready().await;
    }

    fn spawn(&self) -> Child {
        // What an earlier run of the process said of itself.
        let _ = fs::remove_file(&self.announcement);
        let log = File::options().create(true).append(true).open(&self.log).expect("a log can be written");
        let public = self.public.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        Command::new(env!("CARGO_BIN_EXE_tributary"))
            .env_clear()
            .arg("serve")
            .args(&self.common)
            .arg(format!("--mode={}", self.mode))
            .arg(format!("--module={}", self.modules.join(",")))
            .arg(format!("--public={public}"))
            .arg(format!("--private={}", self.private))
            .arg("--announce")
            .arg(&self.announcement)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log can be shared"))
            .stderr(log)
            .spawn()
            .expect("the binary can be run")
    }

    async fn until_announced(&mut self) -> Result<(), ExitStatus> {
        loop {
            if let Ok(text) = fs::read_to_string(&self.announcement) {
                let told: Value = serde_json::from_str(&text).expect("the announcement is JSON");
                assert_eq!(told["private"], self.private.to_string());
                self.public = told["public"].as_str().map(|address| address.parse().expect("an address"));
                return Ok(());
            }
            let ended = self.child.as_mut().expect(NOT_STARTED).try_wait();
            if let Some(status) = ended.expect("a child can be asked") {
                return Err(status);
            }
            sleep(PAUSE).await;
        }
    }

    /// Waits until it says that it is ready and that nothing it needs is missing.
    pub async fn until_ready(&self) {
        let client = match self.certificates {
            Some(_) => Client::like_an_orchestrator(self.private),
            None => Client::new(self.private),
        };
        let what = format!("{} is ready", self.name());
        patiently(&what, async || {
            let Answer { status, text, .. } = client.try_get("/health/ready").await?;
            (status == 200 && text.contains("\"degraded\":[]")).then_some(())
        })
        .await;
    }

    /// `kill -9`: no handler runs, nothing is flushed.
    pub fn kill(&mut self) {
        self.killed = true;
        let mut child = self.child.take().expect(NOT_STARTED);
        child.kill().and_then(|()| child.wait()).expect("our own child can be killed");
    }

    /// Whether it ever ended otherwise than by being asked.
    pub(super) fn was_killed(&self) -> bool {
        self.killed
    }

    /// SIGTERM: please stop.
    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// SIGHUP: read your files again.
    pub fn hang_up(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.as_ref().expect(NOT_STARTED).id().to_string();
        let told = Command::new("kill").args([signal, &id]).status().expect("kill can be run");
        assert!(told.success(), "{} was there to be told", self.name());
    }

    /// Where it finds its certificates.
    pub fn certificates(&self) -> &Certificates {
        self.certificates.as_ref().expect("calls go over TLS here")
    }

    /// Waits until it has stopped by itself, which is to be with code 0.
    pub async fn until_stopped(&mut self) {
        assert_eq!(self.exit_code().await, Some(0), "exit code of {}", self.name());
    }

    /// Waits until it has ended, and gives its exit code.
    pub async fn exit_code(&mut self) -> Option<i32> {
        let what = format!("{} ends", self.name());
        let child = self.child.as_mut().expect(NOT_STARTED);
        let ended = async || child.try_wait().expect("a child can be asked");
        let code = patiently(&what, ended).await.code();
        self.killed |= code != Some(0);
        self.child = None;
        code
    }

    /// Refuses a log that holds one of `banned`.
    pub(super) fn check_log(&self, banned: &[&str]) {
        let log = self.log_text();
        let bad: Vec<_> = banned.iter().filter(|words| log.contains(**words)).collect();
        assert!(bad.is_empty(), "the log of {} holds {bad:?}", self.name());
    }

    pub fn has_logged(&self, words: &str) -> bool {
        self.times_logged(words) > 0
    }

    pub fn times_logged(&self, words: &str) -> usize {
        self.log_text().matches(words).count()
    }

    /// The end of the log, for whoever looks at why a test failed.
    pub(super) fn show_log(&self) {
        let text = self.log_text();
        let lines: Vec<_> = text.lines().collect();
        let end = &lines[lines.len().saturating_sub(25)..];
        println!("--- {} ---\n{}", self.name(), end.join("\n"));
    }

    pub(super) fn log_text(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn name(&self) -> String {
        self.modules.join(" + ")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // Both fail where it has ended already, which is what is wanted.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
