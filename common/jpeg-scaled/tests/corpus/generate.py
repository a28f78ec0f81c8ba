#!/usr/bin/env python3
"""Make the corpus again, or check that what is committed is what this code makes.

    python -m venv .venv && .venv/bin/pip install -r fixtures/requirements.txt
    .venv/bin/python common/jpeg-scaled/tests/corpus/generate.py            write files/
    .venv/bin/python common/jpeg-scaled/tests/corpus/generate.py --check    change nothing; exit 1 and name what differs

Beside each NAME.jpg is NAME.pgm: what libjpeg-turbo, through Pillow, decodes of it. That is a PGM of many pictures: for 1/8, 1/4,
1/2 and full size, in this order, the planes of all components. Where libjpeg-turbo enlarges a plane to the size of the others,
the plane is as large as they are; planes of files that encoder.py makes are as they are stored.
"""

import argparse
import io
import random
import sys
from dataclasses import replace
from pathlib import Path

from encoder import ZIGZAG, Component, Layout, Table, encode, segment
from PIL import Image

HERE = Path(__file__).resolve().parent
FILES = HERE / "files"
PHOTO = HERE.parents[3] / "fixtures/files/phone-12mp.jpg"
SCALES = (8, 4, 2, 1)

# Made once by jpegtran of Debian 12's libjpeg-turbo-progs 2.1.5 from another file, which has the same coefficients:
#     jpegtran -progressive own-440.jpg >own-440-progressive.jpg, and so on
#     jpegtran -scans scans.txt own-mixed.jpg >own-mixed-progressive.jpg
TRANSFORMED = {
    "own-440-progressive": "own-440",
    "own-411-progressive": "own-411",
    "own-mixed-progressive": "own-mixed",
}

Plane = tuple[int, int, bytes]


def photo(width: int, height: int, noise: int = 12) -> Image.Image:
    """A piece of the phone photo with noise, which takes longer codes than the photo alone."""
    with Image.open(PHOTO) as picture:
        picture.draft("RGB", (500, 375))
        piece = picture.convert("RGB").crop((110, 150, 110 + width, 150 + height))
    chance = random.Random(width * 1000 + height)  # noqa: S311
    return Image.frombytes(
        "RGB", piece.size, bytes(min(255, max(0, value + chance.randint(-noise, noise))) for value in piece.tobytes())
    )


def saved(picture: Image.Image, **options: object) -> bytes:
    """What Pillow writes."""
    made = io.BytesIO()
    picture.save(made, "JPEG", **options)
    return made.getvalue()


