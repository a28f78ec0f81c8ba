"""What other programs say of documents, films and sounds: PDFium (pypdfium2) and FFmpeg (PyAV)."""

import base64
import io
from dataclasses import dataclass
from itertools import islice

import av
import pypdfium2

from pixels import Picture

# Points of a waveform.
POINTS = 100
# So many of the first keyframes a poster may be of.
KEYFRAMES = 8
# How far from FFmpeg's durations ours may be: encoders' delays and padding are counted by some and not by others.
MILLISECONDS = 60
# How far a point of the waveform may be from the peak in its hundredth, of 255, and how many points may be further: where one hundredth
# ends and the next begins is up to the reader.
POINT_TOLERANCE, STRAY_POINTS = 24, 10


@dataclass(frozen=True)
class Film:
    """A film as a player shows it."""

    milliseconds: float | None
    size: tuple[int, int]
    rotation: int
    codec: str
    keyframes: list[Picture]


@dataclass(frozen=True)
class Sound:
    """A sound as a player plays it."""

    milliseconds: float
    peaks: list[int]


def document(data: bytes) -> tuple[int, Picture]:
    """The number of pages, and the first page at 1280 pixels."""
    opened = pypdfium2.PdfDocument(data)
    page = opened[0]
    scale = 1280 / max(page.get_size())
    image = page.render(scale=scale).to_pil().convert("RGBA")
    return len(opened), Picture(image, 1, False)


def has_pictures(data: bytes) -> bool:
    """Whether there is more than sound in it."""
    with av.open(io.BytesIO(data)) as opened:
        return bool(opened.streams.video)


def film(data: bytes) -> Film:
    """Its facts and its first keyframes, upright."""
    with av.open(io.BytesIO(data)) as opened:
        stream = opened.streams.video[0]
        stream.codec_context.skip_frame = "NONKEY"
        pictures, rotation, size = [], 0, (stream.codec_context.width, stream.codec_context.height)
        for frame in islice(opened.decode(stream), KEYFRAMES):
            rotation = round(-frame.rotation) % 360
            upright = frame.to_image().rotate(-rotation, expand=True)
            pictures.append(Picture(upright.convert("RGBA"), 1, False))
        if rotation in (90, 270):
            size = size[::-1]
        milliseconds = None if opened.duration is None else opened.duration / av.time_base * 1000
        return Film(milliseconds, size, rotation, stream.codec_context.name, pictures)


def sound(data: bytes) -> Sound:
    """How long it is, and the peaks of its hundredths."""
    samples: list[float] = []
    rate = 1
    with av.open(io.BytesIO(data)) as opened:
        stream = opened.streams.audio[0]
        resampler = av.AudioResampler(format="fltp", layout=stream.layout, rate=stream.rate)
        for frame in opened.decode(stream):
            for plain in resampler.resample(frame):
                rate = plain.sample_rate
                channels = [memoryview(plane).cast("f")[: plain.samples] for plane in plain.planes]
                samples += [max(abs(channel[at]) for channel in channels) for at in range(plain.samples)]
    edges = [len(samples) * at // POINTS for at in range(POINTS + 1)]
    peaks = [min(255, round(255 * max(samples[one:other], default=0))) for one, other in zip(edges, edges[1:], strict=False)]
    return Sound(len(samples) / rate * 1000, peaks)


def waveform(text: str) -> list[int]:
    """The points of a waveform as it stands in a document."""
    return list(base64.b64decode(text, validate=True))


def strays(points: list[int], peaks: list[int]) -> int:
    """How many points are far from their peaks and from their neighbours' peaks."""
    near = [peaks[max(0, at - 1) : at + 2] for at in range(len(peaks))]
    return sum(
        not min(around) - POINT_TOLERANCE <= point <= max(around) + POINT_TOLERANCE
        for point, around in zip(points, near, strict=True)
    )
