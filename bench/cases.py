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
class Other:
    """A file of which a picture is made, that is no picture that browsers have always shown: beside tools of its own."""

    name: str
    file: str
    about: str
    peers: tuple[str, ...]


# Command lines in which FILE and OUT are filled in, and what starts the program for nothing. Each makes one picture of 1280 pixels; ours makes the one
# of 320 as well, and finds out all that it says of a file.
TOOLS = {
    "pdftoppm": (
        ["pdftoppm", "-singlefile", "-jpeg", "-jpegopt", "quality=80", "-scale-to", "1280", "FILE", "OUT/1280"],
        ["pdftoppm", "-v"],
    ),
    "mutool": (["mutool", "draw", "-q", "-o", "OUT/1280.ppm", "-w", "1280", "-h", "1280", "FILE", "1"], ["mutool", "-v"]),
    "ffmpeg": (
        [
            *("ffmpeg", "-v", "error", "-threads", "1", "-i", "FILE", "-frames:v", "1"),
            *("-vf", "scale=1280:1280:force_original_aspect_ratio=decrease", "-q:v", "4", "OUT/1280.jpg"),
        ],
        ["ffmpeg", "-v", "error", "-version"],
    ),
    "libvips": (
        ["vipsthumbnail", "FILE", "--size", "1280x1280>", "-o", "OUT/1280.jpg[Q=80,strip]"],
        ["vipsthumbnail", "--vips-version"],
    ),
    "libheif": (["heif-thumbnailer", "-s", "1280", "-p", "FILE", "OUT/1280.png"], ["heif-thumbnailer"]),
}
OTHERS = [
    Other("heic-12mp", "heic-12mp.heic", "HEIC, one picture without tiles", ("libheif", "libvips")),
    Other("avif-12mp", "avif-12mp.avif", "AVIF, 8 bits, 4:2:0", ("libvips",)),
    Other("pdf-text", "pdf-text.pdf", "12 pages of text in a standard font", ("pdftoppm", "mutool")),
    Other("pdf-font", "pdf-font.pdf", "12 pages of text in an embedded font", ("pdftoppm", "mutool")),
    Other("pdf-scan", "pdf-scan.pdf", "a page that is one grey JPEG of 9 MP", ("pdftoppm", "mutool")),
    Other("pdf-drawing", "pdf-drawing.pdf", "a plan of 20,000 lines and curves, some see-through", ("pdftoppm", "mutool")),
    Other("film-1080p", "film-1080p.mp4", "H.264 High, 1920 × 1080, 4 s", ("ffmpeg",)),
    Other("film-4k", "film-4k.mp4", "H.264 High, 3840 × 2160, 4 s", ("ffmpeg",)),
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
# Of the others: peer, cases, most CPU. Memory is to be at most half of each peer's.
OTHER_GOALS = [
    ("pdftoppm", ("pdf-text", "pdf-font", "pdf-scan", "pdf-drawing"), 0.5),
    ("ffmpeg", ("film-1080p", "film-4k"), 0.4),
    ("libheif", ("heic-12mp",), 1.2),
]
OTHER_MEMORY = 0.5
# Quality is to be at least this peer's, up to what rounding does.
QUALITY_OF = "sharp"
SLACK = {"psnr": 0.05, "ssim": 0.0005}
