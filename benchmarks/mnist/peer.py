#!/usr/bin/env python3
"""The Python peer: what a user of diffusers writes for the job that tinta's `mnist` preset does.

A class-conditional UNet2DModel (32, 64, 64 channels, one block a level, attention at the lowest;
10 classes and a null class) learns noise (simple loss, linear betas, T = 1000) with AdamW, warm-up,
gradient clipping, class dropout and an exponential moving average, for a given number of minutes;
then the averaged weights sample every class by DDIM in 50 steps at each guidance scale.

    peer.py --data DIR --out DIR --minutes 20 --precision bf16

writes OUT/guidance-1.npz, OUT/guidance-2.npz ("images" uint8 [N,28,28], "labels" int64 [N], as
`tinta sample --npz` does), OUT/ema.pt and OUT/summary.json. The budget is time of training alone:
neither loading nor sampling counts, and with --compile (torch.compile) not the first steps, which
compile. Needs torch, numpy and diffusers.
"""

import argparse
import contextlib
import copy
import json
import pathlib
import time

import numpy
import torch
from diffusers import DDIMScheduler, DDPMScheduler, UNet2DModel

from idx import read_split

CLASSES = 10  # and the null class, label 10
STEPS = 1000
COMPILING = 10  # steps that may compile, with --compile


def make_network():
    return UNet2DModel(
        sample_size=28, in_channels=1, out_channels=1, layers_per_block=1,
        block_out_channels=(32, 64, 64),
        down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        num_class_embeds=CLASSES + 1)


class Precision:
    """bf16: autocast and channels_last, the fastest way there is on a CPU; fp32: as by default."""

    def __init__(self, name):
        self.bf16 = name == "bf16"
        self.format = torch.channels_last if self.bf16 else torch.contiguous_format

    def autocast(self):
        return torch.autocast("cpu", torch.bfloat16) if self.bf16 else contextlib.nullcontext()


def update_average(average, network, step, limit):
    """EMA whose decay rises with the steps, min(limit, (1 + step) / (10 + step))."""
    decay = min(limit, (1 + step) / (10 + step))
    with torch.no_grad():
        torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - decay)


def train(options, precision):
    """The averaged network and figures of the run."""
    images, labels = read_split(options.data, "train")
    x = torch.from_numpy(images.copy()).unsqueeze(1).float() / 127.5 - 1
    y = torch.from_numpy(labels)
    network = make_network().to(memory_format=precision.format)
    average = copy.deepcopy(network).eval().requires_grad_(False)
    optimiser = torch.optim.AdamW(network.parameters(), lr=options.learning_rate, weight_decay=0)
    warm_up = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / options.warmup_steps))
    scheduler = DDPMScheduler(num_train_timesteps=STEPS, beta_schedule="linear")
    forward = torch.compile(network) if options.compile else network
    uncounted = COMPILING if options.compile else 0
    step, last_shown, total = 0, 0.0, 0.0
    start = time.monotonic()
    while (elapsed := time.monotonic() - start) < 60 * options.minutes:
        index = torch.randint(len(x), (options.batch,))
        x0, noise = x[index], torch.randn(options.batch, 1, 28, 28)
        t = torch.randint(STEPS, (options.batch,))
        asked = torch.where(torch.rand(options.batch) < options.class_dropout, CLASSES, y[index])
        x_t = scheduler.add_noise(x0, noise, t).to(memory_format=precision.format)
        with precision.autocast():
            output = forward(x_t, t, class_labels=asked).sample
        loss = torch.nn.functional.mse_loss(output.float(), noise)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        warm_up.step()
        update_average(average, network, step, options.ema_decay)
        step += 1
        if step == uncounted:
            start = time.monotonic()
        total = loss.item() if step == 1 else 0.99 * total + 0.01 * loss.item()
        if elapsed - last_shown >= 10:
            last_shown = elapsed
            print(f"{elapsed:6.0f} s  step {step}  loss {total:.4f}  "
                  f"{(step - uncounted) * options.batch / elapsed:.0f} img/s", flush=True)
    seconds = time.monotonic() - start
    return average, {"steps": step, "loss": total, "seconds": seconds,
                     "images_per_second": (step - uncounted) * options.batch / seconds}


@torch.inference_mode()
def sample(network, labels, guidance, options, precision):
    """DDIM, eta 0, x0 clamped; one call on a doubled batch where guidance is not 1."""
    scheduler = DDIMScheduler(num_train_timesteps=STEPS, beta_schedule="linear",
                              timestep_spacing="trailing", clip_sample=True)
    scheduler.set_timesteps(options.sampling_steps)
    x = torch.randn(len(labels), 1, 28, 28, generator=torch.Generator().manual_seed(options.seed))
    for t in scheduler.timesteps:
        if guidance == 1:
            doubled, asked = x, labels
        else:
            doubled, asked = torch.cat([x, x]), torch.cat([labels, torch.full_like(labels, CLASSES)])
        with precision.autocast():
            eps = network(doubled.to(memory_format=precision.format), t, class_labels=asked).sample
        eps = eps.float()
        if guidance != 1:
            conditional, null = eps.chunk(2)
            eps = null + guidance * (conditional - null)
        x = scheduler.step(eps, t, x).prev_sample
    return ((x.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).squeeze(1).numpy()


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of MNIST's IDX files")
    parser.add_argument("--out", required=True, type=pathlib.Path, help="folder to write")
    parser.add_argument("--minutes", type=float, default=20, help="of training")
    parser.add_argument("--precision", choices=("bf16", "fp32"), default="bf16")
    parser.add_argument("--compile", action="store_true", help="train under torch.compile")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=2e-4)
    parser.add_argument("--warmup-steps", type=int, default=500)
    parser.add_argument("--ema-decay", type=float, default=0.9999)
    parser.add_argument("--class-dropout", type=float, default=0.1)
    parser.add_argument("--per-class", type=int, default=50, help="samples of each class")
    parser.add_argument("--sampling-steps", type=int, default=50)
    parser.add_argument("--guidance", type=float, nargs="+", default=[1, 2])
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main():
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    precision = Precision(options.precision)
    average, summary = train(options, precision)
    torch.save(average.state_dict(), options.out / "ema.pt")
    summary |= {"precision": options.precision, "compile": options.compile,
                "batch": options.batch, "torch": torch.__version__, "threads": torch.get_num_threads(),
                "parameters": sum(p.numel() for p in average.parameters())}
    labels = torch.arange(CLASSES).repeat_interleave(options.per_class)
    for guidance in options.guidance:
        start = time.monotonic()
        images = sample(average, labels, guidance, options, precision)
        summary[f"sampling_seconds_guidance_{guidance:g}"] = time.monotonic() - start
        numpy.savez_compressed(options.out / f"guidance-{guidance:g}.npz", images=images,
                               labels=labels.numpy())
    (options.out / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    print(json.dumps(summary, indent=1))


if __name__ == "__main__":
    main()
