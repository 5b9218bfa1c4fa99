#!/usr/bin/env python3
"""Makes evaluation_quality.npz: PSNR and SSIM of random pictures, by scikit-image.

Needs numpy and scikit-image (made with scikit-image 0.26.0, NumPy 2.4.6). Run from this folder.
"""

import numpy
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

SEED = 20240611


def pictures(draw, shape):
    """Smooth pictures and noisy copies from nearly equal to nearly unrelated; float32 [B,C,H,W]."""
    rows = numpy.cos(numpy.arange(shape[2]) * draw.uniform(0.1, 0.6, (*shape[:2], 1)))
    columns = numpy.sin(numpy.arange(shape[3]) * draw.uniform(0.1, 0.6, (*shape[:2], 1)))
    clean = rows[:, :, :, None] * columns[:, :, None, :]
    strength = numpy.geomspace(0.02, 0.8, shape[0])[:, None, None, None]
    noisy = clean + strength * draw.standard_normal(shape)
    return clean.astype(numpy.float32), noisy.clip(-1, 1).astype(numpy.float32)


def main():
    draw = numpy.random.default_rng(SEED)
    arrays = {}
    for name, shape in {"grey": (3, 1, 28, 28), "rgb": (2, 3, 13, 20)}.items():
        a, b = pictures(draw, shape)
        pairs = [(x.astype(numpy.float64), y.astype(numpy.float64)) for x, y in zip(a, b)]
        arrays[f"{name}_a"], arrays[f"{name}_b"] = a, b
        arrays[f"{name}_psnr"] = numpy.array(
            [peak_signal_noise_ratio(x, y, data_range=2) for x, y in pairs])
        arrays[f"{name}_ssim"] = numpy.array(
            [structural_similarity(x, y, channel_axis=0, gaussian_weights=True, sigma=1.5,
                                   use_sample_covariance=False, data_range=2) for x, y in pairs])
    numpy.savez_compressed("evaluation_quality.npz", **arrays)


if __name__ == "__main__":
    main()
