//! Files built here, box by box.

use super::fields::find;
use super::*;
use crate::boxes::tests::part;

fn shorts(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

fn longs(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// An item: its type, its properties as numbers from 1, the place and length of its bytes, and what it is made of.
struct Item<'a> {
    kind: &'a [u8; 4],
    properties: &'a [u8],
    place: (u32, u32),
    made_of: &'a [u16],
}

/// The `meta` box of a file whose items have the numbers from 1 on; the first is the picture.
fn meta(items: &[Item<'_>], properties: &[Vec<u8>], references: &[Vec<u8>]) -> Vec<u8> {
    let numbered = || (1_u16..).zip(items);
    let kinds: Vec<u8> = numbered()
        .flat_map(|(number, item)| part(b"infe", &[&[2, 0, 0, 0], &shorts(&[number, 0]), item.kind, &[0]]))
        .collect();
    let places: Vec<u8> = numbered()
        .flat_map(|(number, item)| [shorts(&[number, 0, 1]), longs(&[item.place.0, item.place.1])].concat())
        .collect();
    let uses: Vec<u8> = numbered()
        .flat_map(|(number, item)| {
            let count = u8::try_from(item.properties.len()).unwrap();
            [&shorts(&[number])[..], &[count], item.properties].concat()
        })
        .collect();
    let count = u16::try_from(items.len()).unwrap();
    let made_of: Vec<u8> = numbered()
        .filter(|(_, item)| !item.made_of.is_empty())
        .flat_map(|(number, item)| {
            let length = u16::try_from(item.made_of.len()).unwrap();
            part(b"dimg", &[&shorts(&[number, length]), &shorts(item.made_of)])
        })
        .collect();
    part(
        b"meta",
        &[
            &[0; 4],
            &part(b"pitm", &[&[0; 4], &shorts(&[1])]),
            &part(b"iinf", &[&[0; 4], &shorts(&[count]), &kinds]),
            &part(b"iloc", &[&[0; 4], &[0x44, 0], &shorts(&[count]), &places]),
            &part(b"iref", &[&[0; 4], &made_of, &references.concat()]),
            &part(
                b"iprp",
                &[&part(b"ipco", &[&properties.concat()]), &part(b"ipma", &[&[0; 4], &longs(&[count.into()]), &uses])],
            ),
        ],
    )
}

fn ispe(width: u32, height: u32) -> Vec<u8> {
    part(b"ispe", &[&[0; 4], &longs(&[width, height])])
}

fn head() -> Vec<u8> {
    part(b"ftyp", &[b"heic\0\0\0\0mif1heic"])
}

/// A file of one coded picture of that size, whose bytes are no bitstream.
pub(crate) fn photo(width: u32, height: u32) -> Vec<u8> {
    let make = |at| {
        let item = Item { kind: b"hvc1", properties: &[1, 0x82], place: (at, 5), made_of: &[] };
        [head(), meta(&[item], &[ispe(width, height), part(b"hvcC", &[b"config"])], &[]), part(b"mdat", &[b"codes"])]
            .concat()
    };
    make(u32::try_from(make(0).len() - 5).unwrap())
}

/// A file of a grid of 64 × 64 tiles, all of which have the same bytes.
fn tiled(rows: u8, columns: u8, size: (u16, u16), made_of: &[u16], tile_kind: [u8; 4]) -> Vec<u8> {
    tiled_by((64, 64), rows, columns, size, made_of, tile_kind)
}

/// The same of tiles of another size.
fn tiled_by(
    tile_size: (u32, u32),
    rows: u8,
    columns: u8,
    size: (u16, u16),
    made_of: &[u16],
    tile_kind: [u8; 4],
) -> Vec<u8> {
    let payload = [&[0, 0, rows - 1, columns - 1][..], &shorts(&[size.0, size.1])].concat();
    let make = |at: u32| {
        let grid = Item { kind: b"grid", properties: &[2], place: (at, 8), made_of };
        let tile = || Item { kind: &tile_kind, properties: &[1, 0x83], place: (at + 8, 5), made_of: &[] };
        let items = [grid, tile(), tile(), tile()];
        let properties =
            [ispe(tile_size.0, tile_size.1), ispe(size.0.into(), size.1.into()), part(b"hvcC", &[b"config"])];
        [head(), meta(&items, &properties, &[]), part(b"mdat", &[&payload, b"codes"])].concat()
    };
    make(u32::try_from(make(0).len() - 13).unwrap())
}

fn read_file(file: &[u8]) -> Result<Still<'_>, Trouble> {
    read(file, find(file, *b"meta").unwrap().unwrap(), &InspectLimits::default())
}

#[test]
fn one_coded_picture_is_found() {
    let file = photo(64, 48);
    let still = read_file(&file).unwrap();
    let tile = Tile { config: b"config", data: vec![b"codes"] };
    let size = (64, 48);
    let picture = Coded { codec: Codec::Hevc, size, tile: size, columns: 1, tiles: vec![tile] };
    let window = Window { left: 0, top: 0, size };
    assert_eq!((still.picture, still.window, still.orientation), (picture, window, Orientation::NoTransforms));
}

#[test]
fn a_grid_is_found_with_its_tiles_in_their_order() {
    let file = tiled(1, 2, (100, 60), &[3, 2], *b"hvc1");
    let picture = read_file(&file).unwrap().picture;
    assert_eq!((picture.size, picture.tile, picture.columns, picture.tiles.len()), ((100, 60), (64, 64), 2, 2));
}

#[test]
fn what_is_too_large_by_its_own_word_costs_nothing() {
    assert!(matches!(read_file(&photo(65_535, 65_535)), Err(Trouble::TooManyPixels(_))));
    assert!(matches!(read_file(&photo(u32::MAX, u32::MAX)), Err(Trouble::TooManyPixels(_))));
    assert!(matches!(read_file(&photo(0, 7)), Err(Trouble::Damaged(_))));
    let huge = tiled(2, 2, (65_535, 65_535), &[2, 3, 4, 2], *b"hvc1");
    assert!(matches!(read_file(&huge), Err(Trouble::TooManyPixels(_))));
}

#[test]
fn a_grid_that_does_not_add_up_is_damage() {
    let damaged = |file: Vec<u8>| matches!(read_file(&file), Err(Trouble::Damaged(_)));
    assert!(!damaged(tiled(2, 2, (65, 65), &[2, 3, 4, 2], *b"hvc1")));
    // Too few tiles, tiles that do not cover it, tiles outside it, a tile that is not there.
    assert!(damaged(tiled(2, 2, (65, 65), &[2, 3, 4], *b"hvc1")));
    assert!(damaged(tiled(2, 2, (129, 65), &[2, 3, 4, 2], *b"hvc1")));
    assert!(damaged(tiled(2, 2, (65, 64), &[2, 3, 4, 2], *b"hvc1")));
    assert!(damaged(tiled(1, 1, (64, 64), &[9], *b"hvc1")));
}

#[test]
fn a_grid_of_grids_or_of_itself_ends() {
    assert!(matches!(read_file(&tiled(1, 1, (64, 64), &[1], *b"hvc1")), Err(Trouble::Unsupported(_))));
    assert!(matches!(read_file(&tiled(1, 1, (64, 64), &[2], *b"grid")), Err(Trouble::Unsupported(_))));
}

#[test]
fn a_small_file_cannot_ask_for_the_same_bytes_without_end() {
    let many = |rows: u8, columns: u8| {
        let count = usize::from(rows) * usize::from(columns);
        tiled(rows, columns, (u16::from(columns) * 64, u16::from(rows) * 64), &vec![2; count], *b"hvc1")
    };
    assert!(read_file(&many(1, 9)).is_ok());
    assert!(matches!(read_file(&many(6, 255)), Err(Trouble::Unsupported(_))));
}

#[test]
fn tiles_that_reach_far_out_of_the_picture_are_too_many_pixels() {
    // Eight tiles of 48 megapixels for one line of pixels.
    let line = tiled_by((8000, 6000), 1, 8, (56_001, 1), &[2, 3, 4, 2, 3, 4, 2, 3], *b"hvc1");
    assert!(matches!(read_file(&line), Err(Trouble::TooManyPixels(_))));
    // As phones do it: the last ones reach a little out of it.
    let photo = tiled_by((512, 512), 6, 8, (4032, 3024), &[2, 3, 4].repeat(16), *b"hvc1");
    assert!(read_file(&photo).is_ok());
    let corner = tiled_by((512, 512), 1, 1, (1, 1), &[2], *b"hvc1");
    assert!(read_file(&corner).is_ok());
}

#[test]
fn entries_are_counted_over_all_boxes_that_hold_them() {
    // Each box has an item of 19,000 pieces that take no bytes to write down.
    let pieces = part(b"iloc", &[&[0; 4], &[0, 0], &shorts(&[1, 1, 0, 19_000])]);
    let uses = |count: usize| {
        let one = part(b"ipma", &[&[0; 4], &longs(&[1]), &shorts(&[1]), &[60], &[1; 60]]);
        part(b"iprp", &[&part(b"ipco", &[&ispe(8, 8)]), &one.repeat(count)])
    };
    let with = |more: &[u8]| {
        let body = [&[0; 4][..], &part(b"pitm", &[&[0; 4], &shorts(&[1])]), more].concat();
        Meta::read(&[], &body).map(|meta| meta.primary)
    };
    assert_eq!(with(&pieces).unwrap(), 1);
    assert!(matches!(with(&pieces.repeat(2)), Err(Trouble::Unsupported(_))));
    assert_eq!(with(&uses(1)).unwrap(), 1);
    assert!(matches!(with(&uses(2)), Err(Trouble::Unsupported(_))), "an item of 120 properties");
}

#[test]
fn an_alpha_is_found_by_its_name() {
    let make = |urn: &[u8], at| {
        let item = |properties| Item { kind: b"hvc1", properties, place: (at, 5), made_of: &[] };
        let properties = [ispe(8, 8), part(b"hvcC", &[b"config"]), part(b"auxC", &[&[0; 4], urn, &[0]])];
        let reference = part(b"auxl", &[&shorts(&[2, 1, 1])]);
        [head(), meta(&[item(&[1, 2]), item(&[1, 2, 3])], &properties, &[reference]), part(b"mdat", &[b"codes"])]
            .concat()
    };
    for (urn, is_alpha) in [
        (&b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"[..], true),
        (b"urn:com:apple:photo:2020:aux:hdrgainmap", false),
    ] {
        let length = make(urn, 0).len();
        let file = make(urn, u32::try_from(length - 5).unwrap());
        assert_eq!(read_file(&file).unwrap().alpha.is_some(), is_alpha);
    }
}

proptest::proptest! {
    #[test]
    fn whatever_was_changed_there_is_an_answer(at in 0_usize..600, value in proptest::prelude::any::<u8>()) {
        let mut file = tiled(2, 2, (65, 65), &[2, 3, 4, 2], *b"hvc1");
        let at = at % file.len();
        file[at] = value;
        if let Ok(Some(meta)) = find(&file, *b"meta") {
            match read(&file, meta, &InspectLimits::default()) {
                Ok(_) | Err(_) => {}
            }
        }
    }
}
