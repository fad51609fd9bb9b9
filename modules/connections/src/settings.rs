use std::time::Duration;

use platform::SealKey;

/// What connections has to be told by the process that it runs in.
#[derive(Clone, Debug)]
pub struct ConnectionsSettings {
    /// Largest bank file, in bytes; a larger one is refused with 413. It is streamed, so this bounds disk and
    /// time, not memory.
    pub upload_limit_bytes: u64,
    /// Most files in one archive; one with more is refused. Each becomes an import.
    pub archive_files: usize,
    /// How many times the size of an archive its files may have together. Too low: statements that pack well are
    /// refused; too high: a small upload fills the disk. All together never have more than `upload_limit_bytes`.
    pub archive_ratio: u64,
    /// How long an uploaded file is kept, whatever becomes of its import. Shorter: no better reader can read it again;
    /// longer: more full account numbers, sealed, on disk.
    pub file_retention: Duration,
    /// How long a preview waits to be committed before it is given up with its rows and its file.
    pub preview_retention: Duration,
    /// How long an upload may be silent before it is given up.
    pub upload_patience: Duration,
    /// How long a dead process keeps others from its imports. Shorter than a pause of a busy machine, live ones
    /// lose theirs too and begin anew.
    pub lease: Duration,
    /// Imports worked on at once by one process. Each takes a thread and some megabytes.
    pub at_once: usize,
    /// The longest pause before the ledger is asked again that could not be reached.
    pub longest_pause: Duration,
    /// Seals uploaded files. All processes of connections have the same one.
    pub sealing_key: SealKey,
    /// Finds an account by its bank number without storing it. Changed, known accounts are opened a second time.
    pub account_index_key: SealKey,
}

impl ConnectionsSettings {
    /// The usual settings under these keys.
    pub const fn new(sealing_key: SealKey, account_index_key: SealKey) -> Self {
        Self {
            upload_limit_bytes: 1024 * 1024 * 1024,
            archive_files: 100,
            archive_ratio: 100,
            file_retention: Duration::from_secs(90 * 24 * 60 * 60),
            preview_retention: Duration::from_secs(7 * 24 * 60 * 60),
            upload_patience: Duration::from_secs(15 * 60),
            lease: Duration::from_secs(5),
            at_once: 2,
            longest_pause: Duration::from_secs(30),
            sealing_key,
            account_index_key,
        }
    }
}
