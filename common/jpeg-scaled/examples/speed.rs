//! How long a JPEG takes at each scale, as the best of several rounds: `speed FILE…`.

use std::time::{Duration, Instant};

use jpeg_scaled::{Decoder, Error, Options, Scale};

const ROUNDS: usize = 15;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for file in std::env::args().skip(1) {
        let bytes = std::fs::read(&file)?;
        let header = Decoder::new(&bytes)?.header().clone();
        let megapixels = f64::from(header.width) * f64::from(header.height) / 1e6;
        eprintln!("{file}: {megapixels:.1} MP, {} bytes", bytes.len());
        for scale in Scale::ALL {
            let options = Options { scale, ..Options::default() };
            let best = (0..ROUNDS)
                .map(|_| time(&bytes, options))
                .try_fold(Duration::MAX, |best, next| next.map(|next| best.min(next)))?;
            let memory = Decoder::new(&bytes)?.memory(&options);
            eprintln!(
                "  {}/8  {:7.2} ms  {:6.0} MP/s  {memory:10} bytes",
                scale.eighths(),
                best.as_secs_f64() * 1e3,
                megapixels / best.as_secs_f64()
            );
        }
    }
    Ok(())
}

fn time(bytes: &[u8], options: Options) -> Result<Duration, Error> {
    let began = Instant::now();
    std::hint::black_box(Decoder::new(bytes)?.decode(&options)?);
    Ok(began.elapsed())
}
