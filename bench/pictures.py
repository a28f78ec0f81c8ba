#!/usr/bin/env python3
"""Make the pictures that are measured, once, into target/bench/pictures: ``pictures.py``.

Photos come from Debian packages that infra/setup/install fetched into PHOTOS, cut but never enlarged. Where there is no apt-get they
are cut from the repository's own photo: run.py says so. README.md has their names and licences.
"""

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, ImageOps

ROOT = Path(__file__).resolve().parents[1]
FIXTURES = ROOT / "fixtures" / "files"
FOLDER = ROOT / "target" / "bench" / "pictures"
PHOTOS = Path(os.environ.get("BENCH_PHOTOS", ROOT / "target" / "bench" / "photos"))

LARGE = "Elephants_5640x3172.jpg"
FOUR_K = "seeding_by_Clements_Engelhardt.jpg"
# Those of which a piece of the mosaics is not larger than the photo.
TILES = [
    LARGE,
    FOUR_K,
    "picosdeeuropa_by_Aitzol_Berasategi.jpg",
    "Dragonfly_by_Bolly.jpg",
    "life_by_Aitzol_Berasategi.jpg",
    "aitzgorri_by_Aitzol_Berasategi.jpg",
    "friends_by_Aitzol_Berasategi.jpg",
    "sunset_by_Aitzol_Berasategi.jpg",
    "analogpattern_by_Peter_Nerlich.jpg",
    "free_by_Peter_Nerlich.jpg",
    "greentock_by_Peter_Nerlich.jpg",
    "Bridge_by_Sander_Klootwijk.jpg",
]
TILE = 2000

# A camera's: https://www.impulseadventure.com/photo/jpeg-quantization.html lists tables of cameras; most are like 92 to 95 here.
CAMERA = {"quality": 93, "subsampling": "4:2:0"}


