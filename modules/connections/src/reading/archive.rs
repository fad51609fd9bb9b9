use std::io::{self, Read, Seek, SeekFrom};

use kernel::{Code, Problem};
use zip::read::{Config, ZipFile, ZipFileEntry};
use zip::result::ZipError;
// The reader that does not hold an entry in memory for each that a directory claims to have.
use zip::ZipReadOptions;
use zip::unstable::read::ZipIterable;

/// The directory of an honest archive is some kilobytes.
const MOST_DIRECTORY_BYTES: u64 = 4 * 1024 * 1024;
/// A small archive may grow to this, whatever its ratio: a table of zeros is no bomb yet.
const ALWAYS_BEARABLE: u64 = 1024 * 1024;
const MOST_NAME_CHARACTERS: usize = 255;
/// How files that may hold further files begin: ZIP, gzip, bzip2, xz, 7z, RAR, Zstandard.
const ARCHIVES: [&[u8]; 7] = [
    b"PK\x03\x04",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ\0",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"\x28\xb5\x2f\xfd",
];

const SHEET: &[u8] = b"[Content_Types].xml";

/// What is taken from one archive at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ArchiveLimits {
    pub(crate) files: usize,
    pub(crate) bytes: u64,
    /// Bytes of files for each byte of the archive.
    pub(crate) ratio: u64,
}

/// Why an archive is not taken apart.
#[derive(Debug)]
pub(crate) enum Unpackable {
    /// It, or a file in it, will not do.
    Refused(Box<Problem>),
    /// Its bytes could not be had; not its fault.
    Unreadable(io::Error),
}

/// The files of an archive, judged by its directory.
///
/// Names are for people alone and never lead anywhere.
pub(crate) struct Archive<R> {
    reader: R,
    entries: std::vec::IntoIter<ZipFileEntry<'static>>,
}

/// A file of an archive, to be read to its end: only then is it known to be whole.
pub(crate) struct ArchivedFile<'a, R: Read> {
    /// The last part of its name, fit to be shown.
    pub(crate) name: String,
    /// Its size in the archive.
    pub(crate) packed_bytes: u64,
    content: ZipFile<'a, R>,
}

impl<R: Read + Seek> Archive<R> {
    /// Reads the directory of an archive of `size` bytes. `directory` and `reader` both read all of it.
    pub(crate) fn open(
        directory: R,
        reader: R,
        size: u64,
        limits: ArchiveLimits,
    ) -> Result<Self, Unpackable> {
        let directory = Metered { from: directory, left: MOST_DIRECTORY_BYTES };
        let mut directory =
            ZipIterable::try_new(directory, Config::default()).map_err(|error| told(error, "it"))?;
        let (mut entries, mut bytes) = (Vec::new(), 0_u64);
        for entry in directory.files().map_err(|error| told(error, "it"))? {
            let entry = entry.map_err(|error| told(error, "it"))?;
            if is_of_no_interest(&entry) {
                continue;
            }
            if entry.encrypted() {
                return Err(refused(
                    Code::EncryptedArchive,
                    format!("{:?} is encrypted", shown_name(&entry)),
                ));
            }
            bytes = bytes.saturating_add(entry.size());
            entries.push(entry);
            if entries.len() > limits.files {
                return Err(refused(Code::ArchiveTooLarge, format!("more than {} files", limits.files)));
            }
        }
        check(bytes, size, limits)?;
        if entries.is_empty() {
            return Err(refused(Code::EmptyFile, "there is no file in the archive"));
        }
        Ok(Self { reader, entries: entries.into_iter() })
    }

    /// The next file in the order of the directory.
    pub(crate) fn next(&mut self) -> Option<Result<ArchivedFile<'_, R>, Unpackable>> {
        let entry = self.entries.next()?;
        let (name, packed_bytes) = (shown_name(&entry), entry.compressed_size());
        let content = entry.with_reader(&mut self.reader, ZipReadOptions::new());
        let content = content.map_err(|error| told(error, &format!("{name:?}")));
        Some(content.map(|content| ArchivedFile { name, packed_bytes, content }))
    }
}

impl<R: Read + Seek> ArchivedFile<'_, R> {
    /// Fills `buffer` as far as the file goes; less than that is its end.
    pub(crate) fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Unpackable> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.content.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(told(ZipError::Io(error), &format!("{:?}", self.name))),
            }
        }
        Ok(filled)
    }

    /// Refuses a file that begins as an archive does. Spreadsheets are archives too, but nobody looks into those.
    pub(crate) fn refuse_nested(&self, beginning: &[u8]) -> Result<(), Unpackable> {
        let is_sheet = beginning.windows(SHEET.len()).any(|window| window == SHEET);
        if is_sheet || !ARCHIVES.iter().any(|start| beginning.starts_with(start)) {
            return Ok(());
        }
        Err(refused(Code::NestedArchive, format!("{:?} is an archive itself; send it alone", self.name)))
    }
}

