//! Whether an office document that is an archive holds programs of its own, by the names of its entries.

/// What names tell, from the least to the most.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Macros {
    /// Nothing can be one.
    #[default]
    No,
    /// Something is of no known kind: Office finds its project by its type and a relationship, and its name may be any.
    Unclear,
    /// There are some.
    Yes,
}

impl Macros {
    /// What an entry of this name holds: Office's project of Visual Basic ([MS-OFFMACRO2] 2.2) and Excel's older macro sheets, or
    /// `OpenDocument`'s libraries of Basic and of other languages (its standard has no names for them: these are those that its programs
    /// use). Programs do not care for case.
    pub(super) fn of(name: &[u8]) -> Self {
        const KNOWN: [&[u8]; 4] = [b"printersettings", b"oleobject", b"activex", b"vbaprojectsignature"];
        let lower: Vec<u8> =
            name.iter().map(|byte| if *byte == b'\\' { b'/' } else { byte.to_ascii_lowercase() }).collect();
        let last = lower.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let in_folder =
            [&b"xl/macrosheets/"[..], b"basic/", b"scripts/"].iter().any(|folder| lower.starts_with(folder));
        if last == b"vbaproject.bin" || in_folder {
            Self::Yes
        } else if last.ends_with(b".bin") && !KNOWN.iter().any(|known| last.starts_with(known)) {
            Self::Unclear
        } else {
            Self::No
        }
    }

    /// The same as a fact; nothing is said where it is unclear.
    pub(super) fn fact(self) -> Option<bool> {
        match self {
            Self::No => Some(false),
            Self::Unclear => None,
            Self::Yes => Some(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macros_are_known_by_their_entries_names() {
        let all = [
            (Macros::Yes, &b"word/vbaProject.bin"[..]),
            (Macros::Yes, b"xl/VBAPROJECT.BIN"),
            (Macros::Yes, b"ppt\\vbaProject.bin"),
            (Macros::Yes, b"xl/macrosheets/sheet1.xml"),
            (Macros::Yes, b"Basic/Standard/Module1.xml"),
            (Macros::Yes, b"Scripts/python/hello.py"),
            (Macros::Unclear, b"word/project.bin"),
            (Macros::Unclear, b"xl/workbook.bin"),
            (Macros::No, b"xl/printerSettings/printerSettings1.bin"),
            (Macros::No, b"word/embeddings/oleObject1.bin"),
            (Macros::No, b"word/vbaProject.bin.xml"),
            (Macros::No, b"word/_rels/vbaProject.bin.rels"),
            (Macros::No, b"xl/worksheets/sheet1.xml"),
            (Macros::No, b"basics/a"),
            (Macros::No, b""),
        ];
        for (expected, name) in all {
            assert_eq!(Macros::of(name), expected, "{}", String::from_utf8_lossy(name));
        }
        assert_eq!([Macros::Yes, Macros::Unclear, Macros::No].map(Macros::fact), [Some(true), None, Some(false)]);
        assert_eq!(Macros::Yes.max(Macros::Unclear), Macros::Yes);
    }
}
