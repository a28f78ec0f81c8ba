//! One picture's thumbnails as a process of its own: `vestibule-thumbnail FILE OUT_FOLDER SIDE…`, what `bench/run.py` measures.
//!
//! Writes `OUT_FOLDER/<side>.<ext>` for each side. Without arguments it does nothing: that is what starting it costs.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use vestibule_domain::content_type::ContentType;
use vestibule_domain::policy::InspectLimits;

fn main() -> Result<()> {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [] => Ok(()),
        [file, folder, sides @ ..] if !sides.is_empty() => run(file.as_ref(), folder.as_ref(), &parse(sides)?),
        _ => bail!("usage: vestibule-thumbnail FILE OUT_FOLDER SIDE…"),
    }
}

/// The sides with their names, from the smallest, as `thumbnails` wants them.
fn parse(sides: &[OsString]) -> Result<Vec<(String, u32)>> {
    let mut named = Vec::new();
    for side in sides {
        let name = side.to_str().context("a side that is no text")?;
        let pixels = name.parse().with_context(|| format!("a side of {name} pixels"))?;
        named.push((name.to_owned(), pixels));
    }
    named.sort_by_key(|(_, pixels)| *pixels);
    Ok(named)
}

fn run(file: &Path, folder: &Path, sides: &[(String, u32)]) -> Result<()> {
    let content_type = content_type(file)?;
    let bytes = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    let variants: Vec<(&str, u32)> = sides.iter().map(|(name, pixels)| (name.as_str(), *pixels)).collect();
    let thumbnails = vestibule_media::thumbnails(&content_type, bytes, &InspectLimits::default(), &variants)
        .with_context(|| format!("thumbnails of {}", file.display()))?;
    for thumbnail in thumbnails {
        let path: PathBuf = folder.join(&thumbnail.name).with_extension(extension(&thumbnail.content_type)?);
        std::fs::write(&path, &thumbnail.bytes.0).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// By the file's name: finding the type out is not what is measured.
fn content_type(file: &Path) -> Result<ContentType> {
    let content_type = match file.extension().and_then(|extension| extension.to_str()) {
        Some("bmp") => "image/bmp",
        Some("gif") => "image/gif",
        Some("jpg") => "image/jpeg",
        Some("png") => "image/png",
        Some("tif") => "image/tiff",
        Some("webp") => "image/webp",
        _ => bail!("{} has no known extension", file.display()),
    };
    content_type.parse().with_context(|| content_type.to_owned())
}

fn extension(content_type: &ContentType) -> Result<&'static str> {
    match content_type.as_str() {
        "image/jpeg" => Ok("jpg"),
        "image/png" => Ok("png"),
        "image/webp" => Ok("webp"),
        other => bail!("a thumbnail of type {other}"),
    }
}
