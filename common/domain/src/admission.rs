//! Which types a tenant lets in: the table, and the tenant's own two lists of exceptions to it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::content_type::ContentType;
use crate::id::InvalidId;
use crate::types::{Danger, Handling, handling};

/// Types on a tenant's list: one, all of a kind (`video/*`), or all (`*/*`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypePattern {
    /// Every type.
    Any,
    /// Every type of a kind, such as `video`.
    Kind(String),
    /// One type, under any of its names.
    One(ContentType),
}

impl TypePattern {
    /// How exactly the pattern names `content_type`: 0 when it does not, 3 when it names it alone.
    fn exactness(&self, content_type: &ContentType) -> u8 {
        match self {
            Self::Any => 1,
            Self::Kind(kind) if content_type.as_str().split('/').next() == Some(kind) => 2,
            Self::One(one) if one.canonical() == content_type.canonical() => 3,
            Self::Kind(_) | Self::One(_) => 0,
        }
    }
}

impl FromStr for TypePattern {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let text = text.trim();
        if text == "*/*" {
            return Ok(Self::Any);
        }
        match text.strip_suffix("/*") {
            // Whatever makes a whole type of it is a kind.
            Some(kind) => format!("{kind}/x")
                .parse::<ContentType>()
                .map(|one| Self::Kind(one.as_str().split('/').next().unwrap_or_default().to_owned())),
            None => text.parse().map(Self::One),
        }
    }
}

impl fmt::Display for TypePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*/*"),
            Self::Kind(kind) => write!(f, "{kind}/*"),
            Self::One(one) => one.fmt(f),
        }
    }
}

impl Serialize for TypePattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TypePattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Why a type does not come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAdmitted {
    /// The table refuses it.
    Dangerous(Danger),
    /// The tenant refuses it.
    Unwanted,
}

/// A tenant's two lists. The one that names a type more exactly counts, and of two that do so equally, the one that denies. What the
/// table refuses comes in only when it is allowed by its own name: no wildcard lets a program in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admission {
    /// Types that come in (`ALLOWED_TYPES`).
    pub allowed: Vec<TypePattern>,
    /// Types that do not (`DENIED_TYPES`).
    pub denied: Vec<TypePattern>,
}

/// Most patterns on one list: they travel with every file that is examined.
pub const MAX_PATTERNS: usize = 200;

impl Admission {
    /// Whether files of a type come in.
    ///
    /// # Errors
    /// Why not.
    pub fn judge(&self, content_type: &ContentType) -> Result<(), NotAdmitted> {
        let most = |list: &[TypePattern]| list.iter().map(|pattern| pattern.exactness(content_type)).max().unwrap_or(0);
        let (allowed, denied) = (most(&self.allowed), most(&self.denied));
        if denied > 0 && denied >= allowed {
            return Err(NotAdmitted::Unwanted);
        }
        match handling(content_type) {
            Handling::Refused(danger) if allowed < 3 => Err(NotAdmitted::Dangerous(danger)),
            Handling::Refused(_) | Handling::Shown | Handling::Pictured | Handling::Saved => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(allowed: &[&str], denied: &[&str]) -> Admission {
        let list = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        Admission { allowed: list(allowed), denied: list(denied) }
    }

    fn admits(admission: &Admission, content_type: &str) -> bool {
        admission.judge(&content_type.parse().unwrap()).is_ok()
    }

    #[test]
    fn without_lists_the_table_decides() {
        let table = Admission::default();
        for good in ["image/jpeg", "application/pdf", "application/octet-stream", "font/woff2"] {
            assert!(admits(&table, good), "{good}");
        }
        for bad in ["text/html", "image/svg+xml", "application/x-msdownload", "application/java-archive", "text/x-sh"] {
            assert!(!admits(&table, bad), "{bad}");
        }
    }

    #[test]
    fn what_the_table_refuses_comes_in_by_its_own_name_alone() {
        assert!(admits(&admission(&["image/svg+xml"], &[]), "image/svg+xml"));
        assert!(admits(&admission(&["image/svg"], &[]), "image/svg+xml"));
        assert!(!admits(&admission(&["image/*", "*/*"], &[]), "image/svg+xml"));
    }

    #[test]
    fn the_more_exact_list_counts_and_of_two_equal_ones_the_one_that_denies() {
        assert!(!admits(&admission(&[], &["video/*"]), "video/mp4"));
        assert!(admits(&admission(&["video/mp4"], &["video/*"]), "video/mp4"));
        assert!(!admits(&admission(&["video/mp4"], &["video/mp4"]), "video/mp4"));
        assert!(!admits(&admission(&["video/*"], &["video/mp4"]), "video/mp4"));
        let pictures_alone = admission(&["image/*", "application/pdf"], &["*/*"]);
        assert!(admits(&pictures_alone, "image/png") && admits(&pictures_alone, "application/pdf"));
        assert!(!admits(&pictures_alone, "text/plain") && !admits(&pictures_alone, "image/svg+xml"));
    }

    #[test]
    fn a_pattern_is_a_type_a_kind_or_all() {
        for text in ["*/*", "video/*", "image/svg+xml"] {
            assert_eq!(text.parse::<TypePattern>().unwrap().to_string(), text);
        }
        assert_eq!(" Video/* ".parse::<TypePattern>().unwrap().to_string(), "video/*");
        for bad in ["", "*", "video", "*/mp4", "vi*/*", "/*", "video/*/*"] {
            assert!(bad.parse::<TypePattern>().is_err(), "{bad}");
        }
    }
}
