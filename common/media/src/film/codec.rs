//! What codecs are called: RFC 6381's names, with what each codec adds to its own.
//! <https://www.rfc-editor.org/rfc/rfc6381#section-3.3>

use std::fmt::Write as _;

use vestibule_domain::inspection::MAX_CODECS;

use super::fields::Fields;

/// Adds a codec, unless it is named already or there are as many as are named of a file.
pub(super) fn add(codecs: &mut Vec<String>, codec: Option<String>) {
    if let Some(codec) = codec
        && codecs.len() < MAX_CODECS
        && !codecs.contains(&codec)
    {
        codecs.push(codec);
    }
}

/// `name` as it is, when it is made of nothing but letters, digits, dots and hyphens. Old names end in blanks.
pub(super) fn plain(name: &[u8]) -> Option<String> {
    let name = name.trim_ascii();
    let printable = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    (!name.is_empty() && name.iter().all(printable)).then(|| String::from_utf8_lossy(name).into_owned())
}

/// H.264: profile, constraints and level, of an `avcC` (ISO 14496-15, E.3).
pub(super) fn avc(entry: &str, configuration: &[u8]) -> Option<String> {
    let [_, profile, constraints, level, ..] = configuration else { return None };
    Some(format!("{entry}.{profile:02x}{constraints:02x}{level:02x}"))
}

/// HEVC: profile, compatibility, tier, level and constraints, of an `hvcC` (ISO 14496-15, E.3).
pub(super) fn hevc(entry: &str, configuration: &[u8]) -> Option<String> {
    let mut fields = Fields(configuration);
    fields.skip(1)?;
    let general = fields.u8()?;
    let compatibility = fields.u32()?.reverse_bits();
    let constraints = fields.take(6)?;
    let level = fields.u8()?;
    let space = ["", "A", "B", "C"].get(usize::from(general >> 6))?;
    let tier = if general & 0x20 == 0 { 'L' } else { 'H' };
    let mut name = format!("{entry}.{space}{}.{compatibility:X}.{tier}{level}", general & 0x1F);
    let used = constraints.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    for byte in constraints.iter().take(used) {
        write!(name, ".{byte:X}").ok()?;
    }
    Some(name)
}

/// VP8 and VP9: profile, level and bits, of a `vpcC`: <https://www.webmproject.org/vp9/mp4/#codecs-parameter-string>
pub(super) fn vp(entry: &str, configuration: &[u8]) -> Option<String> {
    let mut fields = Fields(configuration);
    fields.skip(4)?;
    let (profile, level, bits) = (fields.u8()?, fields.u8()?, fields.u8()? >> 4);
    Some(format!("{entry}.{profile:02}.{level:02}.{bits:02}"))
}

/// AV1: profile, level, tier and bits, of an `av1C`: <https://aomediacodec.github.io/av1-isobmff/#codecsparam>
pub(super) fn av1(configuration: &[u8]) -> Option<String> {
    let [_, first, second, ..] = configuration else { return None };
    let tier = if second & 0x80 == 0 { 'M' } else { 'H' };
    let bits = match (second & 0x40 != 0, second & 0x20 != 0) {
        (false, _) => 8,
        (true, false) => 10,
        (true, true) => 12,
    };
    Some(format!("av01.{}.{:02}{tier}.{bits:02}", first >> 5, first & 0x1F))
}

/// AAC and its relatives: the object type of an `AudioSpecificConfig` (ISO 14496-3, 1.6.2.1).
pub(super) fn aac(configuration: &[u8]) -> Option<String> {
    let (first, second) = (*configuration.first()?, configuration.get(1).copied().unwrap_or_default());
    let kind = match first >> 3 {
        // More do not fit in five bits.
        31 => 32 + u16::from((first & 7) << 3 | second >> 5),
        kind => kind.into(),
    };
    Some(format!("mp4a.40.{kind}"))
}

