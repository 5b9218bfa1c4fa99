#!/usr/bin/env python3
"""Whole steps of tinta and of its Python peers, side by side on the same networks.

    peers.py --tinta build/release/bin/tinta --out DIR

Each round runs every contestant once, each in a process of its own: so many training steps (batch,
noise, forward, loss, backward, clipping, AdamW, moving average) and so many sampling steps. Figures
are medians over rounds of the median step of a process. Writes DIR/peers.md, peers.svg and peers.json.
The networks are read from tinta's presets (`tinta config check NAME --print`). See README.md.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time
import tomllib
import unittest.mock
from dataclasses import asdict, dataclass

WARM_UP = 2  # steps, the first of which compiles where compiling is asked for


@dataclass(frozen=True)
class Contestant:
    library: str  # tinta | diffusers | lucidrains
    precision: str = "fp32"
    channels_last: bool = False
    compiled: bool = False

    @property
    def name(self) -> str:
        how = [self.precision + (" autocast" if self.precision == "bf16" else "")]
        how += ["channels_last"] if self.channels_last else []
        how += ["torch.compile"] if self.compiled else []
        return f"tinta {self.precision}" if self.library == "tinta" else (
            f"{self.library} " + ", ".join(how))


CONTESTANTS = [
    Contestant("diffusers"),
    Contestant("diffusers", channels_last=True),
    Contestant("diffusers", channels_last=True, compiled=True),
    Contestant("diffusers", "bf16", channels_last=True),
    Contestant("diffusers", "bf16", channels_last=True, compiled=True),
    Contestant("lucidrains"),
    Contestant("tinta"),
    Contestant("tinta", "bf16"),
]


# --- The peers, in a process of their own -----------------------------------------------------

def seconds_since_start() -> float:
    ticks = float(pathlib.Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def forget_peak_memory() -> str:
    """Whether the peak from now on is told apart from that of the process: "steps" or "process"."""
    try:
        pathlib.Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return "process"
    return "steps"


def peak_memory_mib() -> float:
    status = pathlib.Path("/proc/self/status").read_text()
    return float(status.split("VmHWM:")[1].split()[0]) / 1024


def diffusers_network(model: dict, dropout: float):
    """The UNet2DModel that a model config of tinta's means; tests/golden holds the two equal."""
    from diffusers import UNet2DModel
    levels = len(model["multipliers"])
    kinds = ["Attn" if i in model["attention_levels"] else "" for i in range(levels)]
    return UNet2DModel(
        in_channels=model["image_channels"], out_channels=model["image_channels"],
        block_out_channels=tuple(model["channels"] * m for m in model["multipliers"]),
        down_block_types=tuple(f"{kind}DownBlock2D" for kind in kinds),
        up_block_types=tuple(f"{kind}UpBlock2D" for kind in reversed(kinds)),
        layers_per_block=model["blocks"], add_attention=model["mid_attention"],
        attention_head_dim=model["head_dim"] or None, norm_num_groups=model["groups"],
        norm_eps=model["norm_eps"], dropout=dropout,
        flip_sin_to_cos=model["time_order"] == "cos-sin", freq_shift=model["time_frequency_shift"],
        downsample_padding=0 if model["downsample"] == "asymmetric" else 1)


def lucidrains_network(model: dict, dropout: float, wanted: int):
    """denoising-diffusion-pytorch's Unet of the number of parameters nearest to the wanted."""
    # What the package imports for its training loop, which is not used here; torchvision's wheels
    # load beside a torch of the same version and the same CUDA alone.
    for name in ("torchvision", "accelerate", "ema_pytorch", "pytorch_fid",
                 "pytorch_fid.fid_score", "pytorch_fid.inception"):
        sys.modules.setdefault(name, unittest.mock.MagicMock())
    from denoising_diffusion_pytorch import Unet
    multipliers = (1, 2, 4, 8) if len(model["multipliers"]) == 4 else (1, 2, 2)
    made = (Unet(dim=dim, dim_mults=multipliers, channels=model["image_channels"], dropout=dropout)
            for dim in range(8, 73, 4))
    return min(made, key=lambda network: abs(parameters_of(network) - wanted))


