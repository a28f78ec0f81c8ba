//! Which files: those named, and all in the folders named, in an order that is the same every time.

use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

/// What a walk comes upon.
pub(super) type Step = Result<PathBuf, Unreadable>;

/// A path where nothing can be read.
#[derive(Debug)]
pub(super) struct Unreadable {
    /// The path.
    pub(super) path: PathBuf,
    /// Why not.
    pub(super) error: io::Error,
}

/// A walk over files, depth first, by name. A folder is read when the walk gets there.
///
/// Of what is in a folder, symbolic links are not followed, and what is neither file nor folder is passed over: reading it may never
/// end. A path that was named is followed, and must be a file or a folder.
pub(super) struct Walk {
    /// What is still to be seen, the next one last.
    ahead: Vec<Ahead>,
}

enum Ahead {
    /// Asked for by name: anything at all.
    Named(PathBuf),
    Folder(PathBuf),
    File(PathBuf),
}

impl Walk {
    /// A walk over `named`, in this order.
    pub(super) fn over(named: &[PathBuf]) -> Self {
        Self { ahead: named.iter().rev().cloned().map(Ahead::Named).collect() }
    }

    /// Puts ahead what is in `folder`.
    fn enter(&mut self, folder: &Path) -> io::Result<()> {
        let mut entries: Vec<DirEntry> = fs::read_dir(folder)?.collect::<io::Result<_>>()?;
        entries.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.file_name()));
        for entry in entries {
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.ahead.push(Ahead::Folder(entry.path()));
            } else if kind.is_file() {
                self.ahead.push(Ahead::File(entry.path()));
            }
        }
        Ok(())
    }
}

impl Iterator for Walk {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        loop {
            let folder = match self.ahead.pop()? {
                Ahead::File(path) => return Some(Ok(path)),
                Ahead::Folder(path) => path,
                Ahead::Named(path) => match fs::metadata(&path) {
                    Ok(about) if about.is_dir() => path,
                    Ok(about) if about.is_file() => return Some(Ok(path)),
                    Ok(_) => {
                        let error = io::Error::other("neither a file nor a folder");
                        return Some(Err(Unreadable { path, error }));
                    }
                    Err(error) => return Some(Err(Unreadable { path, error })),
                },
            };
            if let Err(error) = self.enter(&folder) {
                return Some(Err(Unreadable { path: folder, error }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    /// The paths below `folder`, with `!` before those that cannot be read.
    fn walked(folder: &Path, named: &[&str]) -> Vec<String> {
        let named: Vec<PathBuf> = named.iter().map(|name| folder.join(name)).collect();
        let shown = |path: &Path| path.strip_prefix(folder).unwrap().display().to_string();
        Walk::over(&named)
            .map(|step| match step {
                Ok(path) => shown(&path),
                Err(Unreadable { path, .. }) => format!("!{}", shown(&path)),
            })
            .collect()
    }

    #[test]
    fn folders_are_walked_by_name_and_what_is_no_file_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("b/deep/er")).unwrap();
        fs::create_dir(at("empty")).unwrap();
        for name in ["c", "b/z", "b/deep/er/1", "b/deep/2", "a.jpg", ".hidden"] {
            fs::write(at(name), "").unwrap();
        }
        symlink(at("c"), at("b/to-a-file")).unwrap();
        symlink(folder.path(), at("b/deep/round-and-round")).unwrap();
        let _bound = UnixListener::bind(at("b/socket")).unwrap();
        let all = [".hidden", "a.jpg", "b/deep/2", "b/deep/er/1", "b/z", "c"];
        assert_eq!(
            walked(folder.path(), &["."]).iter().map(|path| path.trim_start_matches("./")).collect::<Vec<_>>(),
            all
        );
        assert_eq!(walked(folder.path(), &["c", "b/deep", "empty"]), ["c", "b/deep/2", "b/deep/er/1"]);
    }

    #[test]
    fn what_is_named_is_followed_or_told_of_and_the_walk_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("c"), "").unwrap();
        symlink(at("c"), at("link")).unwrap();
        symlink(at("nowhere"), at("dangling")).unwrap();
        let _bound = UnixListener::bind(at("socket")).unwrap();
        assert_eq!(
            walked(folder.path(), &["nothing", "link", "dangling", "socket", "c"]),
            ["!nothing", "link", "!dangling", "!socket", "c"]
        );
    }
}
