"""What is measured, and what we want to reach."""

from dataclasses import dataclass, field

SIDES = {"320": (320,), "320+1280": (320, 1280)}
PEERS = ("libvips", "sharp")
NO_BMP = dict.fromkeys(PEERS, "does not read BMP")


@dataclass(frozen=True)
class Case:
    """One picture."""

    name: str
    file: str
    about: str
    # Which peers cannot do it, and why. That they can all the same is a failure too.
    cannot: dict[str, str] = field(default_factory=dict)
    # Why there is no saying how good a thumbnail of it is.
    unjudged: str | None = None


CASES = [
    Case("jpeg-12mp", "jpeg-12mp.jpg", "JPEG 4:2:0, quality 93"),
    Case("jpeg-12mp-phone", "jpeg-12mp-phone.jpg", "JPEG 4:2:0 of little detail, stored sideways, sRGB profile"),
    Case("jpeg-12mp-422", "jpeg-12mp-422.jpg", "JPEG 4:2:2, quality 93"),
    Case("jpeg-12mp-p3", "jpeg-12mp-p3.jpg", "JPEG with a Display P3 profile"),
    Case("jpeg-12mp-progressive", "jpeg-12mp-progressive.jpg", "progressive JPEG"),
    Case(
        "jpeg-12mp-cmyk",
        "jpeg-12mp-cmyk.jpg",
        "JPEG of four inks without a profile",
        unjudged="without a profile nobody knows its colours",
    ),
    Case("jpeg-12mp-cmyk-icc", "jpeg-12mp-cmyk-icc.jpg", "JPEG of four inks with a printing profile"),
    Case("jpeg-24mp", "jpeg-24mp.jpg", "JPEG, mosaic of 6 photos"),
    Case("jpeg-48mp", "jpeg-48mp.jpg", "JPEG, mosaic of 12 photos"),
    Case("png-4k-screenshot", "png-4k-screenshot.png", "screenshot"),
    Case("png-4k-photo", "png-4k-photo.png", "photo"),
    Case("png-4k-alpha", "png-4k-alpha.png", "photo with a soft edge into transparency"),
    Case("webp-12mp", "webp-12mp.webp", "lossy WebP, quality 85"),
    Case("webp-4k-lossless", "webp-4k-lossless.webp", "lossless WebP, the screenshot"),
    Case("gif-4k", "gif-4k.gif", "GIF, one frame"),
    Case("gif-animated", "gif-animated.gif", "GIF, 24 frames of 960 × 720, of which the first is shown"),
    Case("tiff-12mp-lzw", "tiff-12mp-lzw.tif", "TIFF, LZW with predictor"),
    Case("bmp-12mp", "bmp-12mp.bmp", "BMP", cannot=NO_BMP),
]


@dataclass(frozen=True)
class Goal:
    """A ratio that is to be reached with every one of some cases."""

    name: str
    most: dict[str, float]
    cases: tuple[str, ...]
    sides: tuple[str, ...] = tuple(SIDES)
    ratio: str = "cpuRatio"


EVERYTHING = tuple(case.name for case in CASES)
PLAIN_12MP = ("jpeg-12mp", "jpeg-12mp-phone", "jpeg-12mp-422")
GOALS = [
    Goal("JPEG 12 MP to 320", {"libvips": 0.45, "sharp": 0.6}, PLAIN_12MP, ("320",)),
    Goal("JPEG 12 MP to 320 and 1280", {"libvips": 0.55, "sharp": 0.6}, PLAIN_12MP, ("320+1280",)),
    Goal("progressive to 320", {"libvips": 0.4, "sharp": 0.4}, ("jpeg-12mp-progressive",), ("320",)),
    Goal("4K PNG", {"libvips": 0.5, "sharp": 0.5}, ("png-4k-screenshot", "png-4k-photo")),
    Goal("WebP", {"libvips": 0.75, "sharp": 0.75}, ("webp-12mp", "webp-4k-lossless")),
    Goal("GIF", {"libvips": 0.6, "sharp": 0.6}, ("gif-4k", "gif-animated")),
    Goal("TIFF", {"libvips": 0.9, "sharp": 0.9}, ("tiff-12mp-lzw",)),
    Goal("CMYK", {"libvips": 0.9, "sharp": 0.9}, ("jpeg-12mp-cmyk", "jpeg-12mp-cmyk-icc")),
    Goal("peak memory", {"libvips": 0.3}, EVERYTHING, ratio="rssRatio"),
]
# Quality is to be at least this peer's, up to what rounding does.
QUALITY_OF = "sharp"
SLACK = {"psnr": 0.05, "ssim": 0.0005}
