#!/usr/bin/env python3
"""libvips's way to what we do: ``vips_thumbnail.py FILE OUT_FOLDER SIDE...``; without arguments it only loads the library.

``thumbnail`` is what libvips recommends: it shrinks while it decodes, turns the picture upright and streams. Several sides are made
from the largest, each from the next larger one: making 320 and 1280 each from the file took 1.2 to 1.7 times the time, with JPEG,
progressive JPEG, PNG, WebP and TIFF. JPEG is written at our quality and without metadata; where there is transparency, PNG, which costs
libvips less than lossless WebP.
"""

import os
import sys
from pathlib import Path

os.environ["VIPS_CONCURRENCY"] = "1"  # read when the library starts

import pyvips  # noqa: E402


def save(image: pyvips.Image, folder: str, side: int) -> None:
    """Write one thumbnail."""
    if image.hasalpha():
        image.pngsave(str(Path(folder, f"{side}.png")), keep="none")
    else:
        image.jpegsave(str(Path(folder, f"{side}.jpg")), Q=80, keep="none")


def main(file: str, folder: str, *sides: str) -> None:
    """Write the thumbnails of one file."""
    largest, *smaller = sorted(map(int, sides), reverse=True)
    # Asked for sRGB, libvips takes also a picture without a profile through CIELAB and back: 300 ms at 12 MP.
    profiled = pyvips.Image.new_from_file(file).get_typeof("icc-profile-data") != 0
    options = {"export_profile": "srgb"} if profiled else {}
    image = pyvips.Image.thumbnail(file, largest, height=largest, size="down", **options)
    if smaller:
        image = image.copy_memory()
    save(image, folder, largest)
    for side in smaller:
        image = image.thumbnail_image(side, height=side, size="down")
        save(image, folder, side)


if len(sys.argv) > 1:
    main(*sys.argv[1:])
