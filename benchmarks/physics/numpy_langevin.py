#!/usr/bin/env python3
"""Overdamped Langevin dynamics of a million particles in a plane: NumPy beside tinta.

    python benchmarks/physics/numpy_langevin.py build/release/bin/tinta_particles_bench

The job is Euler-Maruyama in the quadratic well, dt = 0.01, kT = 1, float32. NumPy's rate does not
depend on the number of steps, so it takes fewer. The programs take turns, and every figure is the
median over the rounds; ratios are of the same round.
"""

import argparse
import json
import os
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

DRIFT = 0.01
AMPLITUDE = (2 * DRIFT) ** 0.5


def advance(x, rng, steps, noise):
    """The loop that one writes: in place, with one array for the noise. Seconds of random numbers."""
    random = 0.0
    dtype = x.dtype.type
    keep, amplitude = dtype(1 - DRIFT), dtype(AMPLITUDE)
    for _ in range(steps):
        begin = time.perf_counter()
        rng.standard_normal(out=noise, dtype=dtype)
        random += time.perf_counter() - begin
        noise *= amplitude
        x *= keep
        x += noise
    return random


def plain(particles, steps, dtype):
    x = np.zeros((particles, 2), dtype)
    rng = np.random.default_rng(1)
    begin = time.perf_counter()
    random = advance(x, rng, steps, np.empty_like(x))
    seconds = time.perf_counter() - begin
    return particles * steps / seconds, random / seconds


def tiled(particles, steps, threads, tile=8192):
    """The same in tiles that stay in the cache for all steps, on several threads: NumPy releases the
    interpreter's lock while it works."""
    x = np.zeros((particles, 2), np.float32)

    def work(thread):
        rng = np.random.default_rng([1, thread])
        noise = np.empty((tile, 2), np.float32)
        for begin in range(thread * tile, particles, threads * tile):
            part = x[begin:begin + tile]
            advance(part, rng, steps, noise[:len(part)])

    with ThreadPoolExecutor(threads) as pool:
        begin = time.perf_counter()
        list(pool.map(work, range(threads)))
        return particles * steps / (time.perf_counter() - begin)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--particles", type=int, default=1_000_000)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--numpy-steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    environment = dict(os.environ, OMP_NUM_THREADS=str(args.threads))
    names = ("plain float32", "plain float64", "tiled float32, 1 thread",
             f"tiled float32, {args.threads} threads")
    rates = {name: [] for name in names}
    ours, shares, numpy_shares, ratios = [], [], [], {name: [] for name in names}
    for _ in range(args.rounds):
        run = json.loads(subprocess.run(
            [args.program, str(args.particles), str(args.steps)], env=environment, check=True,
            capture_output=True, text=True).stdout)
        ours.append(run["particle_steps_per_second"])
        shares.append(run["random_share"])
        rate, share = plain(args.particles, args.numpy_steps, np.float32)
        numpy_shares.append(share)
        round_rates = (rate, plain(args.particles, args.numpy_steps, np.float64)[0],
                       tiled(args.particles, args.numpy_steps, 1),
                       tiled(args.particles, args.numpy_steps, args.threads))
        for name, value in zip(names, round_rates):
            rates[name].append(value)
            ratios[name].append(ours[-1] / value)
    median = statistics.median
    print(f"numpy {np.__version__}; {run['isa']}, {run['threads']} threads; {args.particles} particles "
          f"in a plane, {args.steps} steps; medians of {args.rounds} rounds")
    print(f"tinta: {median(ours) / 1e6:.0f} million particle-steps/s, random numbers "
          f"{100 * median(shares):.0f}%")
    for name in names:
        print(f"numpy, {name}: {median(rates[name]) / 1e6:.1f} million particle-steps/s; "
              f"tinta is {median(ratios[name]):.1f} times as fast "
              f"({min(ratios[name]):.1f} to {max(ratios[name]):.1f})")
    print(f"numpy's random numbers: {100 * median(numpy_shares):.0f}% of plain float32")


if __name__ == "__main__":
    main()
