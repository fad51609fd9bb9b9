//! The Unix socket of the private listener: a file that has to be made, guarded and taken away again.

use std::fs::{self, Metadata, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tracing::{info, warn};

use crate::config::SocketMode;

/// The file of a socket that is listened on; taken away when dropped, unless another process has put its own there.
pub(crate) struct SocketFile {
    path: PathBuf,
    made: Metadata,
}

/// Listens at `path`. What a dead process left behind there is replaced.
///
/// # Errors
/// Somebody answers there, or it is something other than a socket, or none can be made.
pub(super) fn bind(path: &Path, mode: SocketMode) -> Result<(UnixListener, SocketFile)> {
    make_room(path).with_context(|| format!("cannot listen on {}", path.display()))?;
    let bound = || {
        let listener = UnixListener::bind(path)?;
        let file = SocketFile { path: path.to_owned(), made: fs::symlink_metadata(path)? };
        // Until here the umask says who may connect. Nobody is answered yet, nor at any time without a token.
        fs::set_permissions(path, Permissions::from_mode(mode as u32))?;
        Ok::<_, std::io::Error>((listener, file))
    };
    bound().with_context(|| format!("cannot listen on {}", path.display()))
}

/// Takes away a socket on which nobody answers.
fn make_room(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
        Ok(found) if !found.file_type().is_socket() => bail!("something other than a socket is there"),
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Ok(_) => bail!("another process answers there"),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
        Err(error) => return Err(error).context("whether another process answers there cannot be told"),
    }
    info!("Replacing the socket that a process left behind at {}", path.display());
    Ok(fs::remove_file(path)?)
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let Self { path, made } = self;
        let is_ours = |now: &Metadata| (now.dev(), now.ino()) == (made.dev(), made.ino());
        if !fs::symlink_metadata(&*path).is_ok_and(|now| is_ours(&now)) {
            return;
        }
        if let Err(error) = fs::remove_file(&*path) {
            warn!(%error, "Cannot take {} away", path.display());
        }
    }
}
