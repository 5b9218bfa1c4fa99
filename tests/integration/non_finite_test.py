#!/usr/bin/env python3
"""tinta train where losses are not finite: skipped, rolled back, and in the end exit code 3.

usage: non_finite_test.py TINTA [unittest arguments]
"""

import json
import signal

import harness
import numpy
import readers
from harness import ProgramTest, settings

# The first update sends the weights so far that no loss after it is finite.
FAR = settings(*harness.TINY_GLYPHS, "training.learning_rate=1e30", "training.warmup_steps=0",
               "training.max_skipped=3", "training.max_rollbacks=2", "training.log_every=1",
               "training.checkpoint_every=5", "training.precision=fp32")


class NonFinite(ProgramTest):
    def setUp(self):
        super().setUp()
        self.run_folder = self.folder / "run"

    def words(self, steps: int, *more: object) -> tuple:
        return ("train", "glyphs", "--out", self.run_folder, "--steps", steps, *FAR, *more)

    def test_a_run_that_is_never_finite_again_ends_with_code_3_and_leaves_a_post_mortem(self):
        done = harness.run(*self.words(1000))
        self.assertEqual(done.returncode, 3, done.stderr)
        complaint = done.stderr.splitlines()[-1]
        self.assertRegex(complaint, r"^tinta: \[train\] step \d+, batch of samples \d+ to \d+: "
                                    "expected a finite loss and gradient")
        self.assertIn("after 2 rollbacks (training.max_rollbacks = 2)", complaint)
        self.assertIn("step 2, batch of samples 8 to 15: skipped", done.stderr)
        self.assertIn("the run goes back to step 0 and passes over steps 1 to 5", done.stderr)
        files = sorted((self.run_folder / "post-mortem").glob("*.npz"))
        self.assertEqual(len(files), 3, "one for each time that it was too much")
        self.assertIn(str(files[-1]), complaint)
        arrays = readers.arrays(files[0])
        self.assertEqual(arrays["pictures"].shape, (8, 1, 28, 28))
        self.assertEqual(list(arrays["samples"]), list(range(32, 40)), "of step 5")
        self.assertEqual(set(arrays), {"pictures", "samples", "t", "labels", "loss"})
        self.assertFalse(numpy.isfinite(arrays["loss"]).all())
        numbers = json.loads(files[0].with_suffix(".json").read_text("utf-8"))
        self.assertEqual((numbers["step"], numbers["skipped_in_a_row"]), (5, 4))
        # What is left can be sampled from and gone on with.
        (newest,) = readers.checkpoints(self.run_folder)
        self.assertEqual(
            readers.checkpoint_faults(self.run_folder / "checkpoints" / newest), [])
        self.fail_again()

    def fail_again(self) -> None:
        """A resume meets the same and ends the same."""
        done = harness.run("train", "--out", self.run_folder, "--resume")
        self.assertEqual(done.returncode, 3, done.stderr)

    def test_a_run_killed_among_rollbacks_skips_the_same_steps(self):
        # Budgets end both runs among bad steps, which metrics and state count.
        words = self.words(40, *settings("training.max_rollbacks=1000"))
        self.assertEqual(harness.run(*words).returncode, 0)
        alone = self.folder / "alone"
        self.run_folder.rename(alone)
        process = harness.start(*words)
        deaths = self.run_folder / "post-mortem"
        self.assertTrue(harness.wait_until(lambda: len(list(deaths.glob("*.npz"))) >= 2, process))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        self.succeed(*words, "--resume")
        contents = [readers.content(run) for run in (alone, self.run_folder)]
        self.assertEqual(readers.differences(*contents), [])
        self.assertGreater(readers.metrics(alone)[-1]["skipped_steps"], 20)


if __name__ == "__main__":
    harness.main()
