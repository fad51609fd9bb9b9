//! A second process: this test binary, started again as a server.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use service_registry_http::KeyPair;

use crate::bindings::{Fault, Server};
use crate::probe::ProbeService;

/// Holds the private key of the one who may call, in PEM; set means: be the server.
const KEY: &str = "PROBE_TESTER_KEY";
const ADDRESS: &str = "listening at ";

/// A probe in a process of its own; gone when dropped.
pub struct Second {
    pub url: String,
    pub tester: KeyPair,
    child: Child,
}

impl Second {
    pub fn start() -> Self {
        let tester = KeyPair::generate().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["second::serves_in_a_process_of_its_own", "--exact", "--ignored", "--nocapture"])
            .env(KEY, tester.private_pem())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines.find_map(|line| Some(line.unwrap().split_once(ADDRESS)?.1.to_owned())).unwrap();
        // Whatever else it prints must not block it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { url, tester, child }
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Ends it without a word, as `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Not a test of its own: what [`Second::start`] runs, until whoever started it is gone.
#[tokio::test]
#[ignore = "is the second process of other tests"]
async fn serves_in_a_process_of_its_own() {
    let Ok(key) = std::env::var(KEY) else { return };
    let tester = Arc::new(KeyPair::from_private_pem(&key).unwrap());
    let probe = Arc::new(ProbeService::default());
    let server = Server::start_with_key(probe.clone(), Fault::None, tester);
    let itself = service_registry::ServiceClient::local(probe.clone() as Arc<dyn crate::probe::Probe>);
    assert!(probe.itself.set(itself).is_ok());
    println!("\n{ADDRESS}{}", server.url);
    let gone = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    gone.await.unwrap().unwrap();
}
