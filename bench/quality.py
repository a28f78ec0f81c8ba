#!/usr/bin/env python3
"""How good a thumbnail is, as PSNR and SSIM; ``quality.py --check`` checks these definitions on values that are known.

The reference is the whole picture decoded by Pillow (the first frame), turned upright, taken to sRGB by its ICC profile (LittleCMS,
relative colorimetric) if it has one, and resized with Pillow's LANCZOS: Lanczos with three lobes, widened by the scale, on the
sRGB values as they are; with transparency, on premultiplied ones. It has the thumbnail's size, so that no rounding of sizes counts.

What is compared is the luma of sRGB, 8 bits, as JPEG defines it (BT.601, full range): 0.299 R + 0.587 G + 0.114 B. Pictures with
transparency are first laid on white.

- PSNR: 20 log10(255 / root of the mean squared difference), in dB.
- SSIM: Wang, Bovik, Sheikh, Simoncelli 2004 (https://doi.org/10.1109/TIP.2003.819861): the mean over all places where a Gaussian
  window of 11 × 11 with sigma 1.5 lies within the picture; K1 = 0.01, K2 = 0.03, L = 255.
"""

import io
import math
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

# A 48 MP picture of ours is no attack.
Image.MAX_IMAGE_PIXELS = 60_000_000

WINDOW, SIGMA, K1, K2, PEAK = 11, 1.5, 0.01, 0.03, 255.0


def upright(path: Path) -> Image.Image:
    """The whole picture in sRGB."""
    with Image.open(path) as stored:
        profile = stored.info.get("icc_profile")
        clear = stored.has_transparency_data
        picture = ImageOps.exif_transpose(stored)
    if profile:
        picture = ImageCms.profileToProfile(
            picture if picture.mode == "CMYK" else picture.convert("RGB"),
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
        )
    return picture.convert("RGBA" if clear and not profile else "RGB")


def reference(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """What a thumbnail of that size should be."""
    return picture.resize(size, Image.Resampling.LANCZOS)


def luma(picture: Image.Image) -> np.ndarray:
    """Luma from 0 to 255."""
    if picture.mode == "RGBA":
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return np.asarray(picture.convert("RGB"), dtype=np.float64) @ (0.299, 0.587, 0.114)


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    """In dB; infinite where there is no difference."""
    mean = float(np.mean((one - other) ** 2))
    return math.inf if mean == 0 else 20 * math.log10(PEAK) - 10 * math.log10(mean)


def _blurred(values: np.ndarray) -> np.ndarray:
    """The weighted mean in each window that lies within."""
    away = np.arange(WINDOW) - WINDOW // 2
    weights = np.exp(-(away**2) / (2 * SIGMA**2))
    weights /= weights.sum()
    for axis in (0, 1):
        values = np.lib.stride_tricks.sliding_window_view(values, WINDOW, axis=axis) @ weights
    return values


def ssim(one: np.ndarray, other: np.ndarray) -> float:
    """1 where there is no difference."""
    c1, c2 = (K1 * PEAK) ** 2, (K2 * PEAK) ** 2
    mean_one, mean_other = _blurred(one), _blurred(other)
    var_one, var_other = _blurred(one * one) - mean_one**2, _blurred(other * other) - mean_other**2
    both = _blurred(one * other) - mean_one * mean_other
    alike = (2 * mean_one * mean_other + c1) * (2 * both + c2)
    return float(np.mean(alike / ((mean_one**2 + mean_other**2 + c1) * (var_one + var_other + c2))))


class Judge:
    """Compares thumbnails of one picture with what they should be."""

    def __init__(self, path: Path) -> None:
        """The picture at ``path``."""
        self._whole = upright(path)
        self.size = self._whole.size
        self._lumas: dict[tuple[int, int], np.ndarray] = {}

    def judge(self, thumbnail: Path) -> tuple[float, float]:
        """PSNR and SSIM."""
        with Image.open(thumbnail) as made:
            shown = made.convert("RGBA" if made.has_transparency_data else "RGB")
        if shown.size not in self._lumas:
            self._lumas[shown.size] = luma(reference(self._whole, shown.size))
        should, is_ = self._lumas[shown.size], luma(shown)
        return psnr(is_, should), ssim(is_, should)


def check() -> None:
    """Check the definitions on values that are known."""
    random = np.random.default_rng(1)
    noise = random.integers(0, 200, (40, 50)).astype(np.float64)
    assert psnr(noise, noise) == math.inf
    assert ssim(noise, noise) == 1
    for offset in (1, 7, 55):
        assert math.isclose(psnr(noise, noise + offset), 20 * math.log10(255 / offset))
    # Of flat pictures only the term of the means is left.
    flat = np.full((20, 20), 100.0)
    assert math.isclose(ssim(flat, flat + 50), (2 * 100 * 150 + 2.55**2) / (100**2 + 150**2 + 2.55**2))
    # As the paper's formula says it, window by window, with the weights in two dimensions.
    other = np.clip(noise + random.normal(0, 20, noise.shape), 0, 255)
    away = np.arange(11) - 5
    weights = np.exp(-(away[:, None] ** 2 + away**2) / (2 * 1.5**2))
    weights /= weights.sum()
    places = []
    for top in range(noise.shape[0] - 10):
        for left in range(noise.shape[1] - 10):
            a, b = (values[top : top + 11, left : left + 11] for values in (noise, other))
            mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
            var_a, var_b = (weights * (a - mean_a) ** 2).sum(), (weights * (b - mean_b) ** 2).sum()
            both = (weights * (a - mean_a) * (b - mean_b)).sum()
            places.append(
                (2 * mean_a * mean_b + 6.5025)
                * (2 * both + 58.5225)
                / ((mean_a**2 + mean_b**2 + 6.5025) * (var_a + var_b + 58.5225))
            )
    assert math.isclose(ssim(noise, other), float(np.mean(places)))
    assert luma(Image.new("RGB", (1, 1), (255, 0, 0)))[0, 0] == 0.299 * 255
    assert math.isclose(luma(Image.new("RGBA", (1, 1), (0, 0, 0, 0)))[0, 0], 255)
    print("quality: PSNR and SSIM are what they should be on values that are known")


if __name__ == "__main__":
    if sys.argv[1:] != ["--check"]:
        raise SystemExit("usage: quality.py --check")
    check()
