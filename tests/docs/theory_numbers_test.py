#!/usr/bin/env python3
"""The numbers that docs/theory states, and the corrections of its errata, computed again here.

Only the standard library: nothing of tinta takes part, so that the pages stand on their own.
"""

import math
import unittest
from pathlib import Path

PAGES = Path(__file__).resolve().parents[2] / "docs" / "theory"


class Schedule:
    """The linear schedule; lists are indexed by t, with t = 0 the clean picture."""

    def __init__(self, steps: int):
        self.steps = steps
        self.beta = [0.0] + [1e-4 + (0.02 - 1e-4) * i / (steps - 1) for i in range(steps)]
        self.alpha = [1 - beta for beta in self.beta]
        self.alpha_bar = [1.0]
        for alpha in self.alpha[1:]:
            self.alpha_bar.append(self.alpha_bar[-1] * alpha)

    def tilde(self, t: int) -> float:
        return (1 - self.alpha_bar[t - 1]) / (1 - self.alpha_bar[t]) * self.beta[t]

    def weight(self, t: int) -> float:
        return self.beta[t] / (2 * self.alpha[t] * (1 - self.alpha_bar[t]))

    def sampled_variance(self, data: float, *, printed: bool = False, noise: bool = True) -> float:
        """Variance that (2.22) makes of data N(0, data), from N(0, 1) and with the exact noise."""
        variance = 1.0
        for t in range(self.steps, 0, -1):
            spread = 1 - self.alpha_bar[t]
            under_the_root = 1 - self.alpha[t] if printed else spread
            eps = math.sqrt(spread) / (self.alpha_bar[t] * data + spread)  # E[eps | x_t] / x_t
            factor = (1 - self.beta[t] / math.sqrt(under_the_root) * eps) / math.sqrt(self.alpha[t])
            last = t == 1 and not printed
            variance = factor**2 * variance + (self.beta[t] if noise and not last else 0)
        return variance


LONG = Schedule(1000)
SHORT = Schedule(200)


def kl_to_standard(alpha_bar: float) -> float:
    """KL(q(x_T | x_0) || N(0, 1)) of a coordinate with x_0^2 = 1."""
    return 0.5 * (alpha_bar + (1 - alpha_bar) - 1 - math.log(1 - alpha_bar))


def integrate(f, low: float, high: float, intervals: int = 20000) -> float:
    step = (high - low) / intervals
    return step * (sum(f(low + i * step) for i in range(1, intervals)) + (f(low) + f(high)) / 2)


def normal(x: float, mean: float, variance: float) -> float:
    return math.exp(-(x - mean)**2 / (2 * variance)) / math.sqrt(2 * math.pi * variance)


