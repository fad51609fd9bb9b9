//! The types of the events that connections tells. Thin: they say what changed and where, not how it looks now.

/// A file was read; its report can be looked at. Payload: `import_id`.
pub const IMPORT_PREVIEWED: &str = "import.previewed";
/// An archive was taken apart; its files are imports of their own. Payload: `import_id`.
pub const IMPORT_UNPACKED: &str = "import.unpacked";
/// A file's rows are in the ledger. Payload: `import_id`.
pub const IMPORT_COMMITTED: &str = "import.committed";
/// What an import had brought is out of the ledger again. Payload: `import_id`.
pub const IMPORT_UNDONE: &str = "import.undone";
/// An import could not be undone and is committed still. Payload: `import_id`, `code` of the problem.
pub const IMPORT_UNDO_REFUSED: &str = "import.undo_refused";
/// A file could not be read or taken. Payload: `import_id`, `code` of the problem.
pub const IMPORT_FAILED: &str = "import.failed";
/// Somebody had the file of an import deleted. Payload: `import_id`.
pub const IMPORT_FILE_DELETED: &str = "import.file_deleted";
/// Somebody gave an import up, or nobody committed it in time. Payload: `import_id`.
pub const IMPORT_CANCELLED: &str = "import.cancelled";
