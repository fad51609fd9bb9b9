//! The API as `import`, `export` and `demo` call it: over HTTP, like anybody else.

use std::cell::Cell;
use std::io;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::{Bytes, BytesMut};
use connections_api::{Import, Mapping};
use futures_util::{Stream, stream};
use identity_api::{Registered, Tokens};
use indicatif::ProgressBar;
use kernel::{ImportId, Page, Problem};
use ledger_api::Account;
use reqwest::header::RETRY_AFTER;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt};
use uuid::Uuid;

const TIMEOUT: Duration = Duration::from_secs(60);
/// How often what changes nothing is asked again while the server cannot answer, one pause apart.
const RETRIES: u32 = 30;
const PAUSE: Duration = Duration::from_secs(1);
/// The longest that a server may have us wait before we ask again.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Bytes of a file that are sent at once.
const PIECE: usize = 64 * 1024;

/// A refusal, in the server's own words.
#[derive(Debug, thiserror::Error)]
#[error("{}{}", .0.title, explain(.0))]
pub(super) struct Refused(pub(super) Box<Problem>);

fn explain(problem: &Problem) -> String {
    let fields = problem.errors.iter().map(|error| format!("{} {}", error.pointer, error.detail));
    let details: Vec<_> = problem.detail.clone().into_iter().chain(fields).collect();
    let details = if details.is_empty() { String::new() } else { format!(": {}", details.join("; ")) };
    format!("{details} ({})", problem.code)
}

/// A server and, once logged in, who we are there.
pub(super) struct Client {
    base: String,
    http: reqwest::Client,
    tokens: Option<Held>,
}

struct Held {
    access: String,
    refresh: Option<String>,
}

/// A file to upload, from disk, from standard input or from memory.
pub(super) enum Upload<'a> {
    File(&'a Path),
    Input,
    Bytes { name: &'static str, content: &'static [u8] },
}

impl Upload<'_> {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::File(path) => path.file_name().and_then(|name| name.to_str()).unwrap_or("file"),
            Self::Input => "stdin",
            Self::Bytes { name, .. } => name,
        }
    }

    /// What to send, and its length where that is known before: a pipe tells it at its end.
    async fn content(&self, bar: &ProgressBar) -> Result<(Option<u64>, reqwest::Body)> {
        let path = match self {
            Self::File(path) => path,
            Self::Input => {
                let input = counted(tokio::io::stdin(), bar.clone());
                return Ok((None, reqwest::Body::wrap_stream(input)));
            }
            Self::Bytes { content, .. } => return Ok((Some(content.len() as u64), (*content).into())),
        };
        let open = File::open(path).await.with_context(|| format!("cannot open {}", path.display()))?;
        let metadata = open.metadata().await?;
        if metadata.is_dir() {
            bail!("{} is a folder; name its files, or --watch it", path.display());
        }
        let length = metadata.is_file().then_some(metadata.len());
        bar.set_length(length.unwrap_or_default());
        bar.set_position(0);
        bar.set_message("sent");
        Ok((length, reqwest::Body::wrap_stream(counted(open, bar.clone()))))
    }
}