def parameters_of(network) -> int:
    return sum(p.numel() for p in network.parameters())


class Peer:
    """A network with its optimiser, as a user of the library writes it."""

    def __init__(self, task: dict):
        import torch
        self.torch, self.task = torch, task
        self.contestant = Contestant(**task["contestant"])
        if task["threads"]:
            torch.set_num_threads(task["threads"])
        torch.manual_seed(0)
        shape, model = task["shape"], task["model"]
        self.network = (diffusers_network(model, model["dropout"])
                        if self.contestant.library == "diffusers"
                        else lucidrains_network(model, model["dropout"], task["parameters"]))
        self.parameters = parameters_of(self.network)
        self.memory_format = (torch.channels_last if self.contestant.channels_last
                              else torch.contiguous_format)
        self.network.to(memory_format=self.memory_format)
        self.answer = torch.compile(self.network) if self.contestant.compiled else self.network
        self.pictures = torch.randint(256, (4096, *shape), dtype=torch.uint8)
        self.alpha_bar = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000), 0)
        if task["step"] == "training":
            self.average = [p.detach().clone() for p in self.network.parameters()]
            self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=2e-4, weight_decay=0)
        else:
            self.network.eval()
            self.x = torch.randn(task["batch"], *shape)

    def predict(self, x, t):
        with self.torch.autocast("cpu", self.torch.bfloat16,
                                 enabled=self.contestant.precision == "bf16"):
            out = self.answer(x.to(memory_format=self.memory_format), t)
        return (out.sample if self.contestant.library == "diffusers" else out).float()

    def training(self) -> None:
        torch, batch = self.torch, self.task["batch"]
        x0 = self.pictures[torch.randint(4096, (batch,))].float() / 127.5 - 1
        noise, t = torch.randn_like(x0), torch.randint(1000, (batch,))
        a = self.alpha_bar[t].view(-1, 1, 1, 1)
        loss = torch.nn.functional.mse_loss(
            self.predict(a.sqrt() * x0 + (1 - a).sqrt() * noise, t), noise)
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        with torch.no_grad():
            torch._foreach_lerp_(self.average, list(self.network.parameters()), 1e-4)
        loss.item()

    def sampling(self) -> None:
        """One DDPM step at t = 500, of the posterior's variance, with x_0 clamped."""
        torch = self.torch
        with torch.inference_mode():
            a, a_before = self.alpha_bar[500], self.alpha_bar[499]
            beta = 1 - a / a_before
            eps = self.predict(self.x, torch.full((len(self.x),), 500))
            x0 = ((self.x - (1 - a).sqrt() * eps) / a.sqrt()).clamp(-1, 1)
            mean = (a_before.sqrt() * beta * x0 + (a / a_before).sqrt() * (1 - a_before) * self.x)
            self.x = (mean / (1 - a)
                      + (beta * (1 - a_before) / (1 - a)).sqrt() * torch.randn_like(self.x))

    def gflop_per_image(self) -> float:
        from torch.utils.flop_counter import FlopCounterMode
        with FlopCounterMode(display=False) as counter, self.torch.no_grad():
            self.network(self.torch.zeros(1, *self.task["shape"]), self.torch.zeros(1).long())
        passes = 3 if self.task["step"] == "training" else 1
        return passes * counter.get_total_flops() * 1e-9


def measure_peer(task: dict) -> dict:
    peer = Peer(task)
    step = peer.training if task["step"] == "training" else peer.sampling
    begun, span, seconds = seconds_since_start(), forget_peak_memory(), []
    for _ in range(WARM_UP + task["steps"]):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    peak = peak_memory_mib()
    return {"parameters": peer.parameters, "gflop_per_image": peer.gflop_per_image(),
            "images_per_second": task["batch"] / statistics.median(seconds[WARM_UP:]),
            "peak_memory_mib": peak, "peak_memory_of": span, "seconds_to_first_step": begun,
            "seconds_of_first_step": seconds[0], "torch": peer.torch.__version__}


