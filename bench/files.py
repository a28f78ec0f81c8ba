#!/usr/bin/env python3
"""Make the documents, films and pictures of phones that are measured, once, into target/bench/files: ``files.py``.

Their content is the photos of pictures.py. The peers' own tools encode them: pillow-heif (x265), Pillow (libaom), ffmpeg (x264), ReportLab.
"""

import hashlib
import io
import random
import subprocess
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pillow_heif
from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from pictures import ROOT, Photos, keep, own

FOLDER = ROOT / "target" / "bench" / "files"
PAGES = 12
WORDS = (
    "the parcel",
    "arrived",
    "this morning",
    "but one",
    "of two",
    "lamps",
    "is broken",
    "could you",
    "please",
    "send another",
)


def heic(photos: Photos, path: Path) -> None:
    """HEVC at quality 60, which makes a file about as large as a phone's."""
    pillow_heif.from_pillow(photos.twelve()).save(path, quality=60)


def avif(photos: Photos, path: Path) -> None:
    """AV1 at quality 70."""
    photos.twelve().save(path, quality=70, speed=8)


def text(font: str, size: int, words: int) -> Callable[[Photos, Path], None]:
    """Pages full of words: in one of the fonts that every reader has, or in Vera, which ReportLab brings along and the file then holds."""

    def draw(_: Photos, path: Path) -> None:
        if font == "Vera":
            pdfmetrics.registerFont(TTFont(font, f"{font}.ttf"))
        canvas = Canvas(str(path), pagesize=A4, invariant=True)
        dice = random.Random(7)  # noqa: S311 - filling, not a secret
        for page in range(PAGES):
            canvas.setFont(font, size)
            for line in range(55):
                canvas.drawString(50, 780 - 13 * line, " ".join(dice.choice(WORDS) for _ in range(words)))
            canvas.drawString(290, 30, str(page + 1))
            canvas.showPage()
        canvas.save()

    return draw


def scan(_: Photos, path: Path) -> None:
    """A page that is one JPEG of 8 MP, as scanners make them."""
    jpeg = io.BytesIO()
    own().convert("L").resize((2480, 3508)).save(jpeg, "JPEG", quality=85)
    canvas = Canvas(str(path), pagesize=A4, invariant=True)
    canvas.drawImage(ImageReader(jpeg), 0, 0, *A4)
    canvas.save()


def drawing(_: Photos, path: Path) -> None:
    """A plan: twenty thousand lines and curves, hatchings, some of it see-through."""
    canvas = Canvas(str(path), pagesize=A4, invariant=True)
    dice = random.Random(9)  # noqa: S311 - filling, not a secret
    for at in range(20_000):
        x, y = dice.uniform(20, 570), dice.uniform(20, 820)
        canvas.setLineWidth(dice.choice((0.2, 0.5, 1)))
        canvas.setStrokeColorRGB(dice.random(), dice.random(), dice.random())
        if at % 3:
            canvas.line(x, y, x + dice.uniform(-40, 40), y + dice.uniform(-40, 40))
        else:
            canvas.bezier(x, y, x + 20, y + 30, x + 40, y - 30, x + 60, y)
    canvas.setFillAlpha(0.4)
    for _circle in range(200):
        canvas.setFillColorRGB(dice.random(), dice.random(), dice.random())
        canvas.circle(dice.uniform(20, 570), dice.uniform(20, 820), dice.uniform(5, 50), stroke=0, fill=1)
    canvas.save()


def film(width: int, height: int) -> Callable[[Photos, Path], None]:
    """Four seconds of a window that moves over a photo, with a tone."""

    def make(photos: Photos, path: Path) -> None:
        still = path.with_suffix(".png")
        picture = photos.four_k()
        picture.resize((width * 5 // 4, height * 5 // 4), Image.Resampling.LANCZOS).save(still, compress_level=1)
        moving = f"crop={width}:{height}:'t/4*(iw-{width})':'t/4*(ih-{height})'"
        subprocess.run(
            [
                *("ffmpeg", "-v", "error", "-y", "-loop", "1", "-framerate", "30", "-t", "4", "-i", str(still)),
                *("-f", "lavfi", "-i", "sine=440:duration=4", "-vf", moving, "-pix_fmt", "yuv420p"),
                *(
                    "-c:v",
                    "libx264",
                    "-profile:v",
                    "high",
                    "-preset",
                    "medium",
                    "-crf",
                    "20",
                    "-c:a",
                    "aac",
                    "-shortest",
                    str(path),
                ),
            ],
            check=True,
        )
        still.unlink()

    return make


# File name → what makes it. run.py says what each is for.
FILES: dict[str, Callable[[Photos, Path], None]] = {
    "heic-12mp.heic": heic,
    "avif-12mp.avif": avif,
    "pdf-text.pdf": text("Times-Roman", 11, 14),
    "pdf-font.pdf": text("Vera", 9, 13),
    "pdf-scan.pdf": scan,
    "pdf-drawing.pdf": drawing,
    "film-1080p.mp4": film(1920, 1080),
    "film-4k.mp4": film(3840, 2160),
}


def recipe(photos: Photos) -> str:
    """What the files depend on."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    digest.update(f"{version('pillow-heif')} {version('pillow')} {version('reportlab')} {photos.real}".encode())
    return digest.hexdigest()


def make(photos: Photos) -> None:
    """Make what is not there yet, or was made otherwise."""
    keep(FOLDER, recipe(photos), FILES, photos)


if __name__ == "__main__":
    make(Photos())