impl Client {
    pub(super) fn new(base: &str) -> Result<Self> {
        if !Url::parse(base).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
            bail!("{base:?} is no address of a server; one is http://127.0.0.1:8080");
        }
        let builder =
            reqwest::Client::builder().user_agent(crate::NAME).connect_timeout(Duration::from_secs(5));
        // Reading the system's certificates fails where there are none, and a server in this process needs none.
        let http = if base.starts_with("https://") {
            builder.build()?
        } else {
            builder.tls_certs_only([]).build()?
        };
        Ok(Self { base: base.trim_end_matches('/').to_owned(), http, tokens: None })
    }

    pub(super) fn use_token(&mut self, access: String) {
        self.tokens = Some(Held { access, refresh: None });
    }

    pub(super) async fn register(&self, email: &str, password: &str, space: &str) -> Result<Registered> {
        let body = json!({ "email": email, "password": password, "space_name": space });
        answer(self.write(Method::POST, "/api/v1/users").json(&body).send().await?).await
    }

    pub(super) async fn log_in(&mut self, email: &str, password: &str) -> Result<()> {
        let body = json!({ "email": email, "password": password });
        let login = self.http.post(self.url("/api/v1/sessions")).timeout(TIMEOUT).json(&body);
        self.hold(answer(send(async || repeat(&login)).await?).await?);
        Ok(())
    }

    /// Ends the session that [`Self::log_in`] began. Nobody waits long for that: it ends by itself some day.
    pub(super) async fn log_out(&self) {
        let _ = self.request(Method::DELETE, "/api/v1/sessions/current").timeout(PAUSE).send().await;
    }

    pub(super) async fn accounts(&mut self) -> Result<Vec<Account>> {
        let mut accounts = Vec::new();
        let mut cursor = None;
        loop {
            let query = cursor.map_or(String::new(), |cursor| format!("&cursor={cursor}"));
            let page: Page<Account> = self.read(&format!("/api/v1/accounts?limit=200{query}")).await?;
            accounts.extend(page.data);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(accounts);
            }
        }
    }

    /// Sends a file and tells `bar` how much of it has gone; what comes back is only the beginning of its import.
    pub(super) async fn upload(
        &mut self,
        file: &Upload<'_>,
        query: &[(&str, &str)],
        bar: &ProgressBar,
    ) -> Result<Import> {
        self.refresh_early().await?;
        let piped = Cell::new(false);
        let sent = send(async || {
            if piped.get() {
                bail!("the server had too many requests, and a pipe cannot be read twice");
            }
            let request = self.write(Method::POST, "/api/v1/imports").query(&[("file_name", file.name())]);
            // No time limit of ours: a large file on a slow line takes as long as it takes, and the server has its own.
            let request = request.timeout(Duration::from_secs(3600)).query(query);
            let request = request.header("content-type", "application/octet-stream");
            let (length, body) = file.content(bar).await?;
            piped.set(length.is_none());
            Ok(match length {
                Some(length) => request.header("content-length", length),
                None => request,
            }
            .body(body))
        });
        answer(sent.await?).await
    }

    /// A file that the server writes as it is read: an error while it is read means that it is not whole.
    pub(super) async fn download(&mut self, path: &str, query: &[(&str, String)]) -> Result<Response> {
        self.refresh_early().await?;
        let request = self.request(Method::GET, path).query(query).timeout(Duration::from_secs(3600));
        refused(request.send().await.with_context(|| format!("no answer from {}", self.base))?).await
    }

    pub(super) async fn import(&mut self, id: ImportId) -> Result<Import> {
        self.read(&format!("/api/v1/imports/{id}")).await
    }

    /// Whatever is to be read at `path`.
    pub(super) async fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T> {
        self.read(path).await
    }

    /// A POST without a body.
    pub(super) async fn change<T: DeserializeOwned>(&mut self, path: &str) -> Result<T> {
        self.refresh_early().await?;
        let change = self.write(Method::POST, path);
        answer(send(async || repeat(&change)).await?).await
    }

    /// Has the file read again, as `mapping` says.
    pub(super) async fn preview(&mut self, id: ImportId, mapping: &Mapping) -> Result<Import> {
        self.refresh_early().await?;
        let preview = self.write(Method::POST, &format!("/api/v1/imports/{id}/preview"));
        let preview = preview.json(&json!({ "mapping": mapping }));
        answer(send(async || repeat(&preview)).await?).await
    }

    pub(super) async fn commit(&mut self, id: ImportId) -> Result<Import> {
        self.change(&format!("/api/v1/imports/{id}/commit")).await
    }

    pub(super) async fn undo(&mut self, id: ImportId) -> Result<Import> {
        self.change(&format!("/api/v1/imports/{id}/undo")).await
    }

    pub(super) async fn cancel(&mut self, id: ImportId) -> Result<()> {
        let cancel = self.write(Method::DELETE, &format!("/api/v1/imports/{id}"));
        refused(send(async || repeat(&cancel)).await?).await.map(drop)
    }

    /// Reads, and reads again while the server restarts or our token has run out.
    async fn read<T: DeserializeOwned>(&mut self, path: &str) -> Result<T> {
        let mut attempt = 0;
        loop {
            let sent = self.request(Method::GET, path).send().await;
            let transient = match &sent {
                Ok(response) => matches!(response.status().as_u16(), 429 | 502 | 503 | 504),
                Err(error) => !error.is_builder(),
            };
            if transient && attempt < RETRIES {
                attempt += 1;
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            let sent = sent.with_context(|| format!("no answer from {}", self.base))?;
            if sent.status() == StatusCode::UNAUTHORIZED && attempt < RETRIES && self.refresh().await? {
                attempt = RETRIES;
                continue;
            }
            return answer(sent).await;
        }
    }

    /// A fresh token before something that cannot simply be sent again.
    async fn refresh_early(&mut self) -> Result<()> {
        let _: Value = self.read("/api/v1/users/me").await?;
        Ok(())
    }

    async fn refresh(&mut self) -> Result<bool> {
        let Some(refresh) = self.tokens.as_ref().and_then(|held| held.refresh.clone()) else {
            return Ok(false);
        };
        let body = json!({ "refresh_token": refresh });
        let sent = self.http.post(self.url("/api/v1/tokens")).timeout(TIMEOUT).json(&body).send().await?;
        self.hold(answer(sent).await?);
        Ok(true)
    }

    fn hold(&mut self, tokens: Tokens) {
        let Tokens { access_token, refresh_token, .. } = tokens;
        let refresh = Some(refresh_token.reveal().to_owned());
        self.tokens = Some(Held { access: access_token.reveal().to_owned(), refresh });
    }

    /// A request that changes something, under a key of its own.
    fn write(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path).header("idempotency-key", Uuid::new_v4().to_string())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, self.url(path)).timeout(TIMEOUT);
        match &self.tokens {
            Some(held) => request.bearer_auth(&held.access),
            None => request,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

/// Sends what `request` makes. Of what came too soon after others the server has done nothing, so it is sent again after
/// the pause that the server asks for.
async fn send(request: impl AsyncFn() -> Result<RequestBuilder>) -> Result<Response> {
    for _ in 0..RETRIES {
        let response = request().await?.send().await?;
        if response.status() != StatusCode::TOO_MANY_REQUESTS {
            return Ok(response);
        }
        let seconds = response.headers().get(RETRY_AFTER).and_then(|pause| pause.to_str().ok()?.parse().ok());
        tokio::time::sleep(seconds.map_or(PAUSE, Duration::from_secs).clamp(PAUSE, LONGEST_PAUSE)).await;
    }
    Ok(request().await?.send().await?)
}

/// The same request once more, under the same key; none of those that stream.
fn repeat(request: &RequestBuilder) -> Result<RequestBuilder> {
    request.try_clone().context("a request without a stream can be made twice")
}

/// The pieces of a file, each counted once it is on its way.
fn counted(file: impl AsyncRead + Unpin, bar: ProgressBar) -> impl Stream<Item = io::Result<Bytes>> {
    stream::try_unfold(file, move |mut file| {
        let bar = bar.clone();
        async move {
            let mut piece = BytesMut::with_capacity(PIECE);
            let size = file.read_buf(&mut piece).await?;
            bar.inc(size as u64);
            Ok((size > 0).then(|| (piece.freeze(), file)))
        }
    })
}

pub(super) async fn answer<T: DeserializeOwned>(response: Response) -> Result<T> {
    let body = refused(response).await?.bytes().await.context("the answer broke off")?;
    serde_json::from_slice(&body).context("the answer is not one of this version's")
}

/// The response, or the refusal that it is.
async fn refused(response: Response) -> Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let body = response.bytes().await.unwrap_or_default();
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => Err(Refused(Box::new(problem)).into()),
        Err(_) => bail!("the server answered {status}, and not with a problem document"),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn a_file_goes_whole_and_each_byte_of_it_is_counted() {
        let content: Vec<u8> = (0..3 * PIECE + 7).map(|n| n as u8).collect();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &content).unwrap();
        let (open, bar) = (File::open(file.path()).await.unwrap(), ProgressBar::hidden());
        let mut pieces = std::pin::pin!(counted(open, bar.clone()));
        let mut sent = pieces.try_next().await.unwrap().unwrap().to_vec();
        assert_eq!(bar.position(), sent.len() as u64, "while it is on its way");
        while let Some(piece) = pieces.try_next().await.unwrap() {
            sent.extend(piece);
        }
        assert_eq!((bar.position(), sent), (content.len() as u64, content));
    }
}
