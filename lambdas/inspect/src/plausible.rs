//! What of a child's answer no honest child says: a decoder that was taken over may say anything, so everything is bounded here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vestibule_domain::inspection::{Facts, Inspection, MAX_CODECS, MAX_EXCERPT_BYTES, Thumbnail, WAVEFORM_POINTS};
use vestibule_domain::policy::InspectPolicy;
use vestibule_domain::rejection::{Rejection, RejectionCode};
use vestibule_media::probe::{PICTURE_TOO_LARGE, Verdict};
use vestibule_media::{RECIPE, VARIANTS};

use crate::pixels;

/// Longest facts, in bytes of JSON: those of twenty attachments share an item of DynamoDB with everything else in it.
const MAX_FACTS_BYTES: usize = 2048;
/// Longest name of a codec or an encoding, in bytes.
const MAX_NAME_BYTES: usize = 48;
/// Longest thumbhash, in bytes before base 64: <https://evanw.github.io/thumbhash/> makes at most 25.
const MAX_THUMBHASH_BYTES: usize = 32;
/// The first thing in a verdict that no honest child says under this policy.
pub(crate) fn implausible(verdict: &Verdict, policy: &InspectPolicy) -> Option<String> {
    match verdict {
        Verdict::Rejected(rejection) => bad_rejection(rejection),
        Verdict::Accepted(found) => {
            let Inspection { facts, thumbnails } = &**found;
            bad_facts(facts, policy).or_else(|| bad_thumbnails(thumbnails)).or_else(|| bad_recipe(facts, thumbnails))
        }
    }
}

/// The sentence goes to the person who sent the file, so it is one of ours.
fn bad_rejection(Rejection { code, message }: &Rejection) -> Option<String> {
    let usual = message == code.sentence();
    let fine = usual || (*code == RejectionCode::TooLarge && message == PICTURE_TOO_LARGE);
    (!fine).then(|| format!("it refused as {} in {} bytes that are no sentence of ours", code.as_str(), message.len()))
}

/// The recipe stands in the thumbnails' keys, so it is ours, and there where there are thumbnails.
fn bad_recipe(facts: &Facts, thumbnails: &[Thumbnail]) -> Option<String> {
    let expected = (!thumbnails.is_empty()).then_some(RECIPE);
    (facts.recipe.as_deref() != expected).then(|| "it found a recipe that is not ours".to_owned())
}

fn bad_facts(facts: &Facts, policy: &InspectPolicy) -> Option<String> {
    let Facts { content_type, codecs, waveform, encoding, excerpt, thumbhash, .. } = facts;
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
        let as_it_says = pixels::said(content_type.as_str(), &bytes.0) == Some((*width, *height));
        if !known || twice || !as_it_says {
            let name: String = name.chars().take(MAX_NAME_BYTES).collect();
            return Some(format!("it made a thumbnail {name:?} of {content_type}, {width} × {height}"));
        }
    }
    None
}

/// A short word of visible ASCII, such as `avc1.64001f` or `windows-1252`.
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
            ..Facts::of_type(format!("application/{}", "t".repeat(127)).parse().unwrap())
        }
    }

    /// A thumbnail that says it is so wide and one pixel high, of a file that is.
    fn made(name: &str, content_type: &str, width: u16) -> Thumbnail {
        let bytes = match content_type {
            "image/png" => pixels::samples::png(width.into(), 1),
            "image/webp" => pixels::samples::webp(width.into(), 1),
            _ => pixels::samples::jpeg(width, 1),
        };
        let content_type = content_type.parse().unwrap();
        Thumbnail { name: name.to_owned(), content_type, width: width.into(), height: 1, bytes: Base64(bytes) }
    }

    fn of(bytes: &[u8], thumbnail: Thumbnail) -> Thumbnail {
        Thumbnail { bytes: Base64(bytes.to_vec()), ..thumbnail }
    }

    /// Facts of a picture that is shown.
    fn shown() -> Facts {
        Facts { recipe: Some(RECIPE.to_owned()), ..Facts::of_type("image/png".parse().unwrap()) }
    }

    fn judged(facts: Facts, thumbnails: Vec<Thumbnail>) -> Option<String> {
        let verdict = Verdict::Accepted(Box::new(Inspection { facts, thumbnails }));
        implausible(&verdict, &InspectPolicy::default())
    }

    #[test]
    fn the_most_that_an_honest_child_says_is_believed() {
        let pictures = vec![made("320", "image/jpeg", 320), made("1280", "image/webp", 1280)];
        assert_eq!(judged(Facts { recipe: Some(RECIPE.to_owned()), ..most() }, pictures), None);
        assert_eq!(judged(most(), vec![]), None);
        assert_eq!(judged(Facts::of_type("text/plain".parse().unwrap()), vec![]), None);
        assert_eq!(judged(shown(), vec![made("320", "image/png", 1)]), None);
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
            ("recipe", |facts| facts.recipe = Some(RECIPE.to_owned())),
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
    fn a_recipe_is_ours_where_there_are_thumbnails() {
        // It is a segment of the thumbnails' keys.
        for recipe in [None, Some("../x"), Some("x/y"), Some("r1"), Some("")] {
            let facts = Facts { recipe: recipe.map(str::to_owned), ..shown() };
            let why = judged(facts, vec![made("320", "image/jpeg", 1)]);
            assert!(why.as_ref().is_some_and(|why| why.contains("recipe")), "{recipe:?}: {why:?}");
        }
    }

    #[test]
    fn a_thumbnail_is_one_of_ours_and_is_what_it_says() {
        let jpeg = pixels::samples::jpeg(1, 1);
        for bad in [
            made("../320", "image/jpeg", 1),
            made("320", "image/jpeg", 321),
            made("320", "image/jpeg", 0),
            of(b"GIF89a\x01\0\x01\0", made("320", "image/gif", 1)),
            of(b"<html>", made("320", "image/jpeg", 1)),
            of(&jpeg, made("320", "image/png", 1)),
            of(b"RIFF", made("320", "image/webp", 1)),
            // The file is larger than it says, as one that fills the memory of whoever draws it.
            of(&pixels::samples::jpeg(65_000, 65_000), made("320", "image/jpeg", 320)),
            of(&pixels::samples::png(1 << 31, 1), made("320", "image/png", 320)),
            of(&pixels::samples::webp(16_384, 16_384), made("320", "image/webp", 320)),
        ] {
            let Thumbnail { name, content_type, width, .. } = &bad;
            let said = format!("{name} {content_type} {width}");
            assert!(judged(shown(), vec![bad]).is_some(), "{said}");
        }
        let one = || made("320", "image/jpeg", 1);
        assert!(judged(shown(), vec![one(), one()]).unwrap().contains("320"));
        assert!(judged(shown(), vec![one(), one(), one()]).unwrap().contains("too many"));
    }

    #[test]
    fn a_refusal_is_in_our_words() {
        let refused = |code: RejectionCode, message: &str| {
            implausible(&Verdict::Rejected(Rejection::because(code, message)), &InspectPolicy::default())
        };
        for code in RejectionCode::ALL {
            assert_eq!(refused(*code, code.sentence()), None);
        }
        assert_eq!(refused(RejectionCode::TooLarge, PICTURE_TOO_LARGE), None);
        for bad in ["", "Please call +1 555 0100.", RejectionCode::Encrypted.sentence(), PICTURE_TOO_LARGE] {
            assert!(refused(RejectionCode::Damaged, bad).unwrap().contains("damaged"), "{bad}");
        }
    }
}
