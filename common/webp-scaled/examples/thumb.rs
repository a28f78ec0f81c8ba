//! Decodes a lossy WebP at 1/1, 1/2, 1/4 or 1/8 of its size and writes it as a PPM: `thumb FILE DIVISOR [OUT.ppm [TIMES]]`.

use std::error::Error;
use std::io::Write as _;

use webp_scaled::{Scale, decode};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, divisor, rest @ ..] = &arguments[..] else { return Err("thumb FILE DIVISOR [OUT.ppm [TIMES]]".into()) };
    let divisor: u16 = divisor.parse()?;
    let scale = Scale::ALL.into_iter().find(|scale| scale.divisor() == divisor).ok_or("1, 2, 4 or 8")?;
    let bytes = std::fs::read(file)?;
    let times: u32 = rest.get(1).map_or(Ok(1), |times| times.parse())?;
    for _ in 1..times {
        decode(&bytes, scale)?;
    }
    let picture = decode(&bytes, scale)?;
    if let Some(out) = rest.first() {
        let mut out = std::fs::File::create(out)?;
        write!(out, "P6\n{} {}\n255\n", picture.width, picture.height)?;
        out.write_all(&picture.rgb())?;
    }
    Ok(())
}