class Numbers(unittest.TestCase):
    def assert_stated(self, value: float, shown: str, *pages: str) -> None:
        """The pages say `shown`, and that is `value` rounded to as many digits."""
        digits = len(shown.rstrip("%").partition(".")[2])
        number = float(shown.rstrip("%")) / (100 if shown.endswith("%") else 1)
        self.assertAlmostEqual(value, number,
                               delta=0.5001 * 10.0**-(digits + 2 * shown.endswith("%")))
        for page in pages:
            self.assertIn(shown, (PAGES / page).read_text(encoding="utf-8"))

    def test_what_the_schedules_leave(self):
        both = ("guide.md", "guide.es.md")
        self.assert_stated(SHORT.alpha_bar[200], "0.132", *both)
        self.assert_stated(math.sqrt(SHORT.alpha_bar[200]), "36%", *both, "lab-sheet.md", "errata.md")
        self.assert_stated(math.sqrt(LONG.alpha_bar[1000]), "0.6%", *both, "lab-sheet.md")
        self.assert_stated(1e5 * LONG.alpha_bar[1000], "4.0", *both)
        self.assert_stated(-0.5 * math.log(LONG.alpha_bar[1000]), "5.06", *both)
        self.assert_stated(-0.5 * math.log(SHORT.alpha_bar[200]), "1.01", *both)
        self.assert_stated(1e5 * kl_to_standard(LONG.alpha_bar[1000]), "2.0", *both)
        self.assert_stated(kl_to_standard(SHORT.alpha_bar[200]), "0.071", *both, "errata.md")
        self.assertEqual(next(t for t in range(1, 1001) if LONG.alpha_bar[t] < 0.5), 260)
        a = LONG.alpha_bar[1000]
        self.assert_stated(math.sqrt((1 - a) / a), "157", *both)

    def test_the_condor_table(self):
        sheet = ("lab-sheet.md", "lab-sheet.es.md")
        for t, signal, noise in ((3, "0.9997", "0.0245"), (10, "0.9973", "0.0741"),
                                 (30, "0.977", "0.213"), (100, "0.776", "0.630"),
                                 (200, "0.364", "0.932")):
            self.assert_stated(math.sqrt(SHORT.alpha_bar[t]), signal, *sheet)
            self.assert_stated(math.sqrt(1 - SHORT.alpha_bar[t]), noise, *sheet)

    def test_the_noises_of_a_chain_add_by_variance(self):
        t = 1000
        parts = [LONG.beta[s] * LONG.alpha_bar[t] / LONG.alpha_bar[s] for s in range(1, t + 1)]
        self.assertAlmostEqual(sum(parts), 1 - LONG.alpha_bar[t], delta=1e-12)
        self.assert_stated(sum(map(math.sqrt, parts))**2, "224", "errata.md")

    def test_the_posterior_is_bayes_product(self):
        s, t, x0, xt = Schedule(100), 100, 0.7, -0.4

        def joint(x: float) -> float:
            return (normal(xt, math.sqrt(s.alpha[t]) * x, s.beta[t]) *
                    normal(x, math.sqrt(s.alpha_bar[t - 1]) * x0, 1 - s.alpha_bar[t - 1]))

        total = integrate(joint, -3, 3)
        mean = integrate(lambda x: x * joint(x), -3, 3) / total
        variance = integrate(lambda x: (x - mean)**2 * joint(x), -3, 3) / total
        spread, before = 1 - s.alpha_bar[t], 1 - s.alpha_bar[t - 1]
        right = (math.sqrt(s.alpha_bar[t - 1]) * s.beta[t] * x0 +
                 math.sqrt(s.alpha[t]) * before * xt) / spread
        printed = math.sqrt(s.alpha_bar[t]) * (s.beta[t] * x0 + before * xt) / spread
        self.assertAlmostEqual(mean, right, delta=1e-13)
        self.assertAlmostEqual(variance, s.tilde(t), delta=1e-13)
        self.assert_stated(abs(mean - printed), "0.15", "errata.md")

    def test_the_weights_of_the_bound(self):
        least = min(range(1, 1001), key=LONG.weight)
        self.assertEqual(least, 349)
        for page in ("guide.md", "guide.es.md", "errata.md"):
            self.assertIn("349", (PAGES / page).read_text(encoding="utf-8"))
        for t, shown in ((1, "0.500"), (least, "0.0050"), (1000, "0.0102")):
            self.assert_stated(LONG.weight(t), shown, "errata.md")
        self.assertAlmostEqual(LONG.weight(1) / LONG.weight(least), 100, delta=1)

    def test_the_posterior_is_narrower(self):
        for t, shown in ((2, "0.45"), (10, "0.85")):
            self.assert_stated(LONG.tilde(t) / LONG.beta[t], shown, "errata.md")
        self.assertEqual(LONG.tilde(1), 0)
        self.assertLess(SHORT.tilde(2), 0.5 * SHORT.beta[2])

    def test_the_loss_compares_gradients_up_to_factor_and_constant(self):
        true_mean, tilde, mean, beta = 0.3, 0.008, 0.1, 0.01

        def squared(x: float) -> float:
            return normal(x, true_mean, tilde) * ((true_mean - x) / tilde - (mean - x) / beta)**2

        found = integrate(squared, true_mean - 1, true_mean + 1)
        loss = (true_mean - mean)**2 / (2 * beta)
        self.assertAlmostEqual(found, 2 / beta * loss + tilde * (1 / tilde - 1 / beta)**2, delta=1e-6)

    def test_the_missing_bar_shrinks_the_samples(self):
        for data, right, printed in ((1, "1.000", "0.092"), (0.25, "0.251", "0.031"),
                                     (0.01, "0.0102", "0.0026")):
            self.assert_stated(LONG.sampled_variance(data), right, "errata.md")
            self.assert_stated(LONG.sampled_variance(data, printed=True), printed, "errata.md")
        self.assertAlmostEqual(LONG.sampled_variance(1, noise=False), LONG.alpha_bar[1000],
                               delta=1e-12)
        strongest = max(math.sqrt((1 - LONG.alpha_bar[t]) / LONG.beta[t]) for t in range(1, 1001))
        self.assertAlmostEqual(strongest, 10, delta=0.1)

    def test_mass_one_and_friction_one_is_not_overdamped(self):
        omega = math.sqrt(3) / 2
        times = [i / 1000 for i in range(10000)]
        least = min(times, key=lambda t: math.exp(-t / 2) * (
            math.cos(omega * t) + math.sin(omega * t) / (2 * omega)))
        self.assert_stated(least, "3.63", "guide.md", "guide.es.md")
        self.assert_stated(math.exp(-math.pi / math.sqrt(3)), "0.163", "guide.md", "errata.md")

    def test_a_well_of_gaussian_shape_has_no_gaussian_density(self):
        def density(x: float) -> float:
            return math.exp(math.exp(-x * x / 2) / 0.5)

        second, fourth = (integrate(lambda x, n=n: x**n * density(x), -5, 5) for n in (2, 4))
        self.assert_stated(fourth * integrate(density, -5, 5) / second**2, "3.33", "errata.md")

    def test_small_ones(self):
        self.assert_stated(math.sqrt(SHORT.beta[200] / (1 - SHORT.alpha_bar[200])), "0.15",
                           "errata.md", "lab-sheet.md", "lab-sheet.es.md")
        self.assert_stated(10 * math.log10(4 / LONG.beta[1]), "46", "guide.md", "errata.md")
        self.assert_stated(100 * 50000 / 256 / 1000, "19.5")
        self.assertAlmostEqual(LONG.alpha[1], 0.9999, delta=1e-12)


if __name__ == "__main__":
    unittest.main()
