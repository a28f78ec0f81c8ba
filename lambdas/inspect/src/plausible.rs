//! What of a child's answer no honest child says: a decoder that was taken over may say anything, so everything is bounded here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vestibule_domain::inspection::{Facts, Inspection, MAX_CODECS, MAX_EXCERPT_BYTES, Thumbnail, WAVEFORM_POINTS};
use vestibule_domain::policy::InspectPolicy;
use vestibule_domain::rejection::Rejection;
use vestibule_media::VARIANTS;
use vestibule_media::probe::Verdict;

/// Longest facts, in bytes of JSON: those of twenty attachments share an item of DynamoDB with everything else in it.
const MAX_FACTS_BYTES: usize = 2048;
/// Longest name of a codec, an encoding or a recipe, in bytes.
const MAX_NAME_BYTES: usize = 48;
/// Longest thumbhash, in bytes before base 64: <https://evanw.github.io/thumbhash/> makes at most 25.
const MAX_THUMBHASH_BYTES: usize = 32;
/// Longest sentence of a refusal, in bytes.
const MAX_SENTENCE_BYTES: usize = 400;

/// The types a thumbnail may have, and how a file of that type begins. `.` is any byte.
const THUMBNAILS: [(&str, &[u8]); 3] =
    [("image/jpeg", b"\xFF\xD8\xFF"), ("image/png", b"\x89PNG\r\n\x1A\n"), ("image/webp", b"RIFF....WEBP")];

/// The first thing in a verdict that no honest child says under this policy.
pub(crate) fn implausible(verdict: &Verdict, policy: &InspectPolicy) -> Option<String> {
    match verdict {
        Verdict::Rejected(rejection) => bad_rejection(rejection),
        Verdict::Accepted(found) => {
            let Inspection { facts, thumbnails } = &**found;
            bad_facts(facts, policy).or_else(|| bad_thumbnails(thumbnails))
        }
    }
}

/// The sentence goes to the person who sent the file.
fn bad_rejection(rejection: &Rejection) -> Option<String> {
    let fine = (1..=MAX_SENTENCE_BYTES).contains(&rejection.message.len()) && is_plain(&rejection.message, "");
    (!fine).then(|| format!("it refused in {} bytes that are no sentence", rejection.message.len()))
}

fn bad_facts(facts: &Facts, policy: &InspectPolicy) -> Option<String> {
    let Facts { content_type, codecs, waveform, encoding, excerpt, thumbhash, recipe, .. } = facts;
    let length = serde_json::to_vec(facts).map_or(usize::MAX, |json| json.len());
    let checks = [
        (policy.admission.judge(content_type).is_ok(), "a type that does not come in"),
        (facts.parts.is_none(), "digests of parts, which it cannot know"),
        (facts.rotation.is_none_or(|degrees| matches!(degrees, 90 | 180 | 270)), "a rotation that is none"),
        (facts.width.is_none_or(|width| width > 0) && facts.height.is_none_or(|height| height > 0), "no pixels"),
        (codecs.len() <= MAX_CODECS, "too many codecs"),
        (codecs.iter().all(|codec| is_name(codec)), "a codec that is no name"),
        (waveform.as_ref().is_none_or(|text| decoded(text) == Some(WAVEFORM_POINTS)), "a waveform that is none"),
        (encoding.as_ref().is_none_or(|name| is_name(name)), "an encoding that is no name"),
        (excerpt.as_ref().is_none_or(|text| is_excerpt(text)), "an excerpt that is none"),
        (thumbhash.as_ref().is_none_or(|text| is_thumbhash(text)), "a thumbhash that is none"),
        (recipe.as_ref().is_none_or(|name| is_name(name)), "a recipe that is no name"),
        (length <= MAX_FACTS_BYTES, "too much"),
    ];
    checks.iter().find(|(fine, _)| !fine).map(|(_, what)| format!("it found {what}"))
}