def planes_at(data: bytes, scale: int) -> list[Plane]:
    """The planes that libjpeg-turbo decodes at one of SCALES."""
    with Image.open(io.BytesIO(data)) as picture:
        width, height = picture.size
        mode = {"RGB": "YCbCr", "L": "L", "CMYK": "CMYK"}[picture.mode]
        if picture.info.get("adobe_transform") == 0 and mode == "YCbCr":
            mode = "RGB"
        # Less than the size that is wanted, in fractions, since small pictures have no whole number for it.
        picture.draft(mode, (width / scale - 1e-6, height / scale - 1e-6))
        if picture.size != (-(-width // scale), -(-height // scale)) or picture.mode != mode:
            raise SystemExit(f"draft made {picture.mode} of {picture.size}")
        bands = [band.tobytes() for band in picture.split()]
        if mode == "CMYK" and "adobe" in picture.info:
            bands = [bytes(255 - value for value in band) for band in bands]
        return [(*picture.size, band) for band in bands]


def pgm(planes: list[Plane]) -> bytes:
    """Planes as one file."""
    return b"".join(b"P5 %d %d 255\n" % (width, height) + samples for width, height, samples in planes)


def decoded(data: bytes) -> bytes:
    """What libjpeg-turbo makes of a file of Pillow's."""
    return pgm([plane for scale in SCALES for plane in planes_at(data, scale)])


def huffman_tables() -> dict[int, Table]:
    """The tables of T.81, annex K.3, which libjpeg-turbo writes when it is not asked to optimise."""
    data, tables = saved(photo(16, 16)), {}
    at = 2
    while data[at + 1] != 0xDA:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : at + 2 + length]
        while data[at + 1] == 0xC4 and body:
            count = sum(body[1:17])
            tables[body[0]] = (body[1:17], body[17 : 17 + count])
            body = body[17 + count :]
        at += 2 + length
    return tables


def steps(quality: int, number: int) -> tuple[int, ...]:
    """The quantization steps of libjpeg, in zigzag order."""
    with Image.open(io.BytesIO(saved(photo(16, 16), quality=quality))) as picture:
        table = picture.quantization[number]
    return tuple(table[at] for at in ZIGZAG)


def own(size: tuple[int, int], sampling: tuple[tuple[int, int], ...], layout: Layout, quality: int = 75) -> tuple[bytes, bytes]:
    """A file of encoder.py's, and what libjpeg-turbo makes of each of its components as a grey picture."""
    width, height = size
    wide, tall = (max(one[way] for one in sampling) for way in (0, 1))
    components = []
    for number, (picture, (across, down)) in enumerate(
        zip(photo(width, height).convert("YCbCr").split(), sampling, strict=False)
    ):
        small = picture.resize((-(-width * across // wide), -(-height * down // tall)), Image.Resampling.BOX)
        table = min(number, 1)
        components.append(Component(*small.size, small.tobytes(), (across, down), steps(quality, table), table))
    tables = huffman_tables()
    alone = [
        encode(one.width, one.height, [replace(one, sampling=(1, 1))], tables, Layout(wide_steps=layout.wide_steps))
        for one in components
    ]
    planes = [plane for scale in SCALES for one in alone for plane in planes_at(one, scale)]
    return encode(width, height, components, tables, layout), pgm(planes)


def with_adobe_transform(data: bytes, transform: int) -> bytes:
    """A file whose Adobe marker names another transform."""
    at = data.index(b"Adobe") + 11
    return data[:at] + bytes((transform,)) + data[at + 1 :]


def from_pillow() -> dict[str, bytes]:
    """Files that Pillow writes, by name."""
    usual, small = photo(64, 48), photo(32, 24, 30)
    made = {}
    for name, options in {"baseline": {}, "progressive": {"progressive": True}}.items():
        for subsampling in ("4:4:4", "4:2:2", "4:2:0"):
            made[f"{subsampling.replace(':', '')}-{name}"] = saved(usual, quality=75, subsampling=subsampling, **options)
        made[f"gray-{name}"] = saved(usual.convert("L"), quality=85, **options)
        made[f"17x16-{name}"] = saved(photo(17, 16), quality=80, subsampling="4:2:0", **options)
        made[f"161x119-{name}"] = saved(photo(161, 119, 4), quality=45, subsampling="4:2:0", **options)
        made[f"quality-100-{name}"] = saved(small, quality=100, subsampling="4:4:4", **options)
        made[f"quality-5-{name}"] = saved(small, quality=5, subsampling="4:2:0", **options)
        made[f"cmyk-{name}"] = saved(small.convert("CMYK"), quality=75, **options)
        made[f"rgb-{name}"] = saved(small, quality=75, keep_rgb=True, **options)
        made[f"restart-1-{name}"] = saved(usual, quality=60, subsampling="4:2:0", restart_marker_blocks=1, **options)
    made["restart-5-baseline"] = saved(usual, quality=60, subsampling="4:2:0", restart_marker_blocks=5)
    made["restart-row-baseline"] = saved(usual, quality=60, subsampling="4:4:4", restart_marker_rows=1)
    made["restart-7-gray"] = saved(usual.convert("L"), quality=60, restart_marker_blocks=7)
    made["1x1"] = saved(photo(1, 1), quality=75, subsampling="4:2:0")
    made["7x9"] = saved(photo(7, 9), quality=75, subsampling="4:2:0")
    made["optimized"] = saved(usual, quality=75, subsampling="4:2:0", optimize=True)
    return made


def from_encoder() -> dict[str, tuple[bytes, bytes]]:
    """Files that encoder.py writes, with their planes, by name."""
    usual = (50, 39)
    chroma = ((1, 1), (1, 1))
    apart = ((0,), (1,), (2,))
    note = segment(0xFE, b"a comment") + segment(0xE5, b"\xff\xd9 of no meaning")
    return {
        "own-440": own(usual, ((1, 2), *chroma), Layout()),
        "own-411": own(usual, ((4, 1), *chroma), Layout()),
        "own-410": own(usual, ((4, 2), *chroma), Layout()),
        "own-420": own(usual, ((2, 2), *chroma), Layout()),
        "own-422": own(usual, ((2, 1), *chroma), Layout()),
        "own-3x1": own(usual, ((3, 1), *chroma), Layout()),
        "own-small-luma": own(usual, ((1, 1), (2, 2), (2, 2)), Layout()),
        "own-mixed": own(usual, ((2, 2), (2, 1), (1, 2)), Layout()),
        "own-apart": own(usual, ((2, 2), *chroma), Layout(scans=apart)),
        "own-apart-restart": own(usual, ((2, 2), *chroma), Layout(scans=apart, restart_interval=3)),
        "own-chroma-together": own(usual, ((2, 1), *chroma), Layout(scans=((0,), (1, 2)))),
        "own-without-tables": own(usual, ((2, 1), *chroma), Layout(huffman=False)),
        "own-wide-steps": own(usual, ((1, 1), *chroma), Layout(wide_steps=True, frame=0xC1)),
        "own-other-tables": own(usual, ((2, 2), *chroma), Layout(scans=apart, redefine=True)),
        "own-fill": own(usual, ((2, 2), *chroma), Layout(scans=apart, fill=b"\xff\xff", restart_interval=4)),
        "own-padding": own(usual, ((2, 2), *chroma), Layout(scans=apart, fill=b"\0\0\0")),
        "own-notes": own(usual, ((2, 2), *chroma), Layout(scans=apart, between=note)),
        "own-identifiers": own(usual, ((2, 2), *chroma), Layout(identifiers=(0, 200, 7))),
    }


def everything() -> dict[str, bytes]:
    """All files, by name."""
    made: dict[str, bytes] = {}
    for name, data in from_pillow().items():
        made |= {f"{name}.jpg": data, f"{name}.pgm": decoded(data)}
    # The stored planes of the same picture with another meaning: libjpeg-turbo hands them out only when they are inks.
    for name in ("baseline", "progressive"):
        cmyk = made[f"cmyk-{name}.jpg"]
        made |= {f"ycck-{name}.jpg": with_adobe_transform(cmyk, 2), f"ycck-{name}.pgm": decoded(cmyk)}
    for name, (data, planes) in from_encoder().items():
        made |= {f"{name}.jpg": data, f"{name}.pgm": planes}
    for name, source in TRANSFORMED.items():
        made[f"{name}.pgm"] = made[f"{source}.pgm"]
    return made


def main() -> int:
    """Read the arguments and do what they say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    FILES.mkdir(exist_ok=True)
    made = everything()
    expected = set(made) | {f"{name}.jpg" for name in TRANSFORMED}
    wrong = [path.name for path in FILES.iterdir() if path.name not in expected]
    for name in sorted(expected):
        path = FILES / name
        if not path.is_file() or (name in made and path.read_bytes() != made[name]):
            wrong.append(name)
            if name in made and not check:
                path.write_bytes(made[name])
                print(f"wrote {name}, {len(made[name])} bytes")
    if check and wrong:
        print("not what generate.py makes:", *sorted(wrong), file=sys.stderr)
    return 1 if check and wrong else 0


if __name__ == "__main__":
    sys.exit(main())
