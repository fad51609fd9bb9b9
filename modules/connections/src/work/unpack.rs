//! An archive becomes one import for each of its files.
//!
//! One import for all of them would count the rows of two files as those of one, and where their windows overlap
//! the same movement would be counted twice.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use connections_api::{Note, events};
use connections_formats::Survey;
use kernel::{ImportId, Principal, Problem};
use sea_orm::DbErr;
use serde_json::json;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::{Halt, Runner, broken};
use crate::contents::Contents;
use crate::problems;
use crate::reading::{
    Archive, ArchiveLimits, ArchivedFile, CHUNK, Counters, Unpackable, UploadedFile, chunk_place,
};
use crate::store::{ImportRow, Lease, NewImport};

/// What an archive came to.
#[derive(Default)]
pub(super) struct Unpacked {
    files: Vec<Member>,
    notes: Vec<Note>,
    /// Why the first file that is no bank file is none.
    first_problem: Option<Problem>,
}

struct Member {
    id: ImportId,
    size_bytes: u64,
    contents: Contents,
}

/// Takes one archive apart, in a thread that may wait.
struct Unpacking {
    runner: Runner,
    lease: Lease,
    principal: Principal,
    counters: Arc<Counters>,
    runtime: Handle,
}

impl Runner {
    /// Writes every file of the archive down as an import that nobody sees yet.
    pub(super) async fn unpack(
        &self,
        lease: &Lease,
        row: &ImportRow,
        counters: &Arc<Counters>,
        unwanted: &CancellationToken,
    ) -> Result<Unpacked, Halt> {
        // Those of a run that ended on its way.
        self.store.drop_members(lease.import).await.map_err(broken)?;
        let stop = CancellationToken::new();
        let _stop = stop.clone().drop_guard();
        let file = self.file(row, stop);
        let unpacking = Unpacking {
            runner: self.clone(),
            lease: *lease,
            principal: row.principal().map_err(broken)?,
            counters: Arc::clone(counters),
            runtime: Handle::current(),
        };
        let thread = tokio::task::spawn_blocking(move || unpacking.run(&file));
        tokio::select! {
            unpacked = thread => unpacked.map_err(broken)?,
            () = unwanted.cancelled() => Err(Halt::Unwanted),
        }
    }

    /// From here on everybody sees them.
    pub(super) async fn unpacked(
        &self,
        lease: &Lease,
        row: &ImportRow,
        unpacked: &Unpacked,
    ) -> Result<(), DbErr> {
        let txn = self.store.db.begin().await?;
        let ids: Vec<_> = unpacked.files.iter().map(|file| file.id).collect();
        if self.store.end_unpacking(&txn, lease, &ids, &unpacked.notes).await? {
            for Member { id, size_bytes, contents } in &unpacked.files {
                let choice = row.choice()?.of(contents);
                self.store
                    .finish_upload(&txn, *id, *size_bytes, contents, &choice, self.settings.file_retention)
                    .await?;
            }
            // What was left out.
            self.store.drop_members_in(&txn, lease.import).await?;
            self.tell(&txn, row, events::IMPORT_UNPACKED, &json!({ "import_id": lease.import })).await?;
        }
        txn.commit().await?;
        self.bell.ring();
        Ok(())
    }
}

impl Unpacking {
    fn run(&self, file: &UploadedFile) -> Result<Unpacked, Halt> {
        let settings = &self.runner.settings;
        let limits = ArchiveLimits {
            files: settings.archive_files,
            bytes: settings.upload_limit_bytes,
            ratio: settings.archive_ratio,
        };
        let mut archive = Archive::open(file.open(), file.open(), file.size_bytes, limits).map_err(halt)?;
        let mut unpacked = Unpacked::default();
        while let Some(file) = archive.next() {
            self.take(file.map_err(halt)?, &mut unpacked)?;
        }
        match unpacked.first_problem.take() {
            Some(problem) if unpacked.files.is_empty() => Err(Halt::Refused(Box::new(problem))),
            _ => Ok(unpacked),
        }
    }

    /// Writes one file down, or notes why it is left out.
    fn take<R: std::io::Read + std::io::Seek>(
        &self,
        mut file: ArchivedFile<'_, R>,
        unpacked: &mut Unpacked,
    ) -> Result<(), Halt> {
        let (id, mut survey, mut size_bytes) = (ImportId::new(), Survey::new(), 0_u64);
        let mut chunk = vec![0; CHUNK];
        for number in 0.. {
            let filled = file.fill(&mut chunk).map_err(halt)?;
            if number == 0 {
                file.refuse_nested(&chunk[..filled]).map_err(halt)?;
            }
            if number == 0
                && filled == CHUNK
                && let Some(error) = Contents::refusal_of(&chunk)
            {
                return leave_out(&file.name, &error, unpacked);
            }
            if filled > 0 || number == 0 {
                survey.feed(&chunk[..filled]);
                size_bytes += filled as u64;
                self.write(id, &file.name, number, &chunk[..filled])?;
            }
            if filled < CHUNK {
                break;
            }
        }
        self.counters.bytes_read.fetch_add(file.packed_bytes, Ordering::Relaxed);
        let (report, head) = survey.finish();
        match Contents::of(&report, &head, Some(&file.name)) {
            Ok(contents) => unpacked.files.push(Member { id, size_bytes, contents }),
            // What was written of it goes when the archive is done with.
            Err(error) => return leave_out(&file.name, &error, unpacked),
        }
        Ok(())
    }

    fn write(&self, id: ImportId, name: &str, number: i32, chunk: &[u8]) -> Result<(), Halt> {
        let Runner { store, settings, .. } = &self.runner;
        let sealed = settings.sealing_key.seal(&chunk_place(id, number), chunk).map_err(broken)?;
        let member = NewImport {
            id,
            principal: &self.principal,
            file_name: (!name.is_empty()).then_some(name),
            archive: Some(self.lease.import),
        };
        let written = store.add_member_chunk(&self.lease, member, number, sealed);
        match self.runtime.block_on(written).map_err(broken)? {
            true => Ok(()),
            false => Err(Halt::Unwanted),
        }
    }
}

fn leave_out(
    name: &str,
    error: &connections_formats::FormatError,
    unpacked: &mut Unpacked,
) -> Result<(), Halt> {
    let problem = problems::of_file(error).ok_or_else(|| broken(error))?;
    let detail = format!("{name:?} was left out: {error}");
    unpacked.notes.push(Note { code: "file_left_out".into(), detail: detail.clone() });
    unpacked.first_problem.get_or_insert(problem.detail(detail));
    Ok(())
}

fn halt(error: Unpackable) -> Halt {
    match error {
        Unpackable::Refused(problem) => Halt::Refused(problem),
        Unpackable::Unreadable(error) => broken(error),
    }
}
