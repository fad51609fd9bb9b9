//! A network that fails on purpose, the same way each time: a proxy between a caller and a real server.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::policy::Dice;

/// One way in which a network or a server behind it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Everything arrives, late.
    Delay(Duration),
    /// The connection breaks before the server has heard of the request.
    DropBefore,
    /// The server does its work, and its answer is lost.
    DropAfter,
    /// The server does its work, and the connection is reset in the middle of its answer.
    ResetMidAnswer,
    /// Somebody on the way answers with this status, and the server hears nothing.
    Status(u16),
    /// Nothing is heard any more, and nothing is closed either.
    BlackHole,
    /// The answer comes byte by byte, with this pause between two.
    SlowDrip(Duration),
}

/// Which requests fail, and how. The same seed and the same order of requests fail alike.
#[derive(Clone, Debug)]
pub struct FaultPlan {
    dice: Dice,
    faults: Vec<(Fault, f64)>,
    only: Option<String>,
    strangers: bool,
}

impl FaultPlan {
    /// No faults yet. Print the seed where a test fails.
    pub fn seeded(seed: u64) -> Self {
        Self { dice: Dice::seeded(seed), faults: Vec::new(), only: None, strangers: false }
    }

    /// Lets `share` of the requests (0 to 1) fail so; the shares of all faults together are at most 1.
    pub fn with(mut self, fault: Fault, share: f64) -> Self {
        self.faults.push((fault, share));
        self
    }

    /// Only requests whose request line contains `part` fail, such as `POST /api/v1/accounts`.
    pub fn only(mut self, part: &str) -> Self {
        self.only = Some(part.to_owned());
        self
    }

    /// Gives each request another call id, so that no receiver knows a repeat: what would happen without that.
    pub fn as_strangers(mut self) -> Self {
        self.strangers = true;
        self
    }

    fn is_about(&self, request: &[u8]) -> bool {
        let line = request.split(|byte| *byte == b'\r').next().map(String::from_utf8_lossy);
        let holds = |part: &String| line.is_some_and(|line| line.contains(part.as_str()));
        self.only.as_ref().is_none_or(holds)
    }

    fn draw(&mut self) -> Option<Fault> {
        let mut drawn = self.dice.share();
        self.faults.iter().find_map(|(fault, share)| {
            drawn -= share;
            (drawn < 0.0).then_some(*fault)
        })
    }
}

/// A proxy before an HTTP/1.1 server that treats requests by a [`FaultPlan`]; stops when dropped.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    server: SocketAddr,
    plan: Mutex<FaultPlan>,
    requests: AtomicU64,
    failed: AtomicU64,
}

impl FaultProxy {
    /// Listens on a free port of this machine, before `server`.
    pub async fn start(server: SocketAddr, plan: FaultPlan) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (requests, failed) = (AtomicU64::new(0), AtomicU64::new(0));
        let state = Arc::new(State { server, plan: Mutex::new(plan), requests, failed });
        let accepting = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let state = Arc::clone(&accepting);
                // What breaks here is what the test wants to break.
                tokio::spawn(async move { drop(state.serve(client).await) });
            }
        });
        Ok(Self { address, state, task })
    }

    /// What to call in place of the server.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Behaves by another plan from the next request on.
    pub fn follow(&self, plan: FaultPlan) {
        *self.state.plan() = plan;
    }

    /// Requests that came, of those that the plan is about.
    pub fn requests(&self) -> u64 {
        self.state.requests.load(Ordering::SeqCst)
    }

    /// Requests that were treated to a fault.
    pub fn failed(&self) -> u64 {
        self.state.failed.load(Ordering::SeqCst)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    fn plan(&self) -> std::sync::MutexGuard<'_, FaultPlan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One request and the end of the connection, so that the end of an answer is plain to see.
    async fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        let Some(request) = read_request(&mut client).await? else { return Ok(()) };
        let (about, fault, strangers) = {
            let mut plan = self.plan();
            let about = plan.is_about(&request);
            (about, if about { plan.draw() } else { None }, plan.strangers)
        };
        self.requests.fetch_add(u64::from(about), Ordering::SeqCst);
        self.failed.fetch_add(u64::from(fault.is_some()), Ordering::SeqCst);
        match fault {
            Some(Fault::DropBefore) => return Ok(()),
            Some(Fault::BlackHole) => return until_closed(client).await,
            Some(Fault::Delay(delay)) => tokio::time::sleep(delay).await,
            Some(Fault::Status(status)) => {
                let answer =
                    format!("HTTP/1.1 {status} Fault\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                return client.write_all(answer.as_bytes()).await;
            }
            _ => {}
        }
        let answer = self.ask(&request, strangers).await?;
        match fault {
            Some(Fault::DropAfter) => Ok(()),
            Some(Fault::ResetMidAnswer) => {
                client.write_all(&answer[..answer.len() - answer.len().min(8) / 2]).await?;
                client.set_zero_linger()
            }
            Some(Fault::SlowDrip(pause)) => {
                for byte in answer {
                    client.write_all(&[byte]).await?;
                    tokio::time::sleep(pause).await;
                }
                Ok(())
            }
            _ => client.write_all(&answer).await,
        }
    }

    async fn ask(&self, request: &[u8], strangers: bool) -> io::Result<Vec<u8>> {
        let mut server = TcpStream::connect(self.server).await?;
        server.write_all(&rewritten(request, strangers)).await?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer).await?;
        Ok(answer)
    }
}

/// The request with a connection of its own, and another call id if receivers are not to know it.
fn rewritten(request: &[u8], strangers: bool) -> Vec<u8> {
    let end = head_end(request).unwrap_or(request.len());
    let head = String::from_utf8_lossy(&request[..end]);
    let kept = |line: &&str| {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        name != "connection" && !(strangers && name == "x-call-id") && !line.is_empty()
    };
    let mut lines: Vec<String> = head.split("\r\n").filter(kept).map(str::to_owned).collect();
    lines.push("connection: close".to_owned());
    if strangers {
        lines.push(format!("x-call-id: {}", uuid::Uuid::new_v4()));
    }
    let mut whole = (lines.join("\r\n") + "\r\n\r\n").into_bytes();
    whole.extend_from_slice(&request[end..]);
    whole
}

/// A whole request, or nothing where the connection was closed without one.
async fn read_request(client: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut request = Vec::new();
    while !is_whole(&request) {
        if client.read_buf(&mut request).await? == 0 {
            return Ok(None);
        }
    }
    Ok(Some(request))
}

fn is_whole(request: &[u8]) -> bool {
    let Some(end) = head_end(request) else { return false };
    let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
    let value = |name: &str| head.lines().find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()));
    if value("transfer-encoding:").is_some() {
        return request.ends_with(b"0\r\n\r\n");
    }
    let length = value("content-length:").and_then(|length| length.parse().ok()).unwrap_or(0_usize);
    request.len() - end >= length
}

/// Where the head ends and the body begins.
fn head_end(request: &[u8]) -> Option<usize> {
    request.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

async fn until_closed(mut client: TcpStream) -> io::Result<()> {
    while client.read(&mut [0; 64]).await? > 0 {}
    Ok(())
}
