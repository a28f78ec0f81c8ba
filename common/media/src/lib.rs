//! Bytes to facts and thumbnails. Pure: bytes and limits in, values out.
//!
//! [`probe::Probe`] reads without doing I/O: it says which range it needs next, and its driver fetches it from a URL, a file or
//! a slice. From the first bytes it learns the type (`sniff`) and whether the sender told the truth about it (`claim`).
//! A picture is then read whole and goes through `picture`, whose steps are the other modules, one each: `structure` (is all
//! of it there, and nothing else?), `limits`, `decode`, `resize`, `colour`, `orient`, `encode` and `preview`.
//! Of other files, `inside` says what a container holds, `document` draws a first page and `text` reads first lines.

#[cfg(any(feature = "avif", feature = "heic", feature = "video"))]
mod bits;
#[cfg(any(feature = "heic", feature = "avif", feature = "jxl"))]
mod boxes;
mod claim;
mod colour;
mod content;
mod decode;
#[cfg(feature = "pdf")]
mod document;
mod encode;
#[cfg(feature = "video")]
mod film;
#[cfg(any(feature = "audio", feature = "pdf"))]
mod guarded;
#[cfg(any(feature = "heic", feature = "avif"))]
mod heif;
mod inside;
mod limits;
mod orient;
mod picture;
mod polyglot;
mod preview;
pub mod probe;
mod raster;
mod resize;
mod sniff;
#[cfg(feature = "audio")]
mod sound;
mod sparse;
mod stop;
mod structure;
#[cfg(feature = "text")]
mod text;
mod trouble;

pub use picture::{NotShown, RECIPE, VARIANTS, thumbnails};
