use connections_api::{MappingProfile, NewMappingProfile};
use kernel::{AccountId, Cursor, Instant, InvalidCursor, Page, PageRequest, ProfileId, SpaceId, now};
use platform::Txn;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};
use uuid::Uuid;

use super::{ConnectionStore, all, count, execute, from_json, json, one};

#[derive(FromQueryResult)]
struct ProfileRow {
    id: Uuid,
    name: String,
    mapping: String,
    account_id: Option<Uuid>,
    created_at: Instant,
    updated_at: Instant,
}

/// Where a list of profiles goes on: after this name, and after this id where names are equal.
#[derive(Default)]
pub(crate) struct ProfilePosition {
    name: String,
    id: Uuid,
}

/// Stands for the separator of cursor parts in a name; no name holds it.
const BAR: &str = "\0";

impl ProfilePosition {
    fn cursor(profile: &MappingProfile) -> Cursor {
        Cursor::new([profile.id.to_string(), profile.name.replace('|', BAR)])
    }

    pub(crate) fn parse(cursor: &Cursor) -> Result<Self, InvalidCursor> {
        Ok(Self { id: cursor.part(0)?, name: cursor.part::<String>(1)?.replace(BAR, "|") })
    }
}

impl TryFrom<ProfileRow> for MappingProfile {
    type Error = DbErr;
    fn try_from(row: ProfileRow) -> Result<Self, DbErr> {
        Ok(Self {
            id: ProfileId(row.id),
            name: row.name,
            mapping: from_json(&row.mapping)?,
            account_id: row.account_id.map(AccountId),
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl ConnectionStore {
    pub(crate) async fn profile(
        &self,
        on: &impl ConnectionTrait,
        space: SpaceId,
        id: ProfileId,
    ) -> Result<Option<MappingProfile>, DbErr> {
        let sql = "SELECT * FROM mapping_profiles WHERE space_id = $1 AND id = $2";
        let row: Option<ProfileRow> = one(on, sql, [space.0.into(), id.0.into()]).await?;
        row.map(MappingProfile::try_from).transpose()
    }

    /// The profile for tables with this header, the one saved last where there are several.
    pub(crate) async fn profile_for(
        &self,
        space: SpaceId,
        header_fingerprint: &str,
    ) -> Result<Option<MappingProfile>, DbErr> {
        let sql = "SELECT * FROM mapping_profiles WHERE space_id = $1 AND header_fingerprint = $2 \
                   ORDER BY updated_at DESC, id DESC LIMIT 1";
        let row: Option<ProfileRow> =
            one(self.db.reader(), sql, [space.0.into(), header_fingerprint.into()]).await?;
        row.map(MappingProfile::try_from).transpose()
    }

    pub(crate) async fn list_profiles(
        &self,
        space: SpaceId,
        page: &PageRequest,
        after: ProfilePosition,
    ) -> Result<Page<MappingProfile>, DbErr> {
        let ProfilePosition { name, id } = after;
        let sql = "SELECT * FROM mapping_profiles WHERE space_id = $1 AND (name, id) > ($2, $3) \
                   ORDER BY name, id LIMIT $4";
        let values = vec![space.0.into(), name.into(), id.into(), (i64::from(page.limit) + 1).into()];
        let rows: Vec<ProfileRow> = all(self.db.reader(), sql, values).await?;
        let rows = rows.into_iter().map(MappingProfile::try_from).collect::<Result<Vec<_>, _>>()?;
        let mut found = Page::cut(rows, page.limit, ProfilePosition::cursor);
        if page.with_total {
            let sql = "SELECT count(*) AS total FROM mapping_profiles WHERE space_id = $1";
            found.total = Some(count(self.db.reader(), sql, vec![space.0.into()]).await?);
        }
        Ok(found)
    }

    pub(crate) async fn save_profile(
        &self,
        txn: &Txn,
        space: SpaceId,
        id: ProfileId,
        profile: &NewMappingProfile,
    ) -> Result<(), DbErr> {
        let sql = "INSERT INTO mapping_profiles \
                   (id, space_id, name, header_fingerprint, mapping, account_id, created_at, updated_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (space_id, id) DO UPDATE SET \
                   name = excluded.name, header_fingerprint = excluded.header_fingerprint, \
                   mapping = excluded.mapping, account_id = excluded.account_id, updated_at = excluded.updated_at";
        let values = [
            id.0.into(),
            space.0.into(),
            profile.name.clone().into(),
            profile.mapping.header_fingerprint.clone().into(),
            json(&profile.mapping)?.into(),
            profile.account_id.map(|id| id.0).into(),
            now().into(),
        ];
        execute(&**txn, sql, values).await.map(drop)
    }

    /// False where there was none.
    pub(crate) async fn delete_profile(
        &self,
        txn: &Txn,
        space: SpaceId,
        id: ProfileId,
    ) -> Result<bool, DbErr> {
        let sql = "DELETE FROM mapping_profiles WHERE space_id = $1 AND id = $2";
        Ok(execute(&**txn, sql, [space.0.into(), id.0.into()]).await?.rows_affected() == 1)
    }
}
