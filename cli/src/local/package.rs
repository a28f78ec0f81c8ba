//! Functions as Lambda takes them: the stripped executable, named `bootstrap`, in a zip file.

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::checkout::Checkout;

/// The functions of the template.
pub const FUNCTIONS: &[&str] = &["api", "archive", "connect", "ingest", "inspect", "reclaim", "relay", "sweep"];

/// A function's zip file.
pub struct Package {
    /// The function, such as `api`.
    pub function: &'static str,
    /// The zip file.
    pub zip: Vec<u8>,
}

/// Packs all functions, each anew only when its executable changed.
///
/// # Errors
/// When one is not built, or `strip` is missing.
pub async fn packages(checkout: &Checkout) -> anyhow::Result<Vec<Package>> {
    let folder = checkout.local().join("packages");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let packing = FUNCTIONS.iter().map(|function| {
        let (folder, executable) = (folder.clone(), checkout.function(function));
        tokio::task::spawn_blocking(move || Ok(Package { function, zip: package(&folder, function, &executable?)? }))
    });
    let packed = futures::future::try_join_all(packing).await?;
    packed.into_iter().collect()
}

fn package(folder: &Path, function: &str, executable: &Path) -> anyhow::Result<Vec<u8>> {
    let built = fs::read(executable).with_context(|| format!("cannot read {}", executable.display()))?;
    let digest = hex::encode(Sha256::digest(&built));
    let kept = folder.join(format!("{function}-{digest}.zip"));
    if let Ok(zip) = fs::read(&kept) {
        return Ok(zip);
    }
    let zip = zipped(&stripped(folder, executable)?)?;
    // Whole or not at all: another run may be reading here.
    let mut whole = tempfile::NamedTempFile::new_in(folder)?;
    whole.write_all(&zip)?;
    whole.persist(&kept).with_context(|| format!("cannot write {}", kept.display()))?;
    forget_others(folder, function, &kept)?;
    Ok(zip)
}

/// The executable without symbols and debug information, which are most of it.
fn stripped(folder: &Path, executable: &Path) -> anyhow::Result<Vec<u8>> {
    let output = tempfile::NamedTempFile::new_in(folder)?;
    let ended = Command::new("strip").arg("-o").arg(output.path()).arg(executable).output();
    let ended = ended.context("cannot run `strip`: install binutils")?;
    anyhow::ensure!(
        ended.status.success(),
        "`strip` failed on {}: {}",
        executable.display(),
        String::from_utf8_lossy(&ended.stderr).trim()
    );
    Ok(fs::read(output.path())?)
}

fn zipped(executable: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    // The same executable makes the same zip file: no time of day in it.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(1))
        .unix_permissions(0o755);
    zip.start_file("bootstrap", options)?;
    zip.write_all(executable)?;
    Ok(zip.finish()?.into_inner())
}

fn forget_others(folder: &Path, function: &str, kept: &Path) -> anyhow::Result<()> {
    let of_function = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.strip_prefix(function).is_some_and(|rest| rest.starts_with('-'))
    };
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if of_function(&path) && path != kept {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                Err(_) | Ok(()) => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, mode and bytes of the one file in a package.
    fn unpacked(zip: &[u8]) -> (String, Option<u32>, Vec<u8>) {
        let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
        assert_eq!(archive.len(), 1);
        let mut file = archive.by_index(0).unwrap();
        let mut bytes = Vec::new();
        std::io::copy(&mut file, &mut bytes).unwrap();
        (file.name().unwrap().into_owned(), file.unix_mode(), bytes)
    }

    #[test]
    fn a_package_holds_the_stripped_executable_as_bootstrap_and_replaces_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let me = std::env::current_exe().unwrap();
        let before = folder.path().join("api-0000.zip");
        let other = folder.path().join("apiary-0000.zip");
        fs::File::create(&before).unwrap();
        fs::File::create(&other).unwrap();

        let zip = package(folder.path(), "api", &me).unwrap();
        let (name, mode, bytes) = unpacked(&zip);
        assert_eq!((name.as_str(), mode.map(|mode| mode & 0o777)), ("bootstrap", Some(0o755)));
        assert!(bytes.starts_with(b"\x7fELF") && bytes.len() < fs::metadata(&me).unwrap().len().try_into().unwrap());
        assert!(!before.exists() && other.exists());
        assert_eq!(package(folder.path(), "api", &me).unwrap(), zip);
    }
}