class Photos:
    """Pieces of real photos."""

    def __init__(self) -> None:
        """Look which photos are there."""
        self.real = all((PHOTOS / name).is_file() for name in TILES)

    def twelve(self) -> Image.Image:
        """12 MP of one photo."""
        if self.real:
            return middle(opened(PHOTOS / LARGE), 4000, 3000)
        return own().transpose(Image.Transpose.ROTATE_90)

    def mosaic(self, across: int, down: int) -> Image.Image:
        """Pieces of different photos side by side."""
        whole = Image.new("RGB", (across * TILE, down * TILE))
        for at in range(across * down):
            whole.paste(self._tile(at), (at % across * TILE, at // across * TILE))
        return whole

    def four_k(self) -> Image.Image:
        """A 4K screen's worth of one photo."""
        if self.real:
            return middle(opened(PHOTOS / FOUR_K), 3840, 2160)
        return middle(self.twelve(), 3840, 2160)

    def _tile(self, at: int) -> Image.Image:
        if self.real:
            return middle(opened(PHOTOS / TILES[at]), TILE, TILE)
        photo = own()
        left, top = (photo.width - TILE) * (at % 3) // 2, (photo.height - TILE) * (at // 3 % 4) // 3
        piece = photo.crop((left, top, left + TILE, top + TILE))
        return ImageOps.mirror(piece) if at % 2 else piece


def own() -> Image.Image:
    """The repository's photo, upright."""
    return ImageOps.exif_transpose(opened(FIXTURES / "phone-12mp.jpg"))


def opened(path: Path) -> Image.Image:
    """A photo without its profile, which Pillow's writers would pass on."""
    with Image.open(path) as photo:
        turned = ImageOps.exif_transpose(photo).convert("RGB")
    turned.info.clear()
    return turned


def middle(photo: Image.Image, width: int, height: int) -> Image.Image:
    """The middle of a photo that is at least as large."""
    left, top = (photo.width - width) // 2, (photo.height - height) // 2
    if left < 0 or top < 0:
        raise SystemExit(f"a photo of {photo.size} is less than {width} × {height}")
    return photo.crop((left, top, left + width, top + height))


def profile(fixture: str) -> bytes:
    """The ICC profile of one of the fixtures."""
    with Image.open(FIXTURES / fixture) as picture:
        return picture.info["icc_profile"]


def inks(photo: Image.Image) -> Image.Image:
    """Separates into four inks, half of the gray in black: as fixtures/making/pictures.py does."""
    ink = 255 - np.asarray(photo, dtype=np.int32)
    black = ink.min(axis=2, keepdims=True) // 2
    lighter = 255 * (ink - black) // (255 - black)
    return Image.fromarray(np.concatenate([lighter, black], axis=2).astype(np.uint8), "CMYK")


def faded(photo: Image.Image) -> Image.Image:
    """The photo with a soft edge into full transparency, as a cut-out has."""
    y, x = np.ogrid[0 : photo.height, 0 : photo.width]
    away = np.hypot((x - photo.width / 2) / (photo.width / 2), (y - photo.height / 2) / (photo.height / 2))
    alpha = np.clip((1.0 - away) * 8, 0, 1) * 255
    photo.putalpha(Image.fromarray(alpha.round().astype(np.uint8), "L"))
    return photo


def panned(photo: Image.Image, path: Path) -> None:
    """An animation of 24 frames: a window that moves over the photo."""
    frames = [photo.crop((40 * at, 20 * at, 40 * at + 960, 20 * at + 720)).quantize(256) for at in range(24)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=80, loop=0, optimize=False)


def copied(fixture: str) -> Callable[[Photos, Path], None]:
    """A picture that is a fixture already."""

    def copy(_: Photos, path: Path) -> None:
        path.write_bytes((FIXTURES / fixture).read_bytes())

    return copy


# File name → what makes it. run.py says what each is for.
PICTURES: dict[str, Callable[[Photos, Path], None]] = {
    "jpeg-12mp.jpg": lambda photos, path: photos.twelve().save(path, **CAMERA),
    "jpeg-12mp-phone.jpg": copied("phone-12mp.jpg"),
    "jpeg-12mp-422.jpg": lambda photos, path: photos.twelve().save(path, **CAMERA | {"subsampling": "4:2:2"}),
    "jpeg-24mp.jpg": lambda photos, path: photos.mosaic(3, 2).save(path, **CAMERA),
    "jpeg-48mp.jpg": lambda photos, path: photos.mosaic(4, 3).save(path, **CAMERA),
    "jpeg-12mp-progressive.jpg": lambda photos, path: photos.twelve().save(path, progressive=True, **CAMERA),
    "jpeg-12mp-p3.jpg": lambda photos, path: photos.twelve().save(path, icc_profile=profile("icc-display-p3.jpg"), **CAMERA),
    "jpeg-12mp-cmyk.jpg": lambda photos, path: inks(photos.twelve()).save(path, quality=93),
    "jpeg-12mp-cmyk-icc.jpg": lambda photos, path: inks(photos.twelve()).save(
        path, quality=93, icc_profile=profile("cmyk-icc.jpg")
    ),
    "png-4k-screenshot.png": copied("screenshot-4k.png"),
    "png-4k-photo.png": lambda photos, path: photos.four_k().save(path),
    "png-4k-alpha.png": lambda photos, path: faded(photos.four_k()).save(path),
    "webp-12mp.webp": lambda photos, path: photos.twelve().save(path, quality=85, method=4),
    "webp-4k-lossless.webp": lambda _, path: opened(FIXTURES / "screenshot-4k.png").save(path, lossless=True, method=2),
    "gif-4k.gif": lambda photos, path: photos.four_k().quantize(256).save(path),
    "gif-animated.gif": lambda photos, path: panned(photos.four_k(), path),
    "tiff-12mp-lzw.tif": lambda photos, path: photos.twelve().save(path, compression="tiff_lzw", tiffinfo={317: 2}),
    "bmp-12mp.bmp": lambda photos, path: photos.twelve().save(path),
}


def recipe(photos: Photos) -> str:
    """What the pictures depend on: this file, Pillow, and whether the photos are there."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    digest.update(f"{PIL.__version__} {np.__version__} {photos.real}".encode())
    for path in sorted(FIXTURES.glob("*")):
        if path.name in {"phone-12mp.jpg", "screenshot-4k.png", "cmyk-icc.jpg", "icc-display-p3.jpg"}:
            digest.update(path.read_bytes())
    return digest.hexdigest()


def keep(folder: Path, wanted: str, makers: dict[str, Callable[[Photos, Path], object]], photos: Photos) -> None:
    """Make in this folder what is not there yet, or was made by another recipe than the one that is wanted."""
    made_from = folder / "made-from"
    if made_from.is_file() and made_from.read_text() == wanted and all((folder / name).is_file() for name in makers):
        return
    folder.mkdir(parents=True, exist_ok=True)
    made_from.unlink(missing_ok=True)
    for name, draw in makers.items():
        print(f"making {name}", file=sys.stderr)
        draw(photos, folder / name)
    made_from.write_text(wanted)


def make() -> Photos:
    """Make what is not there yet, or was made otherwise."""
    photos = Photos()
    keep(FOLDER, recipe(photos), PICTURES, photos)
    return photos


if __name__ == "__main__":
    make()
