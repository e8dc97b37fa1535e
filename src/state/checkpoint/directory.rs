//! The directories of a service and of its queries.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::{CheckpointError, Owner};

/// The directory of a service's queries, which no other process uses meanwhile.
#[derive(Debug)]
pub struct StateDirectory {
    path: PathBuf,
    service: String,
    /// The lock goes with the file, also when the process is killed.
    _lock: File,
}

/// The directory of one query.
#[derive(Clone, Debug)]
pub struct QueryDirectory {
    path: PathBuf,
    owner: Owner,
    /// Whether its plan has taken the place of others.
    is_replacement: bool,
}

/// What a query finds in its directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Nothing.
    New,
    /// Its own logs.
    Own,
    /// Those of a plan whose place its own has taken; they were deleted. What they copy is in the changelogs.
    Replaced,
    /// Something that nobody can say what it is; it was deleted.
    Unknown,
}

impl StateDirectory {
    /// Opens the directory of a service below `root`, makes it if need be, and locks it.
    pub fn open(root: &Path, service: &str) -> Result<Self, CheckpointError> {
        let path = root.join(file_name(service));
        let failed = CheckpointError::io(&path);
        fs::create_dir_all(&path).map_err(&failed)?;
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        let lock = options.open(path.join("lock")).map_err(&failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(CheckpointError::InUse { path }),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        Ok(Self { service: service.to_owned(), _lock: lock, path })
    }

    /// By what the instance that uses the directory is known to groups: a UUID that the directory keeps, made of `random`
    /// bits if it has none.
    pub fn instance_id(&self, random: impl FnOnce() -> u128) -> Result<String, CheckpointError> {
        let path = self.path.join("instance");
        let failed = CheckpointError::io(&path);
        let known = match fs::read(&path) {
            Ok(text) => Uuid::try_parse(String::from_utf8_lossy(&text).trim()).ok(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        if let Some(known) = known {
            return Ok(known.to_string());
        }
        let new = uuid::Builder::from_random_bytes(random().to_be_bytes()).into_uuid();
        write_whole(&path, &format!("{new}\n")).map_err(failed)?;
        Ok(new.to_string())
    }

    /// Where the state of a query is, if it has any.
    pub fn path_of(root: &Path, service: &str, query: &str) -> PathBuf {
        root.join(file_name(service)).join(file_name(query))
    }

    /// Deletes the state of a query, if it has any.
    pub fn remove(&self, query: &str) -> Result<(), CheckpointError> {
        delete(&self.path.join(file_name(query)))
    }

    /// The queries of the service whose state is here, as far as it says whose it is.
    pub fn queries(&self) -> Result<Vec<String>, CheckpointError> {
        let failed = CheckpointError::io(&self.path);
        let mut queries = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(&failed)? {
            let text = fs::read_to_string(entry.map_err(&failed)?.path().join("query"));
            let owner = text.ok().and_then(|text| Owner::parse(&text));
            queries.extend(owner.filter(|owner| owner.service == self.service).map(|it| it.query));
        }
        Ok(queries)
    }

    /// The directory of a query whose plan has this fingerprint.
    pub fn query(&self, query: &str, fingerprint: &str) -> QueryDirectory {
        let owner = Owner {
            service: self.service.clone(),
            query: query.to_owned(),
            fingerprint: fingerprint.to_owned(),
        };
        QueryDirectory { path: self.path.join(file_name(query)), owner, is_replacement: false }
    }
}

impl QueryDirectory {
    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Deletes it, if it is there.
    pub fn delete(&self) -> Result<(), CheckpointError> {
        delete(&self.path)
    }

    /// The same for a plan that has taken the place of others, if it has: then it takes over what is theirs.
    #[must_use]
    pub fn replacing(self, is_replacement: bool) -> Self {
        Self { is_replacement, ..self }
    }

    /// Makes sure that the directory is the query's, and has nothing in it but logs.
    pub fn claim(&self) -> Result<Claim, CheckpointError> {
        let failed = CheckpointError::io(&self.path);
        fs::create_dir_all(&self.path).map_err(&failed)?;
        let claim = match fs::read(self.path.join("query")) {
            Ok(text) => match std::str::from_utf8(&text).ok().and_then(Owner::parse) {
                Some(found) if found == self.owner => Claim::Own,
                Some(found) if self.is_replacement && self.owner.is_of_query_of(&found) => {
                    Claim::Replaced
                }
                Some(found) => {
                    let (found, expected) = (Box::new(found), Box::new(self.owner.clone()));
                    return Err(CheckpointError::Mismatch {
                        path: self.path.clone(),
                        found,
                        expected,
                    });
                }
                None => Claim::Unknown,
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Claim::New,
            Err(error) => return Err(failed(error)),
        };
        let logs = self.remove(|extension| extension == "tmp" || claim != Claim::Own);
        let logs = logs.map_err(&failed)?;
        if claim == Claim::Own {
            return Ok(claim);
        }
        self.write_owner().map_err(failed)?;
        Ok(if logs > 0 && claim == Claim::New { Claim::Unknown } else { claim })
    }

    /// The log of a store's partition.
    pub fn log(&self, store: &str, partition: i32) -> PathBuf {
        self.path.join(format!("{}.{partition}.log", file_name(store)))
    }

    /// Removes files by their extension, and says how many logs went.
    fn remove(&self, is_meant: impl Fn(&str) -> bool) -> io::Result<usize> {
        let mut logs = 0;
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            let Some(extension @ ("log" | "tmp")) = extension else { continue };
            if is_meant(extension) {
                fs::remove_file(&path)?;
                logs += usize::from(extension == "log");
            }
        }
        Ok(logs)
    }

    /// Writes whose directory it is, whole or not at all.
    fn write_owner(&self) -> io::Result<()> {
        write_whole(&self.path.join("query"), &self.owner.to_text())
    }
}

/// Deletes a directory with all that is in it, if it is there.
fn delete(path: &Path) -> Result<(), CheckpointError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(CheckpointError::io(path)(error))
        }
        _ => Ok(()),
    }
}

/// Writes a file, whole or not at all.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("tmp");
    fs::write(&new, text)?;
    fs::rename(new, path)
}

/// A name as that of a file: whatever is not a plain character is written as `%` and its bytes.
fn file_name(name: &str) -> String {
    if name.chars().all(|c| c == '.') {
        return format!("%{}", name.len());
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let plain = |byte| {
        if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    name.bytes().map(plain).collect()
}
