use kernel::{ImportId, Page, PageRequest, ProfileId};
use service_registry::{CallContext, Contract, ServiceDescriptor, service};

use crate::{
    ConnectionsError, FileRow, Import, MappingProfile, NewMappingProfile, PreviewRequest, RowFilter,
};

/// Connections as the registry knows it.
pub const SERVICE: ServiceDescriptor = ServiceDescriptor {
    name: "connections",
    version: 1,
    methods: <dyn Connections as Contract>::METHODS,
    routes: &["/api/v1/imports", "/api/v1/mapping-profiles"],
    calls: &[
        ("identity", &["jwks", "revocations"]),
        ("ledger", &["account", "discard", "ingest", "preview", "revert", "rows", "stage"]),
    ],
    default_port: 7120,
};

/// The outside world: bank files on their way into the ledger of the caller's household.
///
/// An import begins with an upload, which streams and is therefore a route (`POST /api/v1/imports`) and no method.
/// What belongs to another household is not found, as if it did not exist.
#[service(name = "connections", version = 1)]
pub trait Connections: Send + Sync {
    /// The household's imports, the latest first.
    #[read]
    async fn list_imports(
        &self,
        cx: &CallContext,
        page: PageRequest,
    ) -> Result<Page<Import>, ConnectionsError>;

    /// One import: how far it is and what became of its rows.
    #[read]
    async fn import(&self, cx: &CallContext, id: ImportId) -> Result<Import, ConnectionsError>;

    /// Reads the file again in another way or for another account; what the request leaves out stays as it was.
    ///
    /// `WrongState` unless the import is previewed or failed, `FileGone` where the file is not kept any more.
    #[once(dedupe)]
    async fn preview(
        &self,
        cx: &CallContext,
        id: ImportId,
        request: PreviewRequest,
    ) -> Result<Import, ConnectionsError>;

    /// Starts to make the previewed rows part of the ledger, all or none. A repeat changes nothing.
    ///
    /// `WrongState` before the preview is there, and after the import failed or was cancelled.
    #[idempotent]
    async fn commit(&self, cx: &CallContext, id: ImportId) -> Result<Import, ConnectionsError>;

    /// Starts to take back exactly what the import brought; what other imports have too stays. A repeat changes nothing.
    ///
    /// Where the ledger refuses, as for a closed account, the import is committed still and its problem says why.
    /// `WrongState` unless the import is committed, or was.
    #[idempotent]
    async fn undo(&self, cx: &CallContext, id: ImportId) -> Result<Import, ConnectionsError>;

    /// Gives the import up: its file and its waiting rows go. A repeat changes nothing.
    ///
    /// `WrongState` once it is being committed.
    #[idempotent]
    async fn cancel(&self, cx: &CallContext, id: ImportId) -> Result<(), ConnectionsError>;

    /// Deletes the uploaded file before its time; the import stays. A repeat changes nothing.
    ///
    /// `WrongState` while it is being read, also where another import is read from it again.
    #[idempotent]
    async fn delete_file(&self, cx: &CallContext, id: ImportId) -> Result<(), ConnectionsError>;

    /// Reads the file of a committed or undone import once more, with today's reader, into a new import. What its report shows is
    /// the difference to the ledger; nothing changes before that import is committed.
    ///
    /// `WrongState` unless the import is committed or undone, `FileGone` where the file is not kept any more.
    #[once]
    async fn reparse(&self, cx: &CallContext, id: ImportId) -> Result<Import, ConnectionsError>;

    /// The rows of the import's file in its order, and what became or would become of each.
    ///
    /// `WrongState` unless the import is previewed or committed.
    #[read(timeout_ms = 600_000)]
    async fn rows(
        &self,
        cx: &CallContext,
        id: ImportId,
        filter: RowFilter,
        page: PageRequest,
    ) -> Result<Page<FileRow>, ConnectionsError>;

    /// The household's mapping profiles by name.
    #[read]
    async fn list_profiles(
        &self,
        cx: &CallContext,
        page: PageRequest,
    ) -> Result<Page<MappingProfile>, ConnectionsError>;

    /// Keeps a profile under the id that the caller chose, in place of what was there.
    #[idempotent]
    async fn save_profile(
        &self,
        cx: &CallContext,
        id: ProfileId,
        profile: NewMappingProfile,
    ) -> Result<MappingProfile, ConnectionsError>;

    /// Forgets a profile. Imports that were read with it keep their mapping.
    #[idempotent]
    async fn delete_profile(&self, cx: &CallContext, id: ProfileId) -> Result<(), ConnectionsError>;
}
