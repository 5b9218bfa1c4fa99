#!/usr/bin/env python3
"""Two hundred kills at random instants, half of them aimed at saves, and every file call of a save:
each resumes bit for bit. For ctest -C long; CI's share is in verify_resume_test.py.

usage: kills_test.py TINTA [unittest arguments]
"""

import json

import harness
from harness import ProgramTest, settings

KILLS = 200


class TwoHundredKills(ProgramTest):
    def verified(self, *words: object) -> None:
        done = self.succeed("verify-resume", "glyphs", "--steps", 120, "--kills", KILLS, "--json",
                            *settings(*harness.TINY_GLYPHS), *words, patience=1800)
        report = json.loads(done.stdout)
        print(f"{report['kills']} kills, {report['inside_a_save']} inside a save, "
              f"{report['runs']} runs, steps {sorted({s['step'] for s in report['struck']})}")
        self.assertTrue(report["identical"])
        self.assertEqual(report["kills"], KILLS)
        self.assertGreater(report["inside_a_save"], KILLS // 10)

    def test_in_single_precision_with_previews(self):
        self.verified(*settings("training.precision=fp32", "training.sample_every=20"))

    def test_in_bfloat16_with_warmup_and_cosine(self):
        self.verified(*settings("training.precision=bf16", "training.decay=cosine",
                                "training.warmup_steps=30"))


if __name__ == "__main__":
    harness.main()
