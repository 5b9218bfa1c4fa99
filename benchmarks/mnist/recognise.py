#!/usr/bin/env python3
"""An independent judge of generated digits: it shares no code with tinta.

A convolutional net is trained on MNIST until it recognises at least 99% of the test set; then, for
every npz of samples ("images" uint8 [N,28,28] and "labels" int64 [N], the class asked for), it says
  - which share is recognised as the class asked for, with a Wilson 95% interval, and by class;
  - how far samples lie from their nearest training digit, and from each other, beside the same two
    distances of held-out test digits of the same classes: copies of the training set lie too near,
    broken digits too far, and a collapsed sampler's samples lie too near each other.

    recognise.py --data DIR --judge judge.pt samples.npz [...] [--json]

Needs torch and numpy only. Distances are L2 over pixels in [0, 1].
"""

import argparse
import json
import math
import pathlib
import sys

import numpy
import torch
from torch import nn

from idx import read_split

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
REQUIRED_ACCURACY = 0.99


def make_judge():
    def block(inputs, outputs):
        return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]

    return nn.Sequential(
        *block(1, 32), *block(32, 64), *block(64, 64), nn.Flatten(), nn.Linear(64 * 9, 128),
        nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 10))


def as_input(images):
    """uint8 [N,28,28] -> float32 [N,1,28,28] in [0, 1]."""
    return torch.from_numpy(numpy.array(images)).unsqueeze(1).float() / 255


def shifted(x, generator):
    """The batch moved by up to two pixels each way, by one draw for the whole batch."""
    dy, dx = torch.randint(-2, 3, (2,), generator=generator).tolist()
    return torch.roll(nn.functional.pad(x, (2, 2, 2, 2)), (dy, dx), (2, 3))[:, :, 2:-2, 2:-2]