/// What an `esds` says of itself: the registered kind of its codec, and for those of MPEG-4 which one (ISO 14496-1, 7.2.6.5).
pub(super) fn elementary(entry: &str, body: &[u8]) -> Option<String> {
    const DECODER_CONFIGURATION: u8 = 4;
    const DECODER_SPECIFIC: u8 = 5;
    let mut fields = Fields(body);
    fields.skip(4)?;
    let (_, mut stream) = descriptor(&mut fields)?;
    stream.skip(2)?;
    let flags = stream.u8()?;
    let depends = if flags & 0x80 == 0 { 0 } else { 2 };
    stream.skip(depends)?;
    if flags & 0x40 != 0 {
        let url = stream.u8()?;
        stream.skip(url.into())?;
    }
    stream.skip(if flags & 0x20 == 0 { 0 } else { 2 })?;
    let (tag, mut decoder) = descriptor(&mut stream)?;
    let kind = decoder.u8().filter(|_| tag == DECODER_CONFIGURATION)?;
    decoder.skip(12)?;
    let specific = descriptor(&mut decoder).filter(|(tag, _)| *tag == DECODER_SPECIFIC).map(|(_, fields)| fields.0);
    match (kind, specific) {
        (0x40, Some(configuration)) => aac(configuration),
        (0x20, Some([0, 0, 1, 0xB0, profile, ..])) => Some(format!("{entry}.20.{profile}")),
        _ => Some(format!("{entry}.{kind:02x}")),
    }
}

/// The next descriptor: its tag, and what is in it. Its length has seven bits a byte (ISO 14496-1, 8.3.3).
fn descriptor<'a>(fields: &mut Fields<'a>) -> Option<(u8, Fields<'a>)> {
    let tag = fields.u8()?;
    let mut length = 0_usize;
    for _ in 0..4 {
        let byte = fields.u8()?;
        length = length << 7 | usize::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            break;
        }
    }
    let inside = fields.take(length.min(fields.0.len()))?;
    Some((tag, Fields(inside)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codecs_are_called_as_their_registrations_say() {
        assert_eq!(avc("avc1", &[1, 0x64, 0, 0x1F, 0xFF]).as_deref(), Some("avc1.64001f"));
        // The two examples of ISO 14496-15, E.3, and one without constraints.
        let hvcc = |general, compatibility: u32, constraints: [u8; 6], level| {
            [&[1, general][..], &compatibility.to_be_bytes(), &constraints, &[level]].concat()
        };
        let progressive = [0xB0, 0, 0, 0, 0, 0];
        assert_eq!(hevc("hvc1", &hvcc(1, 0x6000_0000, progressive, 93)).as_deref(), Some("hvc1.1.6.L93.B0"));
        assert_eq!(hevc("hev1", &hvcc(0x62, 0x2000_0000, [0; 6], 120)).as_deref(), Some("hev1.A2.4.H120"));
        assert_eq!(vp("vp09", &[1, 0, 0, 0, 0, 10, 0x82]).as_deref(), Some("vp09.00.10.08"));
        assert_eq!(av1(&[0x81, 0x04, 0x0C, 0]).as_deref(), Some("av01.0.04M.08"));
        assert_eq!(av1(&[0x81, 0x4D, 0xEC, 0]).as_deref(), Some("av01.2.13H.12"));
        assert_eq!(aac(&[0x12, 0x10]).as_deref(), Some("mp4a.40.2"));
        assert_eq!(aac(&[0xF9, 0x40]).as_deref(), Some("mp4a.40.42"));
        assert_eq!(
            (plain(b"Opus").as_deref(), plain(b"raw ").as_deref(), plain(b"a\0b.")),
            (Some("Opus"), Some("raw"), None)
        );
    }

    #[test]
    fn an_elementary_streams_descriptors_are_looked_through() {
        let of = |kind: u8, specific: &[u8]| {
            let specific = [&[5, u8::try_from(specific.len()).unwrap()][..], specific].concat();
            let decoder = [&[kind][..], &[0; 12], &specific].concat();
            let decoder = [&[4, 0x80, u8::try_from(decoder.len()).unwrap()][..], &decoder].concat();
            [&[0, 0, 0, 0, 3, 0x80, 0x80, 0x80, u8::try_from(decoder.len()).unwrap() + 3, 0, 1, 0][..], &decoder]
                .concat()
        };
        assert_eq!(elementary("mp4a", &of(0x40, &[0x12, 0x10])).as_deref(), Some("mp4a.40.2"));
        assert_eq!(elementary("mp4a", &of(0x6B, &[])).as_deref(), Some("mp4a.6b"));
        assert_eq!(elementary("mp4v", &of(0x20, &[0, 0, 1, 0xB0, 3])).as_deref(), Some("mp4v.20.3"));
        for length in 0..of(0x40, &[0x12, 0x10]).len() - 6 {
            assert_eq!(elementary("mp4a", &of(0x40, &[0x12, 0x10])[..length]), None, "{length}");
        }
    }

    #[test]
    fn each_is_named_once_and_no_more_than_are_named() {
        let mut codecs = Vec::new();
        for name in ["a", "b", "a", "c", "d", "e"] {
            add(&mut codecs, Some(name.to_owned()));
        }
        assert_eq!(codecs, ["a", "b", "c", "d"]);
    }
}