# --- All of them ------------------------------------------------------------------------------

def output_of(words: list, patience: float) -> str:
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=patience,
                          check=False)
    if done.returncode:
        raise RuntimeError(f"{words[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def run_once(options, preset: dict, contestant: Contestant, step: str) -> dict:
    if contestant.library == "tinta":
        words = [options.tinta, "bench", "train" if step == "training" else "sample", "--preset",
                 preset["name"], "--batch", preset["batch"], "--steps", options.steps,
                 "--precision", contestant.precision, "--device", "cpu", "--json",
                 "--set", "sampling.sampler=ddpm", "--set", "sampling.variance=posterior",
                 "--set", "sampling.guidance=1"]
        if options.threads:
            words += ["--threads", options.threads]
        return json.loads(output_of(words, options.patience))
    task = {"contestant": asdict(contestant), "step": step, "steps": options.steps,
            "batch": preset["batch"], "shape": preset["shape"], "model": preset["model"],
            "parameters": preset["parameters"], "threads": options.threads}
    return json.loads(output_of([sys.executable, __file__, "--peer", json.dumps(task)],
                                options.patience).splitlines()[-1])


def left_out(options, contestant: Contestant) -> str:
    """Why a contestant does not take part; "" where it does."""
    cpu = pathlib.Path("/proc/cpuinfo").read_text()
    if contestant.precision == "bf16" and not options.bf16 and "avx512_bf16" not in cpu:
        return "this CPU has no bfloat16 arithmetic (--bf16 runs it all the same)"
    if contestant.compiled and options.no_compile:
        return "--no-compile"
    if contestant.compiled and not any(map(shutil.which, ("g++", "c++", "clang++"))):
        return "torch.compile needs a C++ compiler, and there is none"
    return ""


def preset_of(options, name: str, batch: int) -> dict:
    config = tomllib.loads(output_of([options.tinta, "config", "check", name, "--print"], 60))
    about = json.loads(output_of([options.tinta, "model", "info", name, "--json"], 60))
    return {"name": name, "batch": batch, "model": config["model"],
            "parameters": about["parameters"],
            "shape": [about[key] for key in ("channels", "height", "width")]}


def measure_all(options, presets: list, contestants: list) -> list:
    rows, total = [], options.rounds * len(presets) * len(contestants) * 2
    for round_ in range(options.rounds):
        for preset in presets:
            for contestant in contestants:
                for step in ("training", "sampling"):
                    row = {"round": round_, "preset": preset["name"], "batch": preset["batch"],
                           "contestant": contestant.name, "precision": contestant.precision,
                           "step": step, **run_once(options, preset, contestant, step)}
                    rows.append(row)
                    # So that a contestant that fails hours later costs none of the others' figures.
                    (options.out / "peers.json").write_text(json.dumps(rows, indent=1) + "\n")
                    print(f"{len(rows)}/{total} {preset['name']} {step} {contestant.name}: "
                          f"{row['images_per_second']:.2f} img/s", file=sys.stderr, flush=True)
    return rows


def medians(rows: list, preset: str, step: str, contestant: str) -> dict:
    """Medians over the rounds, and the range of the rates."""
    mine = [r for r in rows if (r["preset"], r["step"], r["contestant"]) == (preset, step, contestant)]
    keys = ("images_per_second", "gflop_per_image", "peak_memory_mib", "seconds_to_first_step",
            "seconds_of_first_step", "parameters")
    out = {key: statistics.median(r[key] for r in mine) for key in keys}
    rates = [r["images_per_second"] for r in mine]
    return {**out, "low": min(rates), "high": max(rates)}


def table(rows: list, preset: dict, step: str, names: list) -> list:
    found = {name: medians(rows, preset["name"], step, name) for name in names}
    ours = [name for name in names if name.startswith("tinta")]
    lines = [f"### {preset['name']}, {step}, batch {preset['batch']}", "",
             "| | parameters, million | GFLOP per image | img/s (range over rounds) | GFLOP/s | "
             + " | ".join(f"{name} over it" for name in ours)
             + " | peak MiB | first step begun, s | and done, s |",
             "|---" * (8 + len(ours)) + "|"]
    for name, f in found.items():
        ratios = " | ".join(f"{found[o]['images_per_second'] / f['images_per_second']:.2f}"
                            for o in ours)
        lines.append(
            f"| {name} | {f['parameters'] / 1e6:.2f} | {f['gflop_per_image']:.3f} | "
            f"{f['images_per_second']:.2f} ({f['low']:.2f} to {f['high']:.2f}) | "
            f"{f['images_per_second'] * f['gflop_per_image']:.0f} | {ratios} | "
            f"{f['peak_memory_mib']:.0f} | {f['seconds_to_first_step']:.2f} | "
            f"{f['seconds_to_first_step'] + f['seconds_of_first_step']:.2f} |")
    return [*lines, ""]


def plot(path: pathlib.Path, rows: list, presets: list, names: list) -> None:
    import matplotlib
    matplotlib.use("svg")
    import matplotlib.pyplot as plt
    figure, axes = plt.subplots(len(presets), 2, squeeze=False, layout="constrained",
                                figsize=(12, 1 + 0.4 * len(names) * len(presets)))
    for line, preset in zip(axes, presets):
        for axis, step in zip(line, ("training", "sampling")):
            found = [medians(rows, preset["name"], step, name) for name in names]
            rates = [f["images_per_second"] for f in found]
            spread = [[f["images_per_second"] - f["low"] for f in found],
                      [f["high"] - f["images_per_second"] for f in found]]
            axis.barh(names, rates, xerr=spread,
                      color=["#1b4b7a" if n.startswith("tinta") else "#9aa7b4" for n in names])
            axis.invert_yaxis()
            axis.set_title(f"{preset['name']}, {step}, batch {preset['batch']}")
            axis.set_xlabel("images per second")
    figure.savefig(path)


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tinta", help="the program")
    parser.add_argument("--out", type=pathlib.Path, help="folder to write")
    parser.add_argument("--presets", nargs="+", default=["mnist-bench:128", "cifar10-ddpm:32"],
                        metavar="NAME:BATCH")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=5, help="timed in a process")
    parser.add_argument("--threads", type=int, default=0, help="0: as each library likes")
    parser.add_argument("--bf16", action="store_true", help="also without hardware for it")
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--patience", type=float, default=3600, help="seconds for one process")
    parser.add_argument("--peer", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.peer and not (options.tinta and options.out):
        parser.error("--tinta and --out are required")
    return options


def main() -> None:
    options = parse()
    if options.peer:
        print(json.dumps(measure_peer(options.peer)))
        return
    reasons = {c.name: left_out(options, c) for c in CONTESTANTS}
    contestants = [c for c in CONTESTANTS if not reasons[c.name]]
    skipped = [f"Not run: {name}: {why}" for name, why in reasons.items() if why]
    print("\n".join(skipped), file=sys.stderr)
    presets = [preset_of(options, name, int(batch))
               for name, batch in (entry.split(":") for entry in options.presets)]
    options.out.mkdir(parents=True, exist_ok=True)
    rows = measure_all(options, presets, contestants)
    names = [c.name for c in contestants]
    lines = [f"{options.rounds} rounds, {options.steps} timed steps in a process, torch "
             f"{next(r['torch'] for r in rows if 'torch' in r)}", "", *skipped, ""]
    for preset in presets:
        for step in ("training", "sampling"):
            lines += table(rows, preset, step, names)
    (options.out / "peers.md").write_text("\n".join(lines))
    plot(options.out / "peers.svg", rows, presets, names)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
