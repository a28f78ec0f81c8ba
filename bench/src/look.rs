//! All that is done with one file, as a process of its own: `vestibule-look FILE OUT_FOLDER` reads it by the ranges that the probe asks for, finds
//! its type and facts, and writes `OUT_FOLDER/320.<ext>` and `1280.<ext>`.
//!
//! Beside peers that only make a picture it also finds out what the file is. Without arguments it does nothing: that is what starting it costs.

#![expect(clippy::print_stdout, reason = "a command's report")]

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, bail};
use vestibule_domain::content_type::ContentType;
use vestibule_domain::policy::InspectPolicy;
use vestibule_media::probe::{Probe, Step, Subject, Verdict};

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [] => Ok(()),
        [file, folder] => run(file.as_ref(), folder.as_ref()),
        _ => bail!("usage: vestibule-look FILE OUT_FOLDER"),
    }
}

fn run(path: &Path, folder: &Path) -> Result<()> {
    let mut file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let size = file.metadata()?.len();
    let subject = Subject { size, declared_type: ContentType::octet_stream(), declared_sha256: None };
    let mut step = Probe::start(subject, InspectPolicy::default());
    let mut count = 0;
    let examination = loop {
        step = match step {
            Step::Done(examination) => break examination,
            Step::Need(probe) => {
                let range = probe.range();
                count += range.end - range.start;
                probe.supply(read(&mut file, &range)?)?
            }
        };
    };
    let Verdict::Accepted(found) = examination.verdict else {
        bail!("error: refused: {:?}", examination.detail);
    };
    if found.thumbnails.is_empty() {
        bail!("error: no thumbnails: {:?}", examination.detail);
    }
    for made in &found.thumbnails {
        let extension = made.content_type.as_str().trim_start_matches("image/").replace("jpeg", "jpg");
        let path = folder.join(&made.name).with_extension(extension);
        std::fs::write(&path, &made.bytes.0).with_context(|| format!("writing {}", path.display()))?;
    }
    println!("read {count} of {size} bytes");
    Ok(())
}

fn read(file: &mut File, range: &Range<u64>) -> Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(range.end - range.start)?];
    file.seek(SeekFrom::Start(range.start))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}
