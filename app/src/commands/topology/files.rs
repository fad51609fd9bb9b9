//! Files that are written from settings, and how those on disk differ from them.

use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

/// Says whose file it is.
const HEADER: &str = "# Written by `tributary topology render`: change the settings and write it again.\n";

/// A file to be.
pub(super) struct File {
    /// Below the directory that all go to.
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// Documents as one YAML file. Maps are in the order of their keys, so that the same settings give the same file.
pub(super) fn yaml(documents: &[Value]) -> Result<String> {
    let texts: Result<Vec<_>, _> = documents.iter().map(serde_saphyr::to_string).collect();
    Ok(format!("{HEADER}{}", texts?.join("---\n")))
}

/// What is not as it should be on disk.
#[derive(Debug)]
pub(super) enum Drift {
    Missing(PathBuf),
    Differs {
        path: PathBuf,
        line: usize,
        found: String,
        wanted: String,
    },
    /// Written from other settings, and not from these.
    LeftOver(PathBuf),
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(f, "{} is missing", path.display()),
            Self::Differs { path, line, found, wanted } => {
                let path = path.display();
                write!(f, "{path}:{line} differs\n  on disk:  {found}\n  settings: {wanted}")
            }
            Self::LeftOver(path) => write!(f, "{} is of no process in these settings", path.display()),
        }
    }
}

/// Writes the files below `out`; those that are not of them any more go away.
pub(super) fn write(out: &Path, files: &[File]) -> Result<()> {
    for File { path, text } in files {
        let path = out.join(path);
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    for path in left_over(out, files)? {
        fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    Ok(())
}

/// Every difference between the files and what is below `out`.
pub(super) fn drift(out: &Path, files: &[File]) -> Result<Vec<Drift>> {
    let mut found = Vec::new();
    for File { path, text } in files {
        let path = out.join(path);
        match fs::read_to_string(&path) {
            Ok(on_disk) => found.extend(difference(path, &on_disk, text)),
            Err(error) if error.kind() == ErrorKind::NotFound => found.push(Drift::Missing(path)),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }
    found.extend(left_over(out, files)?.into_iter().map(Drift::LeftOver));
    Ok(found)
}

fn difference(path: PathBuf, on_disk: &str, text: &str) -> Option<Drift> {
    if on_disk == text {
        return None;
    }
    let (mut found, mut wanted) = (on_disk.lines(), text.lines());
    let mut line = 1;
    loop {
        match (found.next(), wanted.next()) {
            (Some(found), Some(wanted)) if found == wanted => line += 1,
            (found, wanted) => {
                let told = |line: Option<&str>| line.map_or("(no more lines)".to_owned(), str::to_owned);
                return Some(Drift::Differs { path, line, found: told(found), wanted: told(wanted) });
            }
        }
    }
}

/// Files that we wrote beside these ones once, in directories of their own.
fn left_over(out: &Path, files: &[File]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut directories: Vec<_> = files.iter().filter_map(|file| file.path.parent()).collect();
    directories.dedup();
    for directory in directories.into_iter().filter(|directory| !directory.as_os_str().is_empty()) {
        let Ok(entries) = fs::read_dir(out.join(directory)) else { continue };
        for entry in entries {
            let path = entry?.path();
            let wanted = files.iter().any(|file| out.join(&file.path) == path);
            let ours = || fs::read_to_string(&path).is_ok_and(|text| text.starts_with(HEADER));
            if !wanted && ours() {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
