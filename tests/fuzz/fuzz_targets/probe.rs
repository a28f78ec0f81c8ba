//! Any bytes under any declared type, all the way to thumbnails: a probe ends, in so many steps, and never panics.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vestibule_domain::policy::InspectLimits;
use vestibule_fuzz::File;

fuzz_target!(|input: &[u8]| {
    // Larger pictures only take longer. run.py sees to it that there is a smaller one of every type.
    let limits = InspectLimits {
        max_image_bytes: 1 << 20,
        max_pixels: 1 << 18,
        max_frames: 16,
        max_archive_entries: 64,
        ..InspectLimits::default()
    };
    if let Some(file) = File::of(input) {
        file.examine(&limits);
    }
});
