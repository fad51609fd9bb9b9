//! A folder of which every new file is imported.
//!
//! It is looked at every second rather than waited on: a file has to be looked at twice in any case to see that it has
//! stopped growing, and a system tells nothing of what others write to a shared folder. Files stay where they are; what
//! was taken is remembered by its content.

use std::collections::{HashMap, HashSet};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use aws_lc_rs::digest;
use tokio_util::sync::CancellationToken;

use super::access::settings_here;
use super::questions::Question;
use crate::cli::Import;

const LOOK: Duration = Duration::from_secs(1);
/// A file that was not written to for so long is whole.
const SETTLED: Duration = Duration::from_secs(2);
/// How browsers and copiers name what they have not finished.
const UNFINISHED: [&str; 5] = ["part", "crdownload", "download", "tmp", "partial"];

/// The folder, and what was taken from it before.
pub(super) struct Watch {
    folder: PathBuf,
    /// One line for each file that was taken: the SHA-256 of its content, and its name for people. What it was refused
    /// for want of stands behind the hash, after colons; of several lines the last counts.
    memory: PathBuf,
    taken: HashSet<String>,
    /// As each file was when it was looked at last, and since when it is so; `None` once it is done with.
    seen: HashMap<PathBuf, (Look, Option<SystemTime>)>,
}

#[derive(Clone, Copy, PartialEq)]
struct Look {
    size: u64,
    changed: Option<SystemTime>,
}

/// A file to be imported now.
pub(super) struct Found {
    pub(super) path: PathBuf,
    hash: String,
}

impl Watch {
    /// Files that were refused for want of something that `import` says are new again.
    pub(super) fn open(folder: &Path, import: &Import) -> Result<Self> {
        let access = &import.access;
        let folder = folder.canonicalize().with_context(|| format!("cannot watch {}", folder.display()))?;
        let data_dir = settings_here(&access.place)?.data_dir;
        // Another server has another ledger, so what one has is not what the other has.
        let server = access.server.as_deref().unwrap_or_default();
        let place =
            hex(digest::digest(&digest::SHA256, format!("{server}\n{}", folder.display()).as_bytes()));
        let memory = data_dir.join(format!("watched-{}.txt", &place[..16]));
        std::fs::create_dir_all(&data_dir).with_context(|| format!("cannot use {}", data_dir.display()))?;
        let lines = match std::fs::read_to_string(&memory) {
            Ok(lines) => lines,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", memory.display())),
        };
        Ok(Self { folder, memory, taken: taken(&lines, import), seen: HashMap::new() })
    }

    /// Waits for the next file that is whole and new; none once stopped.
    pub(super) async fn next(&mut self, stop: &CancellationToken) -> Result<Option<Found>> {
        loop {
            if stop.is_cancelled() {
                return Ok(None);
            }
            for path in self.settled()? {
                let hash = tokio::task::spawn_blocking({
                    let path = path.clone();
                    move || hash_of(&path)
                });
                match hash.await? {
                    Ok(hash) if self.taken.contains(&hash) => self.done_with(&path),
                    Ok(hash) => return Ok(Some(Found { path, hash })),
                    // Gone in this moment, or nobody's business: looked at again when it changes.
                    Err(error) => {
                        eprintln!("{}: {error}", path.display());
                        self.done_with(&path);
                    }
                }
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stop.cancelled() => return Ok(None),
            }
        }
    }

    /// Remembers that a file was taken, or refused: for good, or until somebody says what is open.
    pub(super) fn remember(&mut self, found: Found, open: &[Question]) -> Result<()> {
        let Found { path, hash } = found;
        let name = path.file_name().unwrap_or_default().to_string_lossy().replace(char::is_control, " ");
        let open: String = open.iter().map(|question| format!(":{}", question.code())).collect();
        let write = || {
            let mut memory = OpenOptions::new().create(true).append(true).open(&self.memory)?;
            writeln!(memory, "{hash}{open} {name}")?;
            memory.sync_data()
        };
        write().with_context(|| format!("cannot write {}", self.memory.display()))?;
        self.taken.insert(hash);
        self.done_with(&path);
        Ok(())
    }

    /// Has others come first for a while.
    pub(super) fn put_off(&mut self, found: &Found, pause: Duration) {
        if let Some((_, since)) = self.seen.get_mut(&found.path) {
            *since = Some(SystemTime::now() + pause - SETTLED);
        }
    }

    fn done_with(&mut self, path: &Path) {
        if let Some((_, since)) = self.seen.get_mut(path) {
            *since = None;
        }
    }

    /// Files that have not changed for a while and are not done with, by name.
    fn settled(&mut self) -> Result<Vec<PathBuf>> {
        let (now, mut seen) = (SystemTime::now(), HashMap::new());
        let mut settled = Vec::new();
        let entries = std::fs::read_dir(&self.folder);
        for entry in entries.with_context(|| format!("cannot read {}", self.folder.display()))? {
            let path = entry?.path();
            // Gone between two looks.
            let Ok(metadata) = path.metadata() else { continue };
            if !is_of_interest(&path, &metadata) {
                continue;
            }
            let look = Look { size: metadata.len(), changed: metadata.modified().ok() };
            let since = match self.seen.get(&path) {
                Some((before, since)) if *before == look => *since,
                _ => Some(now),
            };
            if since.is_some_and(|since| now.duration_since(since).unwrap_or_default() >= SETTLED) {
                settled.push(path.clone());
            }
            seen.insert(path, (look, since));
        }
        self.seen = seen;
        settled.sort();
        Ok(settled)
    }
}

/// The hashes of a memory, but for those with a question that is answered now.
fn taken(lines: &str, import: &Import) -> HashSet<String> {
    let mut taken = HashSet::new();
    for what in lines.lines().filter_map(|line| line.split(' ').next()) {
        let (hash, open) = what.split_once(':').unwrap_or((what, ""));
        let mut questions = open.split(':').filter_map(Question::of_code);
        match questions.any(|question| question.is_answered(import)) {
            true => taken.remove(hash),
            false => taken.insert(hash.to_owned()),
        };
    }
    taken
}

fn is_of_interest(path: &Path, metadata: &Metadata) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let unfinished = UNFINISHED.iter().any(|known| extension.eq_ignore_ascii_case(known));
    metadata.is_file() && metadata.len() > 0 && !name.starts_with('.') && !unfinished
}

fn hash_of(path: &Path) -> std::io::Result<String> {
    let (mut file, mut buffer) = (File::open(path)?, vec![0; 64 * 1024]);
    let mut digest = digest::Context::new(&digest::SHA256);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(digest.finish())),
            count => digest.update(&buffer[..count]),
        }
    }
}

fn hex(digest: digest::Digest) -> String {
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
