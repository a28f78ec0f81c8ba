//! The items of a HEIF file, from its `meta` box: what they are, where their bytes lie, and how they belong together. ISO/IEC 14496-12, 8.11.

use std::collections::BTreeMap;

use super::fields::{long, number, short, short_or_long, version_and_flags};
use crate::boxes::{self, Part};
use crate::structure::take_array;
use crate::trouble::Trouble;

/// Most items, references to items, extents, properties and uses of properties, all together and however many boxes they stand in. A photo of
/// 48 megapixels has about 250 items, and 2,000 of all these.
const MAX_ENTRIES: usize = 20_000;

/// Most uses of properties by one item, which has about five.
const MAX_USES: usize = 64;

/// Where the bytes of an item are.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    /// 0: in the file. 1: in the `idat` box. 2: in another item.
    method: u8,
    /// Offset and length of each piece, in bytes. A length of 0 reaches to the end.
    extents: Vec<(u64, u64)>,
}

/// A reference from an item to others.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reference {
    kind: [u8; 4],
    from: u32,
    to: Vec<u32>,
}

/// A `meta` box.
#[derive(Debug)]
pub(crate) struct Meta<'a> {
    /// The whole file.
    pub(crate) file: &'a [u8],
    /// The item that is the picture.
    pub(crate) primary: u32,
    kinds: BTreeMap<u32, [u8; 4]>,
    places: BTreeMap<u32, Place>,
    references: Vec<Reference>,
    properties: Vec<Part<'a>>,
    /// Numbers of properties, from 1, each with whether a reader must know it.
    uses: BTreeMap<u32, Vec<(usize, bool)>>,
    data: &'a [u8],
    /// How many there are so far of what [`MAX_ENTRIES`] bounds.
    entries: usize,
}

impl<'a> Meta<'a> {
    /// Reads the box of a file; `body` is inside `file`.
    ///
    /// # Errors
    /// When a box is broken, or there is no picture, or there are so many items that it can be no photo.
    pub(crate) fn read(file: &'a [u8], mut body: &'a [u8]) -> Result<Self, Trouble> {
        version_and_flags(&mut body)?;
        let mut meta = Self {
            file,
            primary: 0,
            kinds: BTreeMap::new(),
            places: BTreeMap::new(),
            references: Vec::new(),
            properties: Vec::new(),
            uses: BTreeMap::new(),
            data: &[],
            entries: 0,
        };
        let mut primary = None;
        while let Some(Part { name, body }) = boxes::next(&mut body)? {
            match &name {
                b"pitm" => primary = Some(primary_item(body)?),
                b"iinf" => meta.read_kinds(body)?,
                b"iloc" => meta.read_places(body)?,
                b"iref" => meta.read_references(body)?,
                b"iprp" => meta.read_properties(body)?,
                b"idat" => meta.data = body,
                _ => {}
            }
        }
        meta.primary = primary.ok_or_else(|| Trouble::Unsupported("a HEIF file without a primary item".to_owned()))?;
        Ok(meta)
    }

    /// The four letters of an item's type.
    pub(crate) fn kind(&self, item: u32) -> Result<[u8; 4], Trouble> {
        self.kinds.get(&item).copied().ok_or_else(|| Trouble::damaged(format!("no item {item}")))
    }

    /// The items to which `from` refers, in their order.
    pub(crate) fn targets(&self, kind: [u8; 4], from: u32) -> &[u32] {
        let found = self.references.iter().find(|reference| reference.kind == kind && reference.from == from);
        found.map_or(&[], |reference| &reference.to)
    }

    /// The items that refer to `to`.
    pub(crate) fn sources(&self, kind: [u8; 4], to: u32) -> impl Iterator<Item = u32> {
        let refers = move |reference: &&Reference| reference.kind == kind && reference.to.contains(&to);
        self.references.iter().filter(refers).map(|reference| reference.from)
    }

    /// The properties of an item in their order, each with whether a reader must know it.
    pub(crate) fn properties(&self, item: u32) -> impl Iterator<Item = (Part<'a>, bool)> {
        let uses = self.uses.get(&item).map(Vec::as_slice).unwrap_or_default();
        uses.iter().filter_map(|(number, essential)| Some((*self.properties.get(number.checked_sub(1)?)?, *essential)))
    }

