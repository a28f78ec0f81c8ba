//! The function's settings.

use std::time::Duration;

use vestibule_domain::admission::{Admission, MAX_PATTERNS};
use vestibule_domain::policy::{EncryptedFiles, InspectLimits, InspectPolicy};
use vestibule_runtime::config::{ConfigError, Settings};

use crate::sandbox::Budget;

/// Everything that the environment decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// What may come in: limits (`MAX_UPLOAD_BYTES`, `MAX_IMAGE_BYTES`, `MAX_PIXELS`, `MAX_FRAMES`, `MAX_ARCHIVE_ENTRIES`,
    /// `MAX_ARCHIVE_BYTES`, `MAX_ARCHIVE_RATIO`), the tenant's types (`ALLOWED_TYPES`, `DENIED_TYPES`, separated by commas, default
    /// none), and `ENCRYPTED_FILES` (`refuse`, the default, or `accept`).
    pub policy: InspectPolicy,
    /// What one file may cost (`INSPECT_MEMORY_BYTES`, `INSPECT_CPU_SECONDS`, `INSPECT_WALL_SECONDS`).
    pub budget: Budget,
    /// How much is logged (`LOG_LEVEL`, default `info`).
    pub log_level: String,
}

/// Largest picture that may be allowed to be read whole: a range travels to the child in one frame, and twice that fits in
/// memory beside it.
const MOST_IMAGE_BYTES: u64 = 512 * 1024 * 1024;

impl Config {
    /// Reads the settings through `lookup`.
    ///
    /// # Errors
    /// Every setting that is wrong, together.
    pub fn read(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let (limits, budget) = (InspectLimits::default(), Budget::default());
        let mut settings = Settings::new(lookup);
        let config = Self {
            policy: InspectPolicy {
                limits: limits_of(&mut settings, limits),
                admission: Admission {
                    allowed: settings.list("ALLOWED_TYPES", MAX_PATTERNS),
                    denied: settings.list("DENIED_TYPES", MAX_PATTERNS),
                },
                encrypted: settings.choice(
                    "ENCRYPTED_FILES",
                    &[("refuse", EncryptedFiles::Refuse), ("accept", EncryptedFiles::Accept)],
                ),
            },
            budget: Budget {
                memory_bytes: settings.number("INSPECT_MEMORY_BYTES", budget.memory_bytes, 64 << 20..=1 << 40),
                cpu_seconds: settings.number("INSPECT_CPU_SECONDS", budget.cpu_seconds, 1..=900),
                wall: Duration::from_secs(settings.number("INSPECT_WALL_SECONDS", budget.wall.as_secs(), 1..=900)),
            },
            log_level: settings.log_level(),
        };
        settings.finish(config)
    }
}

fn limits_of(settings: &mut Settings<'_>, limits: InspectLimits) -> InspectLimits {
    InspectLimits {
        max_upload_bytes: settings.number("MAX_UPLOAD_BYTES", limits.max_upload_bytes, 1..=u64::MAX),
        max_image_bytes: settings.number("MAX_IMAGE_BYTES", limits.max_image_bytes, 1..=MOST_IMAGE_BYTES),
        max_pixels: settings.number("MAX_PIXELS", limits.max_pixels, 1..=1_000_000_000),
        max_frames: settings.number("MAX_FRAMES", limits.max_frames, 1..=u32::MAX),
        max_archive_entries: settings.number("MAX_ARCHIVE_ENTRIES", limits.max_archive_entries, 1..=u64::MAX),
        max_archive_bytes: settings.number("MAX_ARCHIVE_BYTES", limits.max_archive_bytes, 1..=u64::MAX),
        max_archive_ratio: settings.number("MAX_ARCHIVE_RATIO", limits.max_archive_ratio, 1..=u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_settings_the_templates_defaults_hold() {
        let config = Config::read(&|_| None).unwrap();
        assert_eq!(config.policy, InspectPolicy::default());
        assert_eq!(config.budget, Budget::default());
        let template = include_str!("../../../infra/template.yaml");
        for (parameter, value) in [
            ("MaxUploadBytes", config.policy.limits.max_upload_bytes),
            ("MaxImageBytes", config.policy.limits.max_image_bytes),
            ("MaxPixels", config.policy.limits.max_pixels),
            ("MaxFrames", config.policy.limits.max_frames.into()),
            ("MaxArchiveEntries", config.policy.limits.max_archive_entries),
            ("MaxArchiveBytes", config.policy.limits.max_archive_bytes),
            ("MaxArchiveRatio", config.policy.limits.max_archive_ratio),
            ("InspectMemoryBytes", config.budget.memory_bytes),
            ("InspectCpuSeconds", config.budget.cpu_seconds),
            ("InspectWallSeconds", config.budget.wall.as_secs()),
        ] {
            let (_, after) = template.split_once(&format!("\n  {parameter}:\n")).unwrap();
            let default = after.lines().find_map(|line| line.trim().strip_prefix("Default: ")).unwrap();
            assert_eq!(default, value.to_string(), "{parameter}");
        }
    }

    #[test]
    fn a_tenants_types_are_taken_and_an_empty_list_is_none() {
        let config = Config::read(&|name| match name {
            "ALLOWED_TYPES" => Some("image/svg+xml, text/html".to_owned()),
            "DENIED_TYPES" => Some(String::new()),
            "ENCRYPTED_FILES" => Some("accept".to_owned()),
            _ => None,
        });
        let policy = config.unwrap().policy;
        assert!(policy.admission.judge(&"image/svg+xml".parse().unwrap()).is_ok());
        assert_eq!((policy.admission.denied, policy.encrypted), (vec![], EncryptedFiles::Accept));
        let wrong =
            Config::read(&|name| matches!(name, "DENIED_TYPES" | "ENCRYPTED_FILES").then(|| "video,".to_owned()));
        let wrong = wrong.unwrap_err().to_string();
        assert!(wrong.contains("DENIED_TYPES") && wrong.contains("ENCRYPTED_FILES"), "{wrong}");
    }

    #[test]
    fn settings_are_taken_and_wrong_ones_are_named_together() {
        let config = Config::read(&|name| (name == "MAX_PIXELS").then(|| "7".to_owned())).unwrap();
        assert_eq!(config.policy.limits.max_pixels, 7);
        let wrong = Config::read(&|name| (name != "LOG_LEVEL").then(|| "0".to_owned())).unwrap_err().to_string();
        for name in ["MAX_UPLOAD_BYTES", "MAX_IMAGE_BYTES", "MAX_PIXELS", "MAX_FRAMES", "INSPECT_MEMORY_BYTES"] {
            assert!(wrong.contains(name), "{wrong}");
        }
    }
}
