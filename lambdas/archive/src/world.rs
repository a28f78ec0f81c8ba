//! What the function works with.

use vestibule_runtime::sdk::{self, SdkConfig};
use vestibule_store::archive::Archive;

use crate::config::Config;

/// Clients; made once, shared by all invocations.
pub struct World {
    /// The archive.
    pub archive: Archive,
}

impl World {
    /// The real world.
    pub fn new(config: &Config, aws: &SdkConfig) -> Self {
        Self { archive: Archive::new(sdk::s3(aws), config.bucket.clone()) }
    }
}