fn check(bytes: u64, size: u64, limits: ArchiveLimits) -> Result<(), Unpackable> {
    let ArchiveLimits { bytes: most, ratio, .. } = limits;
    let detail = if bytes > most {
        format!("its files have more than {most} bytes together")
    } else if bytes > ALWAYS_BEARABLE.max(size.saturating_mul(ratio)) {
        format!("its files are more than {ratio} times its own size")
    } else {
        return Ok(());
    };
    Err(refused(Code::ArchiveTooLarge, detail))
}

/// Folders, links, and what systems add without being asked.
fn is_of_no_interest(entry: &ZipFileEntry<'_>) -> bool {
    let raw = entry.name_raw();
    let last = raw.rsplit(|byte| matches!(byte, b'/' | b'\\')).next().unwrap_or_default();
    let is_folder = entry.is_dir() || last.is_empty();
    is_folder
        || entry.is_symlink()
        || raw.starts_with(b"__MACOSX/")
        || matches!(last, b".DS_Store" | b"Thumbs.db")
}

fn shown_name(entry: &ZipFileEntry<'_>) -> String {
    let name = entry
        .name()
        .map_or_else(|_| String::from_utf8_lossy(entry.name_raw()).into_owned(), |name| name.into_owned());
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    last.chars().filter(|c| !c.is_control()).take(MOST_NAME_CHARACTERS).collect()
}

fn told(error: ZipError, what: &str) -> Unpackable {
    match error {
        // Ours say nothing of what the bytes are; the errors of the unpackers all do.
        ZipError::Io(error) if error.kind() == io::ErrorKind::Other => Unpackable::Unreadable(error),
        ZipError::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            refused(Code::ArchiveTooLarge, "its directory is too large")
        }
        ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_) => {
            refused(Code::UnsupportedFormat, format!("{what} is packed in a way that is not read here"))
        }
        _ => refused(Code::MalformedFile, format!("{what} is damaged")),
    }
}

fn refused(code: Code, detail: impl Into<String>) -> Unpackable {
    Unpackable::Refused(Box::new(Problem::new(code).detail(detail)))
}

/// Gives no more than so many bytes, however often it is told to go back.
struct Metered<R> {
    from: R,
    left: u64,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(count)
    }
}

impl<R: Seek> Seek for Metered<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.from.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    const LIMITS: ArchiveLimits = ArchiveLimits { files: 10, bytes: 100_000, ratio: 100 };

    fn archive() -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for name in ["one.csv", "two/three.csv"] {
            writer.start_file(name, SimpleFileOptions::default()).unwrap();
            writer.write_all(&b"Date,Amount\n".repeat(9)).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    /// Names and sizes, or whose fault it is.
    fn read(bytes: &[u8]) -> Result<Vec<(String, usize)>, Unpackable> {
        let (directory, reader) = (Cursor::new(bytes), Cursor::new(bytes));
        let mut archive = Archive::open(directory, reader, bytes.len() as u64, LIMITS)?;
        let mut files = Vec::new();
        while let Some(file) = archive.next() {
            let (mut file, mut buffer) = (file?, vec![0; 200_000]);
            let size = file.fill(&mut buffer)?;
            files.push((file.name, size));
        }
        Ok(files)
    }

    #[test]
    fn every_truncation_and_every_wrong_byte_is_the_files_own_fault() {
        let whole = archive();
        assert_eq!(read(&whole).unwrap(), [("one.csv".to_owned(), 108), ("three.csv".to_owned(), 108)]);
        for length in 0..whole.len() {
            assert!(matches!(read(&whole[..length]), Err(Unpackable::Refused(_))), "cut to {length}");
        }
        for at in 0..whole.len() {
            for wrong in [0, 1, 0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = wrong;
                match read(&bytes) {
                    Ok(files) => assert!(files.iter().all(|(_, size)| *size <= 108)),
                    Err(Unpackable::Refused(_)) => {}
                    Err(Unpackable::Unreadable(error)) => panic!("byte {at} as {wrong}: {error}"),
                }
            }
        }
    }

    #[test]
    fn a_directory_that_claims_millions_of_files_is_refused_before_it_is_read() {
        let mut bytes = archive();
        let end = bytes.len() - 22;
        // APPNOTE.TXT 4.3.16: entries on this disk, entries in all, size of the directory.
        bytes[end + 8..end + 12].fill(0xff);
        bytes[end + 12..end + 16].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(matches!(read(&bytes), Err(Unpackable::Refused(_))));
    }
}
