"""Makes the small WebP files of the tests, and what libwebp decodes of them (planes.txt).

Run with a Python that has Pillow and NumPy: the libwebp in Pillow's wheel is called directly, because Pillow itself
does not pass on segments, partitions and filters.
"""

import ctypes
import glob
import os
import zlib

import numpy
import PIL

HERE = os.path.dirname(os.path.abspath(__file__))
LIBS = os.path.join(os.path.dirname(PIL.__file__), "..", "pillow.libs")
for name in ("libsharpyuv", "libwebp-"):
    (path,) = glob.glob(os.path.join(LIBS, name + "*.so*"))
    lib = ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)

ABI = 0x0210
CONFIG = (
    "lossless quality method image_hint target_size target_PSNR segments sns_strength filter_strength filter_sharpness "
    "filter_type autofilter alpha_compression alpha_filtering alpha_quality passes show_compressed preprocessing partitions "
    "partition_limit emulate_jpeg_size thread_level low_memory near_lossless exact use_delta_palette use_sharp_yuv qmin qmax"
)


class Config(ctypes.Structure):
    _fields_ = [(n, ctypes.c_float if n in ("quality", "target_PSNR") else ctypes.c_int) for n in CONFIG.split()]


WRITER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_uint8), ctypes.c_size_t, ctypes.c_void_p)


class Picture(ctypes.Structure):
    _fields_ = [
        ("use_argb", ctypes.c_int),
        ("colorspace", ctypes.c_int),
        ("width", ctypes.c_int),
        ("height", ctypes.c_int),
        ("planes", ctypes.c_void_p * 3),
        ("strides", ctypes.c_int * 2),
        ("a", ctypes.c_void_p),
        ("a_stride", ctypes.c_int),
        ("pad1", ctypes.c_uint32 * 2),
        ("argb", ctypes.c_void_p),
        ("argb_stride", ctypes.c_int),
        ("pad2", ctypes.c_uint32 * 3),
        ("writer", WRITER),
        ("rest", ctypes.c_uint8 * 512),
    ]


def encode(pixels, quality, **settings):
    config = Config()
    assert lib.WebPConfigInitInternal(ctypes.byref(config), 0, ctypes.c_float(quality), ABI)
    for name, value in settings.items():
        setattr(config, name, value)
    assert lib.WebPValidateConfig(ctypes.byref(config)), settings
    picture = Picture()
    assert lib.WebPPictureInitInternal(ctypes.byref(picture), ABI)
    picture.height, picture.width = pixels.shape[:2]
    parts = []

    def write(data, size, _picture):
        parts.append(ctypes.string_at(data, size))
        return 1

    picture.writer = WRITER(write)
    data = numpy.ascontiguousarray(pixels)
    load = lib.WebPPictureImportRGBA if pixels.shape[2] == 4 else lib.WebPPictureImportRGB
    assert load(ctypes.byref(picture), data.ctypes.data_as(ctypes.c_void_p), data.shape[1] * data.shape[2])
    assert lib.WebPEncode(ctypes.byref(config), ctypes.byref(picture))
    lib.WebPPictureFree(ctypes.byref(picture))
    return b"".join(parts)


