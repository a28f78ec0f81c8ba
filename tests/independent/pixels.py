"""What Pillow says of a picture, and how near a thumbnail is to it."""

import base64
import io
from dataclasses import dataclass

import pillow_heif
import pillow_jxl  # noqa: F401 - what it does is to be imported: Pillow then opens JPEG XL
from PIL import Image, ImageChops, ImageCms, ImageOps, ImageStat

pillow_heif.register_heif_opener()

# Both sides are compared at this size, where the encoder's noise has averaged out and a turned picture has not.
COMPARED_PIXELS = 64

# Mean absolute difference, of 255. A good thumbnail of the fixtures stays below 2; a turned or wrongly coloured one is far above.
TOLERANCE = 4.0

# Thumbnails this small are mostly the encoder's noise.
SMALL_PIXELS, SMALL_TOLERANCE = 16, 40.0

# The limit of what is accepted, with room above it: what is larger must have been refused.
Image.MAX_IMAGE_PIXELS = 60_000_000

# How much nearer a turned picture may seem: some pictures are almost their own mirror image.
ALIKE = 0.5

TURNS: dict[str, Image.Transpose | None] = {"upright": None} | {how.name.lower(): how for how in Image.Transpose}


@dataclass(frozen=True)
class Picture:
    """A picture as a person should see it: first frame, upright, in sRGB, RGBA of 8 bits."""

    upright: Image.Image
    frames: int
    has_alpha_channel: bool

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as shown."""
        return self.upright.size

    @property
    def is_transparent(self) -> bool:
        """Whether any pixel lets the background through."""
        lowest, _ = self.upright.getchannel("A").getextrema()
        return isinstance(lowest, int) and lowest < 255


def read(data: bytes) -> Picture:
    """Decode a file whole, obeying its orientation and its colour profile.

    Raises:
        OSError: if the bytes are not a whole picture.
    """
    with Image.open(io.BytesIO(data)) as image:
        frames = getattr(image, "n_frames", 1)
        image.seek(0)
        image.load()
        has_alpha = image.has_transparency_data
        upright = ImageOps.exif_transpose(image)
        return Picture(_rgba(upright, image.info.get("icc_profile")), frames, has_alpha)


def _rgba(image: Image.Image, profile: bytes | None) -> Image.Image:
    """``image`` in sRGB with 8 bits a channel."""
    if image.mode.startswith(("I", "F")):
        image = image.point(lambda value: value * (1 / 257)).convert("L")
    if profile and image.mode in ("RGB", "CMYK"):
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        if converted is not None:
            image = converted
    return image.convert("RGBA")


def media_type(data: bytes) -> str | None:
    """The content type of a picture's bytes."""
    with Image.open(io.BytesIO(data)) as image:
        return image.get_format_mimetype()


def fits(width: int, height: int, longest: int) -> tuple[float, float]:
    """The exact size of a thumbnail that fits a square of ``longest`` and is never enlarged."""
    scale = min(1.0, longest / max(width, height))
    return width * scale, height * scale


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean absolute difference of two RGBA pictures over a white and over a black background, 0 to 255."""
    size = (min(COMPARED_PIXELS, one.width), min(COMPARED_PIXELS, one.height))
    means: list[float] = []
    for background in ("white", "black"):
        flat = [_over(image, background).resize(size, Image.Resampling.BOX) for image in (one, other)]
        means += ImageStat.Stat(ImageChops.difference(flat[0], flat[1])).mean
    return sum(means) / len(means)


def _over(image: Image.Image, background: str) -> Image.Image:
    flat = Image.new("RGBA", image.size, background)
    flat.alpha_composite(image)
    return flat.convert("RGB")


def differences(source: Picture, thumbnail: Image.Image) -> dict[str, float]:
    """How far the thumbnail is from the source as it should be shown, and from each of its turns and mirrors."""
    upright = source.upright.resize(thumbnail.size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    found = {}
    for name, turn in TURNS.items():
        turned = upright if turn is None else upright.transpose(turn).resize(thumbnail.size)
        found[name] = difference(turned, thumbnail)
    return found


def tolerance(size: tuple[int, int]) -> float:
    """The largest difference that is still the same picture."""
    return SMALL_TOLERANCE if min(size) < SMALL_PIXELS else TOLERANCE


def average(picture: Picture) -> tuple[float, float, float]:
    """The mean colour, weighted by opacity, 0 to 1."""
    mask = picture.upright.getchannel("A")
    red, green, blue = (mean / 255 for mean in ImageStat.Stat(picture.upright.convert("RGB"), mask).mean)
    return red, green, blue


def thumbhash_average(text: str) -> tuple[tuple[float, float, float], bool]:
    """The mean colour that a thumbhash states, and whether it states transparency (https://evanw.github.io/thumbhash/).

    The first three bytes hold, from the lowest bit: 6 bits of luminance, 6 of yellow minus blue, 6 of red minus green,
    5 of scale, and the bit for alpha.
    """
    header = int.from_bytes(base64.b64decode(text, validate=True)[:3], "little")
    light = (header & 63) / 63
    yellow_blue = (header >> 6 & 63) / 31.5 - 1
    red_green = (header >> 12 & 63) / 31.5 - 1
    blue = light - 2 / 3 * yellow_blue
    red = (3 * light - blue + red_green) / 2
    return (red, red - red_green, blue), bool(header >> 23)


# What may stand in a thumbnail: the picture itself and how to decode it.
JPEG_MARKERS = {0xE0, 0xDB, 0xC0, 0xC2, 0xC4, 0xDD, 0xDA, 0xEE}
PNG_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"sRGB", b"gAMA", b"cHRM"}
WEBP_CHUNKS = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH"}


def extras(data: bytes) -> list[str]:
    """What stands in a thumbnail and is not needed to show it: EXIF, XMP, profiles, comments, trailing bytes."""
    if data.startswith(b"\xff\xd8"):
        return _jpeg_extras(data)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png_extras(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp_extras(data)
    return [f"unknown format {data[:8]!r}"]


def _jpeg_extras(data: bytes) -> list[str]:
    found = []
    at = 2
    while data[at : at + 1] == b"\xff":
        marker = data[at + 1]
        if marker not in JPEG_MARKERS:
            found.append(f"JPEG marker FF{marker:02X}")
        if marker == 0xDA:
            break
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return found if data.endswith(b"\xff\xd9") else [*found, "bytes after the end of the JPEG"]


def _png_extras(data: bytes) -> list[str]:
    found = []
    at = 8
    while at < len(data):
        name = data[at + 4 : at + 8]
        if name not in PNG_CHUNKS:
            found.append(f"PNG chunk {name!r}")
        at += 12 + int.from_bytes(data[at : at + 4], "big")
        if name == b"IEND" and at != len(data):
            return [*found, "bytes after the end of the PNG"]
    return found


def _webp_extras(data: bytes) -> list[str]:
    found = []
    at = 12
    while at < len(data):
        name = data[at : at + 4]
        if name not in WEBP_CHUNKS:
            found.append(f"WebP chunk {name!r}")
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + length % 2
    return found
