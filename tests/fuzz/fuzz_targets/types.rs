//! What a file is, of any bytes under any declared type. No picture is small enough to be decoded here, so this is fast; and the answer
//! is the same each time.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vestibule_domain::policy::InspectLimits;
use vestibule_fuzz::File;

fuzz_target!(|input: &[u8]| {
    let limits = InspectLimits { max_image_bytes: 0, ..InspectLimits::default() };
    if let Some(file) = File::of(input) {
        assert_eq!(file.examine(&limits), file.examine(&limits));
    }
});