def planes(file):
    width, height, stride, chroma_stride = (ctypes.c_int() for _ in range(4))
    blue, red = ctypes.c_void_p(), ctypes.c_void_p()
    lib.WebPDecodeYUV.restype = ctypes.c_void_p
    references = [ctypes.byref(x) for x in (width, height, blue, red, stride, chroma_stride)]
    luma = lib.WebPDecodeYUV(file, ctypes.c_size_t(len(file)), *references)
    assert luma

    def rows(start, stride, width, height):
        return b"".join(ctypes.string_at(start + y * stride, width) for y in range(height))

    half = [(n.value + 1) // 2 for n in (width, height)]
    found = [rows(luma, stride.value, width.value, height.value)]
    found += [rows(plane.value, chroma_stride.value, *half) for plane in (blue, red)]
    return width.value, height.value, found


def scene(width, height, seed, noise):
    """A gradient, some discs and rectangles with sharp edges, stripes, and noise."""
    random = numpy.random.default_rng(seed)
    y, x = numpy.mgrid[0:height, 0:width].astype(float)
    out = numpy.stack([x * 255 / max(width - 1, 1), y * 255 / max(height - 1, 1), 128 + 100 * numpy.sin((x + y) / 9)], axis=2)
    for _ in range(12):
        cx, cy, r = random.uniform(0, width), random.uniform(0, height), random.uniform(2, 2 + min(width, height) / 4)
        color = random.uniform(0, 255, 3)
        if random.uniform() < 0.5:
            out[(x - cx) ** 2 + (y - cy) ** 2 < r * r] = color
        else:
            out[(abs(x - cx) < r) & (abs(y - cy) < r / 2)] = color
    out[(x + 2 * y) % 23 < 2] = random.uniform(0, 255, 3)
    out += random.normal(0, noise, out.shape)
    return numpy.clip(out, 0, 255).astype(numpy.uint8)


FILES = {
    "1x1": (1, 1, 90, {}, 0),
    "2x1": (2, 1, 75, {}, 0),
    "1x17": (1, 17, 75, {}, 5),
    "16x16": (16, 16, 60, {}, 5),
    "17x33": (17, 33, 80, {}, 10),
    "40x25-m0": (40, 25, 40, {"method": 0}, 20),
    "63x65-m6": (63, 65, 90, {"method": 6}, 5),
    "q0": (96, 80, 0, {}, 10),
    "q100": (96, 80, 100, {}, 20),
    "one-segment": (96, 80, 70, {"segments": 1, "filter_strength": 60}, 10),
    "four-segments": (160, 120, 50, {"segments": 4, "sns_strength": 100, "filter_strength": 80}, 10),
    "simple-filter": (97, 81, 30, {"filter_type": 0, "filter_strength": 90}, 5),
    "normal-sharp": (97, 81, 30, {"filter_type": 1, "filter_strength": 100, "filter_sharpness": 7}, 5),
    "normal-soft": (97, 81, 10, {"filter_type": 1, "filter_strength": 100, "filter_sharpness": 3}, 5),
    "no-filter": (97, 81, 30, {"filter_strength": 0, "autofilter": 0}, 5),
    "partitions-2": (120, 130, 75, {"partitions": 1}, 10),
    "partitions-4": (120, 130, 75, {"partitions": 2}, 10),
    "partitions-8": (120, 130, 75, {"partitions": 3}, 10),
    "flat": (64, 64, 75, {}, None),
    "wide": (400, 9, 75, {}, 8),
}

with open(os.path.join(HERE, "planes.txt"), "w") as table:
    table.write("# name, width, height, CRC-32 of luma, blue and red as libwebp decodes them\n")
    for seed, (name, (width, height, quality, settings, noise)) in enumerate(FILES.items()):
        if noise is None:
            pixels = numpy.full((height, width, 3), (200, 90, 40), numpy.uint8)
        else:
            pixels = scene(width, height, seed, noise)
        file = encode(pixels, quality, **settings)
        with open(os.path.join(HERE, name + ".webp"), "wb") as out:
            out.write(file)
        width, height, found = planes(file)
        sums = " ".join(f"{zlib.crc32(plane):08x}" for plane in found)
        table.write(f"{name} {width} {height} {sums}\n")
    pixels = scene(48, 40, 99, 5)
    alpha = numpy.dstack([pixels, numpy.tile(numpy.arange(48, dtype=numpy.uint8) * 5, (40, 1))])
    for name, data, settings in (
        ("alpha", alpha, {}),
        ("alpha-raw", alpha, {"alpha_compression": 0}),
        ("lossless", pixels, {"lossless": 1}),
    ):
        with open(os.path.join(HERE, name + ".webp"), "wb") as out:
            out.write(encode(data, 75, **settings))
