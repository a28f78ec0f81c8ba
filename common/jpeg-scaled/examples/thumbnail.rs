//! Decodes a JPEG at the smallest scale at which its longer side has SIDE samples or more, and writes it as PGM or PPM:
//! `thumbnail FILE SIDE OUT`.
//!
//! A real thumbnail is resized from there to its exact size, which other crates do, and turned upright as EXIF says.

use jpeg_scaled::{Color, Decoder, Options, Picture, Plane, Scale};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, side, out] = arguments.as_slice() else { return Err("FILE SIDE OUT".into()) };
    let bytes = std::fs::read(file)?;
    let decoder = Decoder::new(&bytes)?;
    let header = decoder.header();
    let (color, longer) = (header.color, header.width.max(header.height));
    let scale = Scale::at_least(longer.into(), side.parse()?);
    let options = Options { scale, full_chroma: true };
    if decoder.memory(&options) > 256 << 20 {
        return Err("too large".into());
    }
    std::fs::write(out, netpbm(&decoder.decode(&options)?, color)?)?;
    Ok(())
}

/// The picture as a file.
fn netpbm(picture: &Picture, color: Color) -> Result<Vec<u8>, &'static str> {
    let convert = match color {
        Color::Gray | Color::Rgb => |samples| samples,
        Color::YCbCr => to_rgb,
        Color::Cmyk { .. } | Color::Ycck { .. } => return Err("inks need a profile to become colours"),
    };
    match picture.planes.as_slice() {
        [gray] => Ok([format!("P5 {} {} 255\n", gray.width, gray.height).as_bytes(), &gray.samples].concat()),
        [a, b, c] => {
            let mut file = format!("P6 {} {} 255\n", a.width, a.height).into_bytes();
            for (y, x) in (0..a.height).flat_map(|y| (0..a.width).map(move |x| (y, x))) {
                file.extend(convert([a, b, c].map(|plane| nearest(plane, a, x, y))));
            }
            Ok(file)
        }
        _ => Err("neither one plane nor three"),
    }
}

/// The sample of `plane` that is at a place of `first`, which may be larger.
fn nearest(plane: &Plane, first: &Plane, x: usize, y: usize) -> u8 {
    let (x, y) = (x * plane.width / first.width, y * plane.height / first.height);
    plane.samples.get(y * plane.width + x).copied().unwrap_or_default()
}

/// ITU-T T.871, section 7.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
fn to_rgb([luma, blue, red]: [u8; 3]) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(luma), f32::from(blue) - 128.0, f32::from(red) - 128.0);
    [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb]
        .map(|value| value.round().clamp(0.0, 255.0) as u8)
}
