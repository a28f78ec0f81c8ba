//! Decodes a JPEG at a scale and writes its planes: `planes FILE 1|2|3|4|8 FOLDER`.

use std::path::Path;

use jpeg_scaled::{Decoder, Options, Scale};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, eighths, folder] = arguments.as_slice() else { return Err("FILE SCALE FOLDER".into()) };
    let scale = Scale::ALL.into_iter().find(|scale| scale.eighths().to_string() == *eighths).ok_or("no such scale")?;
    let bytes = std::fs::read(file)?;
    let picture = Decoder::new(&bytes)?.decode(&Options { scale, full_chroma: false })?;
    for (number, plane) in picture.planes.iter().enumerate() {
        let mut file = format!("P5 {} {} 255\n", plane.width, plane.height).into_bytes();
        file.extend_from_slice(&plane.samples);
        std::fs::write(Path::new(folder).join(format!("{number}.pgm")), file)?;
    }
    Ok(())
}