fn bad_thumbnails(thumbnails: &[Thumbnail]) -> Option<String> {
    if thumbnails.len() > VARIANTS.len() {
        return Some("it made too many thumbnails".to_owned());
    }
    for (at, Thumbnail { name, content_type, width, height, bytes }) in thumbnails.iter().enumerate() {
        let fits = |side: u32| (1..=side).contains(width) && (1..=side).contains(height);
        let known = VARIANTS.iter().any(|(variant, side)| variant == name && fits(*side));
        let twice = thumbnails.iter().skip(at + 1).any(|other| other.name == *name);
        let begins = THUMBNAILS.iter().find(|(known, _)| *known == content_type.as_str());
        let as_it_says = begins.is_some_and(|(_, magic)| begins_with(&bytes.0, magic));
        if !known || twice || !as_it_says {
            let name: String = name.chars().take(MAX_NAME_BYTES).collect();
            return Some(format!("it made a thumbnail {name:?} of {content_type}, {width} × {height}"));
        }
    }
    None
}

fn begins_with(bytes: &[u8], magic: &[u8]) -> bool {
    bytes
        .get(..magic.len())
        .is_some_and(|head| head.iter().zip(magic).all(|(byte, want)| byte == want || *want == b'.'))
}

/// A short word of visible ASCII, such as `avc1.64001f`, `windows-1252` or `r2`.
fn is_name(text: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_excerpt(text: &str) -> bool {
    text.len() <= MAX_EXCERPT_BYTES && is_plain(text, "\n\t")
}

fn is_thumbhash(text: &str) -> bool {
    decoded(text).is_some_and(|length| (1..=MAX_THUMBHASH_BYTES).contains(&length))
}

/// Whether a text holds no control character but those `allowed`.
fn is_plain(text: &str, allowed: &str) -> bool {
    text.chars().all(|c| !c.is_control() || allowed.contains(c))
}

/// How many bytes a text in base 64 holds; `None` when it is none.
fn decoded(text: &str) -> Option<usize> {
    STANDARD.decode(text).ok().map(|bytes| bytes.len())
}

#[cfg(test)]
mod tests {
    use vestibule_domain::admission::Admission;
    use vestibule_domain::inspection::{Base64, PartDigests};
    use vestibule_domain::rejection::RejectionCode;

    use super::*;

    /// The largest that an honest child can have to say.
    fn most() -> Facts {
        Facts {
            sha256: Some("f".repeat(64).parse().unwrap()),
            width: Some(u32::MAX),
            height: Some(u32::MAX),
            rotation: Some(270),
            frames: Some(u32::MAX),
            duration_millis: Some(u64::MAX),
            codecs: vec!["a".repeat(MAX_NAME_BYTES); MAX_CODECS],
            waveform: Some(STANDARD.encode([7; WAVEFORM_POINTS])),
            pages: Some(u32::MAX),
            macros: Some(false),
            encrypted: Some(false),
            encoding: Some("e".repeat(MAX_NAME_BYTES)),
            // A line break is two characters in JSON.
            excerpt: Some("\n".repeat(MAX_EXCERPT_BYTES)),
            entries: Some(u64::MAX),
            unpacked_size: Some(u64::MAX),
            thumbhash: Some(STANDARD.encode([7; MAX_THUMBHASH_BYTES])),
            recipe: Some("r".repeat(MAX_NAME_BYTES)),
            ..Facts::of_type(format!("application/{}", "t".repeat(127)).parse().unwrap())
        }
    }

    fn made(name: &str, content_type: &str, side: u32, bytes: &[u8]) -> Thumbnail {
        let content_type = content_type.parse().unwrap();
        Thumbnail { name: name.to_owned(), content_type, width: side, height: 1, bytes: Base64(bytes.to_vec()) }
    }

    const JPEG: &[u8] = b"\xFF\xD8\xFF\xE0";

    fn judged(facts: Facts, thumbnails: Vec<Thumbnail>) -> Option<String> {
        let verdict = Verdict::Accepted(Box::new(Inspection { facts, thumbnails }));
        implausible(&verdict, &InspectPolicy::default())
    }

    #[test]
    fn the_most_that_an_honest_child_says_is_believed() {
        let pictures = vec![
            made("320", "image/jpeg", 320, JPEG),
            made("1280", "image/webp", 1280, b"RIFF\x01\x02\x03\x04WEBPVP8 "),
        ];
        assert_eq!(judged(most(), pictures), None);
        assert_eq!(judged(Facts::of_type("text/plain".parse().unwrap()), vec![]), None);
        let png = made("320", "image/png", 1, b"\x89PNG\r\n\x1A\n\0");
        assert_eq!(judged(Facts::of_type("image/png".parse().unwrap()), vec![png]), None);
    }

    #[test]
    fn every_fact_is_bounded() {
        type Change = fn(&mut Facts);
        let changes: &[(&str, Change)] = &[
            ("type", |facts| facts.content_type = "text/html".parse().unwrap()),
            ("parts", |facts| facts.parts = Some(PartDigests { part_size: 1, sha256: vec![] })),
            ("rotation", |facts| facts.rotation = Some(0)),
            ("rotation", |facts| facts.rotation = Some(91)),
            ("pixels", |facts| facts.width = Some(0)),
            ("pixels", |facts| facts.height = Some(0)),
            ("codecs", |facts| facts.codecs.push("opus".to_owned())),
            ("codec", |facts| facts.codecs = vec!["a".repeat(MAX_NAME_BYTES + 1)]),
            ("codec", |facts| facts.codecs = vec![String::new()]),
            ("codec", |facts| facts.codecs = vec!["a b".to_owned()]),
            ("waveform", |facts| facts.waveform = Some(STANDARD.encode([7; WAVEFORM_POINTS - 1]))),
            ("waveform", |facts| facts.waveform = Some(STANDARD.encode([7; WAVEFORM_POINTS + 1]))),
            ("waveform", |facts| facts.waveform = Some("<".repeat(136))),
            ("encoding", |facts| facts.encoding = Some("e".repeat(MAX_NAME_BYTES + 1))),
            ("excerpt", |facts| facts.excerpt = Some("e".repeat(MAX_EXCERPT_BYTES + 1))),
            ("excerpt", |facts| facts.excerpt = Some("\u{1b}[2J".to_owned())),
            ("excerpt", |facts| facts.excerpt = Some("\r".to_owned())),
            ("excerpt", |facts| facts.excerpt = Some("\u{9b}".to_owned())),
            ("thumbhash", |facts| facts.thumbhash = Some(STANDARD.encode([7; MAX_THUMBHASH_BYTES + 1]))),
            ("thumbhash", |facts| facts.thumbhash = Some("no base 64".to_owned())),
            ("recipe", |facts| facts.recipe = Some("../..".repeat(20))),
        ];
        for (what, change) in changes {
            let mut facts = most();
            change(&mut facts);
            assert!(judged(facts, vec![]).unwrap().contains(what), "{what}");
        }
    }

    #[test]
    fn a_tenants_types_hold_for_the_answer_too() {
        let admission = Admission { denied: vec!["image/png".parse().unwrap()], ..Admission::default() };
        let policy = InspectPolicy { admission, ..InspectPolicy::default() };
        let facts = Facts::of_type("image/png".parse().unwrap());
        let verdict = Verdict::Accepted(Box::new(Inspection { facts, thumbnails: vec![] }));
        assert!(implausible(&verdict, &policy).unwrap().contains("type"));
    }

    #[test]
    fn a_thumbnail_is_one_of_ours_and_is_what_it_says() {
        let facts = || Facts::of_type("image/png".parse().unwrap());
        for bad in [
            made("../320", "image/jpeg", 1, JPEG),
            made("320", "image/jpeg", 321, JPEG),
            made("320", "image/jpeg", 0, JPEG),
            made("320", "image/gif", 1, b"GIF89a"),
            made("320", "image/jpeg", 1, b"<html>"),
            made("320", "image/png", 1, JPEG),
            made("320", "image/webp", 1, b"RIFF"),
        ] {
            assert!(judged(facts(), vec![bad.clone()]).is_some(), "{} {}", bad.name, bad.content_type);
        }
        let one = || made("320", "image/jpeg", 1, JPEG);
        assert!(judged(facts(), vec![one(), one()]).unwrap().contains("320"));
        assert!(judged(facts(), vec![one(), one(), one()]).unwrap().contains("too many"));
    }

    #[test]
    fn a_refusal_is_a_sentence() {
        let refused = |message: &str| {
            let verdict = Verdict::Rejected(Rejection::because(RejectionCode::Damaged, message));
            implausible(&verdict, &InspectPolicy::default())
        };
        for code in RejectionCode::ALL {
            assert_eq!(refused(code.sentence()), None);
        }
        for bad in ["", "two\nlines", &"a".repeat(MAX_SENTENCE_BYTES + 1)] {
            assert!(refused(bad).is_some(), "{bad}");
        }
    }
}