def train_judge(images, labels, epochs, seed):
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    judge = make_judge()
    x, y = as_input(images), torch.from_numpy(labels)
    batch = 128
    steps = epochs * (len(x) // batch)
    optimiser = torch.optim.AdamW(judge.parameters(), weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=4e-3, total_steps=steps)
    for epoch in range(epochs):
        order = torch.randperm(len(x), generator=generator)
        for i in range(len(x) // batch):
            index = order[i * batch:(i + 1) * batch]
            loss = nn.functional.cross_entropy(judge(shifted(x[index], generator)), y[index])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        print(f"judge: epoch {epoch + 1} of {epochs}, last loss {loss.item():.4f}", file=sys.stderr)
    return judge.eval()


@torch.inference_mode()
def recognised_as(judge, images):
    return torch.cat([judge(part).argmax(1) for part in as_input(images).split(1000)]).numpy()


def load_or_train(path, train, test, epochs, seed):
    """The judge and its test accuracy, measured now and not believed from the file."""
    if path.exists():
        judge = make_judge()
        judge.load_state_dict(torch.load(path, weights_only=True))
        judge.eval()
    else:
        judge = train_judge(*train, epochs, seed)
        torch.save(judge.state_dict(), path)
    accuracy = float((recognised_as(judge, test[0]) == test[1]).mean())
    if accuracy < REQUIRED_ACCURACY:
        raise SystemExit(f"{path}: expected a judge of {REQUIRED_ACCURACY:.0%} test accuracy, got "
                         f"{accuracy:.2%}; delete the file and train longer (--epochs)")
    return judge, accuracy


def wilson(successes, n, z=1.959964):
    """Wilson's 95% interval of a proportion."""
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return [max(0.0, centre - half), min(1.0, centre + half)]


def nearest(a, b=None):
    """L2 distance of each row of `a` to its nearest row of `b`, or to its nearest other row of `a`."""
    flat_a = torch.from_numpy(a.reshape(len(a), -1).astype(numpy.float64) / 255)
    flat_b = flat_a if b is None else torch.from_numpy(b.reshape(len(b), -1).astype(numpy.float64) / 255)
    squared = (flat_a * flat_a).sum(1, keepdim=True) + (flat_b * flat_b).sum(1) - 2 * flat_a @ flat_b.T
    if b is None:
        squared.fill_diagonal_(math.inf)
    return squared.min(1).values.clamp_min(0).sqrt().numpy()


def spread(distances):
    return {f"q{round(100 * q):02d}": float(numpy.quantile(distances, q)) for q in QUANTILES}


def distances(images, labels, train, test, count, seed):
    """Samples beside test digits: as many, of the same classes, so that the numbers compare."""
    picks = numpy.random.default_rng(seed)
    chosen = picks.permutation(len(images))[:count]
    reference = []
    for digit in range(10):
        of_class = numpy.flatnonzero(test[1] == digit)
        wanted = int((labels[chosen] == digit).sum())
        reference.append(picks.permutation(of_class)[:wanted])
    samples, digits = images[chosen], test[0][numpy.concatenate(reference)]
    result = {"count": len(samples),
              "sample_to_train": spread(nearest(samples, train[0])),
              "test_to_train": spread(nearest(digits, train[0]))}
    if len(samples) > 1:
        result["sample_to_sample"] = spread(nearest(samples))
        result["test_to_test"] = spread(nearest(digits))
    return result


def load_samples(path):
    with numpy.load(path) as arrays:
        images, labels = arrays["images"], arrays["labels"]
    if images.dtype != numpy.uint8 or images.ndim != 3 or images.shape[1:] != (28, 28):
        raise SystemExit(f"{path}: expected images uint8 [N,28,28], got {images.dtype} {images.shape}")
    if labels.shape != (len(images),) or not len(labels) or labels.min() < 0 or labels.max() > 9:
        raise SystemExit(f"{path}: expected labels 0..9, one for each of {len(images)} images")
    return images, labels


def assess(path, judge, train, test, count, seed):
    images, labels = load_samples(path)
    right = recognised_as(judge, images) == labels
    by_class = {str(c): float(right[labels == c].mean()) for c in range(10) if (labels == c).any()}
    return {"file": str(path), "samples": len(images), "recognised": float(right.mean()),
            "interval": wilson(int(right.sum()), len(right)), "by_class": by_class,
            "distances": distances(images, labels, train, test, count, seed)}


def show(accuracy, results):
    print(f"judge: {accuracy:.2%} of the test set recognised")
    for r in results:
        low, high = r["interval"]
        print(f"\n{r['file']}: {r['recognised']:.1%} of {r['samples']} recognised as asked "
              f"(95% interval {low:.1%} to {high:.1%})")
        print("  by class: " + "  ".join(f"{c}: {share:.0%}" for c, share in r["by_class"].items()))
        print(f"  nearest neighbours, L2 ({r['distances']['count']} pictures)"
              + "".join(f"{'q' + format(round(100 * q), '02d'):>8}" for q in QUANTILES))
        for name, values in r["distances"].items():
            if name != "count":
                print(f"    {name.replace('_', ' '):<34}" + "".join(f"{v:8.2f}" for v in values.values()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("npz", nargs="*", type=pathlib.Path, help="samples to judge")
    parser.add_argument("--data", required=True, help="folder of MNIST's four IDX files")
    parser.add_argument("--judge", required=True, type=pathlib.Path, help="the judge's weights; trained when missing")
    parser.add_argument("--epochs", type=int, default=4, help="of training the judge")
    parser.add_argument("--count", type=int, default=500, help="pictures whose distances are measured")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    train, test = read_split(options.data, "train"), read_split(options.data, "t10k")
    judge, accuracy = load_or_train(options.judge, train, test, options.epochs, options.seed)
    results = [assess(path, judge, train, test, options.count, options.seed) for path in options.npz]
    if options.json:
        print(json.dumps({"judge_accuracy": accuracy, "results": results}, indent=1))
    else:
        show(accuracy, results)


if __name__ == "__main__":
    main()
