#!/usr/bin/env python3
"""Training in bfloat16, with everything fused that can be, learns as it does in float32.

LONG=1 trains the net of the preset glyphs (ctest -C long); without it a smaller one.

usage: precision_test.py TINTA [unittest arguments]
"""

import os
import unittest
from pathlib import Path

import harness
import readers
from harness import ProgramTest, settings

STEPS = 300
LAST = 50  # steps whose losses are averaged
LONG = os.environ.get("LONG") == "1"
# Wide enough for the kernels of wide layers, two levels for upsampling and downsampling.
SMALL = ("model.channels=32", "model.groups=8", "model.multipliers=1,1", "model.attention_levels=1",
         "data.size=16", "data.count=512", "training.batch=16")


def has_bf16() -> bool:
    """Whether the processor multiplies bfloat16: elsewhere it is emulated, and slow."""
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    return "avx512_bf16" in flags


@unittest.skipUnless(has_bf16(), "this processor has no arithmetic for bfloat16")
class Precision(ProgramTest):
    def losses(self, precision: str) -> list[float]:
        out = self.folder / precision
        self.succeed("train", "glyphs", "--out", out, "--steps", STEPS, "--precision", precision,
                     *settings(*(() if LONG else SMALL), "model.dropout=0.1",
                               "training.log_every=1", "training.sample_every=0",
                               "training.checkpoint_every=300"),
                     patience=1800)
        losses = [line["loss"] for line in readers.metrics(out)]
        self.assertEqual(len(losses), STEPS)
        return losses

    def test_ends_within_two_percent_of_the_loss_in_float32(self):
        # The same batches, times, noise and masks: only rounding differs.
        plain = self.losses("fp32")
        fused = self.losses("bf16")
        first, last = sum(plain[:LAST]) / LAST, sum(plain[-LAST:]) / LAST
        print(f"mean loss of the last {LAST} of {STEPS} steps: float32 {last:.5f}, "
              f"bfloat16 {sum(fused[-LAST:]) / LAST:.5f}")
        self.assertLess(last, 0.5 * first, "it has to have learnt something")
        self.assertAlmostEqual(sum(fused[-LAST:]) / LAST / last, 1, delta=0.02)
        self.assertNotEqual(plain, fused)


if __name__ == "__main__":
    harness.main()
