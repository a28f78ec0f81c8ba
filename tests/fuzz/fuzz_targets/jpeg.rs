//! Decodes any bytes at all scales: an answer comes, and a picture has the planes that were promised, within the memory that was announced.

#![no_main]

use jpeg_scaled::{Decoder, Options, Scale};
use libfuzzer_sys::fuzz_target;

/// Larger pictures only take longer, in bytes.
const MAX_MEMORY: usize = 4 << 20;

fuzz_target!(|bytes: &[u8]| {
    for scale in Scale::ALL {
        for full_chroma in [false, true] {
            let options = Options { scale, full_chroma };
            let Ok(decoder) = Decoder::new(bytes) else { return };
            let memory = decoder.memory(&options);
            if memory > MAX_MEMORY {
                continue;
            }
            let header = decoder.header().clone();
            let Ok(picture) = decoder.decode(&options) else { continue };
            assert_eq!(picture.planes.len(), header.components.len());
            assert!(picture.end <= bytes.len());
            let mut taken = 0;
            for (plane, component) in picture.planes.iter().zip(&header.components) {
                assert_eq!(plane.samples.len(), plane.width * plane.height);
                let largest = |of: fn(&jpeg_scaled::Component) -> u8| header.components.iter().map(of).max().unwrap();
                let (wide, high) = (largest(|one| one.horizontal), largest(|one| one.vertical));
                for (samples, pixels, own, largest) in [
                    (plane.width, header.width, component.horizontal, wide),
                    (plane.height, header.height, component.vertical, high),
                ] {
                    let expected = |eighths: usize| {
                        (usize::from(pixels) * usize::from(own) * eighths).div_ceil(usize::from(largest) * 8)
                    };
                    let sizes = [1, 2, 4, 8].map(|times| expected(scale.eighths() * times));
                    let promised = if full_chroma { &sizes[..] } else { &sizes[..1] };
                    assert!(promised.contains(&samples), "{samples} of {promised:?}");
                }
                taken += plane.samples.capacity();
            }
            assert!(taken <= memory, "{taken} bytes of {memory}");
        }
    }
});