    /// The bytes of an item, in pieces.
    ///
    /// # Errors
    /// When some of them lie outside the file, or it is not known where they lie.
    pub(crate) fn bytes(&self, item: u32) -> Result<Vec<&'a [u8]>, Trouble> {
        let place = self.places.get(&item).ok_or_else(|| Trouble::damaged(format!("item {item} is nowhere")))?;
        let source = match place.method {
            0 => self.file,
            1 => self.data,
            other => return Err(Trouble::Unsupported(format!("an item by construction method {other}"))),
        };
        let pieces: Vec<&[u8]> = place
            .extents
            .iter()
            .map(|(offset, length)| {
                let rest = source.get(usize::try_from(*offset).ok()?..)?;
                if *length == 0 { Some(rest) } else { rest.get(..usize::try_from(*length).ok()?) }
            })
            .collect::<Option<_>>()
            .ok_or_else(|| Trouble::damaged(format!("item {item} lies outside the file")))?;
        if pieces.iter().map(|piece| piece.len()).sum::<usize>() > self.file.len() {
            return Err(Trouble::damaged(format!("item {item} is longer than the file")));
        }
        Ok(pieces)
    }

    fn read_kinds(&mut self, mut body: &[u8]) -> Result<(), Trouble> {
        let (version, _) = version_and_flags(&mut body)?;
        let _count = short_or_long(&mut body, version > 0)?;
        while let Some(Part { name, mut body }) = boxes::next(&mut body)? {
            if &name != b"infe" {
                continue;
            }
            // Versions 0 and 1 name a type of content instead, and pictures are of none of these.
            let (version, _) = version_and_flags(&mut body)?;
            if version >= 2 {
                let item = short_or_long(&mut body, version > 2)?;
                let _protection = short(&mut body)?;
                self.kinds.insert(item, take_array(&mut body)?);
                self.count()?;
            }
        }
        Ok(())
    }

    fn read_places(&mut self, mut body: &[u8]) -> Result<(), Trouble> {
        let (version, _) = version_and_flags(&mut body)?;
        let [sizes, more] = take_array(&mut body)?;
        let (offset_size, length_size) = (sizes >> 4, sizes & 15);
        let (base_size, index_size) = (more >> 4, if version > 0 { more & 15 } else { 0 });
        let items = short_or_long(&mut body, version > 1)?;
        for _ in 0..items {
            let item = short_or_long(&mut body, version > 1)?;
            let method = if version > 0 { short(&mut body)?.to_le_bytes()[0] & 15 } else { 0 };
            let elsewhere = short(&mut body)?;
            let base = number(&mut body, base_size)?;
            let mut extents = Vec::new();
            for _ in 0..short(&mut body)? {
                let _index = number(&mut body, index_size)?;
                let offset = base.saturating_add(number(&mut body, offset_size)?);
                extents.push((offset, number(&mut body, length_size)?));
                self.count()?;
            }
            // A data reference other than 0 is to another file.
            let method = if elsewhere == 0 { method } else { u8::MAX };
            self.places.insert(item, Place { method, extents });
            self.count()?;
        }
        Ok(())
    }

    fn read_references(&mut self, mut body: &[u8]) -> Result<(), Trouble> {
        let (version, _) = version_and_flags(&mut body)?;
        while let Some(Part { name, mut body }) = boxes::next(&mut body)? {
            let from = short_or_long(&mut body, version > 0)?;
            let mut to = Vec::new();
            for _ in 0..short(&mut body)? {
                to.push(short_or_long(&mut body, version > 0)?);
                self.count()?;
            }
            self.references.push(Reference { kind: name, from, to });
            self.count()?;
        }
        Ok(())
    }

    fn read_properties(&mut self, mut body: &'a [u8]) -> Result<(), Trouble> {
        while let Some(Part { name, body }) = boxes::next(&mut body)? {
            match &name {
                b"ipco" => {
                    let mut properties = body;
                    while let Some(property) = boxes::next(&mut properties)? {
                        self.properties.push(property);
                        self.count()?;
                    }
                }
                b"ipma" => self.read_uses(body)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn read_uses(&mut self, mut body: &[u8]) -> Result<(), Trouble> {
        let (version, flags) = version_and_flags(&mut body)?;
        for _ in 0..long(&mut body)? {
            let item = short_or_long(&mut body, version > 0)?;
            let [count] = take_array(&mut body)?;
            for _ in 0..count {
                let (essential, number) = if flags & 1 == 1 {
                    let wide = short(&mut body)?;
                    (wide >> 15 == 1, wide & 0x7FFF)
                } else {
                    let [narrow] = take_array(&mut body)?;
                    (narrow >> 7 == 1, (narrow & 0x7F).into())
                };
                self.count()?;
                let uses = self.uses.entry(item).or_default();
                uses.push((number.into(), essential));
                if uses.len() > MAX_USES {
                    return Err(Trouble::Unsupported(format!("an item with more than {MAX_USES} properties")));
                }
            }
        }
        Ok(())
    }

    /// Refuses to go on with more entries than a photo has.
    fn count(&mut self) -> Result<(), Trouble> {
        self.entries += 1;
        if self.entries > MAX_ENTRIES {
            return Err(Trouble::Unsupported(format!("a HEIF file of more than {MAX_ENTRIES} entries")));
        }
        Ok(())
    }
}

fn primary_item(mut body: &[u8]) -> Result<u32, Trouble> {
    let (version, _) = version_and_flags(&mut body)?;
    short_or_long(&mut body, version > 0)
}

/// The payload of a `grid` item: tiles down and across, and the pixels of the whole across and down. ISO/IEC 23008-12, 6.6.2.3.
pub(crate) fn grid(bytes: &[u8]) -> Result<(u32, u32, (u32, u32)), Trouble> {
    let mut rest = bytes;
    let [version, flags, rows, columns] = take_array(&mut rest)?;
    if version != 0 {
        return Err(Trouble::Unsupported(format!("a grid of version {version}")));
    }
    let is_long = flags & 1 == 1;
    let width = short_or_long(&mut rest, is_long)?;
    let height = short_or_long(&mut rest, is_long)?;
    Ok((u32::from(rows) + 1, u32::from(columns) + 1, (width, height)))
}
