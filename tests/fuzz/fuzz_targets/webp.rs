//! Any bytes at every scale: an answer comes, and a picture has as many samples as its size says.

#![no_main]

use libfuzzer_sys::fuzz_target;
use webp_scaled::{Scale, decode, parse};

fuzz_target!(|bytes: &[u8]| {
    let Ok(found) = parse(bytes) else { return };
    if u32::from(found.width) * u32::from(found.height) > 1 << 22 {
        return;
    }
    for scale in Scale::ALL {
        if let Ok(picture) = decode(bytes, scale) {
            assert_eq!(picture.rgb().len(), 3 * usize::from(picture.width) * usize::from(picture.height));
        }
    }
});
