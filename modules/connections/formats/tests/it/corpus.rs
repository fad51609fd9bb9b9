//! Files of other readers' test suites, whose path `TRIBUTARY_CORPUS` names, and what those readers make of each. Where
//! we differ, the difference is listed beside the test, with its reason.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::file;

/// A file, and what its reference reader finds in it.
pub struct CorpusFile {
    /// Its path below its kind, without the extension.
    pub name: String,
    pub bytes: Vec<u8>,
    pub expected: Value,
}

/// Where we differ from the other reader, and why ours is right.
pub struct Difference {
    pub file: &'static str,
    /// What the names of the differing fields begin with.
    pub what: &'static str,
    pub why: &'static str,
}

/// What comparing one file came to.
pub struct Compared {
    pub name: String,
    pub rows: usize,
    /// Rows in which nothing differs.
    pub right: usize,
    /// What differs, and how.
    pub differing: Vec<(String, String)>,
    /// As what the file is refused as it is, and how it was compared nevertheless; empty where it is read.
    pub refused: &'static str,
}

/// The files of one kind; `None`, with a word about it, where no corpus is given.
pub fn files(kind: &str) -> Option<Vec<CorpusFile>> {
    let Some(folder) = std::env::var_os("TRIBUTARY_CORPUS") else {
        let required = std::env::var_os("TRIBUTARY_REQUIRE_SERVERS").is_some_and(|value| value == "1");
        assert!(!required, "TRIBUTARY_CORPUS is not set and TRIBUTARY_REQUIRE_SERVERS=1 wants it");
        println!("skipped: TRIBUTARY_CORPUS is not set");
        return None;
    };
    let folder = Path::new(&folder).join(kind);
    let read = |path: &PathBuf| CorpusFile {
        name: path.strip_prefix(&folder).unwrap().with_extension("").to_str().unwrap().to_owned(),
        bytes: std::fs::read(path).unwrap(),
        expected: serde_json::from_slice(&std::fs::read(path.with_extension("expected.json")).unwrap())
            .unwrap(),
    };
    Some(statements_in(&folder).iter().map(read).collect())
}

/// All statements below a folder, in the order of their names.
fn statements_in(folder: &Path) -> Vec<PathBuf> {
    let mut paths = vec![];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.extension().and_then(|end| end.to_str()) {
            _ if path.is_dir() => paths.extend(statements_in(&path)),
            Some("ofx" | "sta") => paths.push(path),
            _ => {}
        }
    }
    paths.sort();
    paths
}

/// The written reasons of each file that differs. Fails where something differs without a reason, and where a reason
/// is written for nothing.
pub fn explained(
    compared: &[Compared],
    differences: &'static [Difference],
) -> BTreeMap<String, Vec<&'static str>> {
    let mut used: BTreeMap<_, usize> =
        differences.iter().map(|known| ((known.file, known.what), 0)).collect();
    let (mut reasons, mut unexplained) = (BTreeMap::<_, Vec<_>>::new(), vec![]);
    for Compared { name, differing, .. } in compared {
        for (what, detail) in differing {
            let known = |known: &&Difference| known.file == name && what.starts_with(known.what);
            let Some(Difference { file, what, why }) = differences.iter().find(known) else {
                unexplained.push(format!("{name} {what}: {detail}"));
                continue;
            };
            *used.entry((file, what)).or_default() += 1;
            let of_file = reasons.entry(name.clone()).or_default();
            if !of_file.contains(why) {
                of_file.push(*why);
            }
        }
    }
    assert!(unexplained.is_empty(), "{}", unexplained.join("\n"));
    let stale: Vec<_> = used.iter().filter(|(_, count)| **count == 0).collect();
    assert!(stale.is_empty(), "differences that are none any more: {stale:?}");
    reasons
}

#[test]
fn corpus_files_cut_anywhere_never_panic() {
    for CorpusFile { bytes, .. } in ["ofx", "mt940"].into_iter().filter_map(files).flatten() {
        for length in (0..bytes.len()).step_by(1 + bytes.len() / 400) {
            let _ = file(&bytes[..length]).currency("EUR").read();
        }
    }
}
