//! The RIFF container. <https://developers.google.com/speed/webp/docs/riff_container>

use crate::Error;
use crate::header;

/// A still lossy picture's parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Container<'a> {
    /// Pixels across.
    pub width: u16,
    /// Pixels down.
    pub height: u16,
    /// The `VP8 ` chunk: colours.
    pub frame: &'a [u8],
    /// The `ALPH` chunk, where one belongs to the picture.
    pub alpha: Option<&'a [u8]>,
}

/// Takes a file apart and reads the frame's size.
///
/// # Errors
/// `Damaged` when a chunk is cut off, when there is no picture in it or when two sizes of it differ; `Unsupported` for lossless
/// and animated pictures.
pub fn parse(file: &[u8]) -> Result<Container<'_>, Error> {
    const CUT_OFF: Error = Error::Damaged("a chunk is cut off");
    let (b"RIFF", length, rest) = chunk_header(file).ok_or(CUT_OFF)? else {
        return Err(Error::Damaged("no RIFF signature"));
    };
    let body = rest.get(..length).ok_or(CUT_OFF)?;
    let mut chunks = body.strip_prefix(b"WEBP").ok_or(Error::Damaged("no WEBP signature"))?;
    let mut canvas = None;
    let mut alpha = None;
    while !chunks.is_empty() {
        let (name, length, rest) = chunk_header(chunks).ok_or(CUT_OFF)?;
        let (chunk, rest) = rest.split_at_checked(length).ok_or(CUT_OFF)?;
        // Chunks begin at even offsets; some encoders leave the last one unpadded.
        chunks = rest.get(length % 2..).unwrap_or_default();
        match name {
            b"VP8X" => {
                let &[flags, _, _, _, w0, w1, w2, h0, h1, h2] = chunk.first_chunk::<10>().ok_or(CUT_OFF)?;
                let side = |bytes| u32::from_le_bytes(bytes) + 1;
                if flags & 0x02 != 0 {
                    return Err(Error::Unsupported("an animation"));
                }
                canvas = Some((flags & 0x10 != 0, side([w0, w1, w2, 0]), side([h0, h1, h2, 0])));
            }
            b"VP8L" => return Err(Error::Unsupported("a lossless picture")),
            b"ALPH" => alpha = alpha.or(Some(chunk)),
            b"VP8 " => {
                let (width, height) = header::size(chunk)?;
                let differs = |(_, w, h)| w != u32::from(width) || h != u32::from(height);
                if canvas.is_some_and(differs) {
                    return Err(Error::Damaged("the canvas is of another size than the frame"));
                }
                let has_alpha = canvas.is_some_and(|(has_alpha, _, _)| has_alpha);
                return Ok(Container { width, height, frame: chunk, alpha: alpha.filter(|_| has_alpha) });
            }
            _ => {}
        }
    }
    Err(Error::Damaged("no picture"))
}

/// A chunk's name, length and what follows the header.
fn chunk_header(bytes: &[u8]) -> Option<(&[u8; 4], usize, &[u8])> {
    let (name, rest) = bytes.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    Some((name, usize::try_from(u32::from_le_bytes(*length)).ok()?, rest))
}
