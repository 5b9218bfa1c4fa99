#!/usr/bin/env python3
"""Makes tests/golden/model: what diffusers' UNet2DModel answers, for tinta's U-Net to answer too.

  networks.json        outputs of small networks and the gradients of one, in double
  embeddings.json      sinusoidal embeddings
  cifar10-ddpm.txt     name and shape of every parameter of the network that the preset names,
  mnist-bench.txt      sorted

Neither weights nor inputs are stored: both sides make them up from their names (made_up).

Needs torch and diffusers; the files in the repository were made with Python 3.11.7, torch 2.13.0 and
diffusers 0.42.1.
Run: python3 tests/golden/make_model_golden.py
"""

import json
import math
import pathlib

import diffusers
import numpy as np
import torch
from diffusers.models.embeddings import get_timestep_embedding

OUT = pathlib.Path(__file__).parent / "model"

# Keys of tinta's model config that differ from these; every network is a case of its own.
DEFAULTS = {
    "image_channels": 1, "channels": 4, "multipliers": [1, 2], "blocks": 1, "attention_levels": [],
    "mid_attention": True, "head_dim": 0, "groups": 2, "norm_eps": 1e-6,
    "time_conditioning": "shift", "time_order": "sin-cos", "time_frequency_shift": 1,
    "downsample": "asymmetric", "classes": 0,
}
NETWORKS = {
    "as-in-ho-et-al": {"image_channels": 3, "channels": 8, "groups": 4, "attention_levels": [1]},
    "symmetric-cos-sin-heads": {
        "multipliers": [1, 2, 2], "blocks": 2, "attention_levels": [1], "head_dim": 4,
        "norm_eps": 1e-5, "time_order": "cos-sin", "time_frequency_shift": 0,
        "downsample": "symmetric"},
    "classes": {"channels": 8, "classes": 3, "attention_levels": [0], "head_dim": 8, "groups": 4,
                "time_frequency_shift": 0},
    "scale-shift": {"multipliers": [1, 3], "blocks": 3, "time_conditioning": "scale-shift",
                    "time_order": "cos-sin", "downsample": "symmetric"},
    "no-attention": {"channels": 10, "multipliers": [1, 1, 2], "groups": 5, "mid_attention": False},
    "one-level": {"channels": 16, "multipliers": [1], "attention_levels": [0], "groups": 8},
    "wide-groups": {"channels": 16, "multipliers": [1, 2], "groups": 1, "mid_attention": False,
                    "time_conditioning": "scale-shift", "classes": 2},
}
WITH_GRADIENTS = "classes"
WRITTEN_OUT = ("conv_in.bias", "class_embedding.weight", "down_blocks.0.resnets.0.norm1.weight",
               "down_blocks.0.attentions.0.to_q.bias", "up_blocks.0.upsamplers.0.conv.bias")
PRESETS = {
    "cifar10-ddpm": {**DEFAULTS, "image_channels": 3, "channels": 128, "multipliers": [1, 2, 2, 2],
                     "blocks": 2, "attention_levels": [1], "groups": 32},
    "mnist-bench": {**DEFAULTS, "channels": 32, "multipliers": [1, 2, 2], "attention_levels": [2],
                    "groups": 32, "norm_eps": 1e-5, "time_order": "cos-sin",
                    "time_frequency_shift": 0, "downsample": "symmetric"},
}


def made_up(name, shape):
    """Multiples of 2^-17 in [-1/4, 1/4), exact in every dtype but half and bfloat16: SplitMix64 of
    the FNV-1a hash of the name and a place."""
    start = 0xCBF29CE484222325
    for byte in name.encode():
        start = (start ^ byte) * 0x100000001B3 % 2**64
    with np.errstate(over="ignore"):
        z = np.uint64(start) + np.uint64(0x9E3779B97F4A7C15) * np.arange(
            1, math.prod(shape) + 1, dtype=np.uint64)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    values = ((z >> np.uint64(48)).astype(np.float64) - 32768) / 131072
    return torch.from_numpy(values.reshape(shape))


def time_features(time, dim, flip, shift):
    """get_timestep_embedding in double, rounded to float32 once, as tinta computes it: diffusers'
    own is in float32 throughout, and its error grows with the time, by 2e-4 at 1000."""
    half = dim // 2
    angle = time.double()[:, None] * torch.exp(
        -math.log(10000) * torch.arange(half, dtype=torch.float64) / (half - shift))
    parts = [torch.cos(angle), torch.sin(angle)] if flip else [torch.sin(angle), torch.cos(angle)]
    features = torch.cat([*parts, torch.zeros(len(time), dim % 2)], dim=1).float()
    theirs = get_timestep_embedding(time, dim, flip_sin_to_cos=flip, downscale_freq_shift=shift)
    assert torch.all((features - theirs).abs() <= 2e-7 * (1 + time[:, None])), "not diffusers' own"
    return features


class TimeFeatures(torch.nn.Module):
    def __init__(self, dim, flip, shift):
        super().__init__()
        self.arguments = (dim, flip, shift)

    def forward(self, time):
        return time_features(time, *self.arguments)


def diffusers_network(config):
    """The UNet2DModel that a model config of tinta's means."""
    levels = len(config["multipliers"])
    kinds = ["Attn" if i in config["attention_levels"] else "" for i in range(levels)]
    flip, shift = config["time_order"] == "cos-sin", config["time_frequency_shift"]
    network = diffusers.UNet2DModel(
        in_channels=config["image_channels"],
        out_channels=config["image_channels"],
        block_out_channels=tuple(config["channels"] * m for m in config["multipliers"]),
        down_block_types=tuple(f"{kind}DownBlock2D" for kind in kinds),
        up_block_types=tuple(f"{kind}UpBlock2D" for kind in reversed(kinds)),
        layers_per_block=config["blocks"],
        add_attention=config["mid_attention"],
        attention_head_dim=config["head_dim"] or None,
        norm_num_groups=config["groups"],
        # Without this a middle attention beside "scale_shift" blocks has no norm of its own.
        attn_norm_num_groups=config["groups"],
        norm_eps=config["norm_eps"],
        resnet_time_scale_shift="default" if config["time_conditioning"] == "shift" else "scale_shift",
        flip_sin_to_cos=flip,
        freq_shift=shift,
        downsample_padding=0 if config["downsample"] == "asymmetric" else 1,
        num_class_embeds=config["classes"] + 1 if config["classes"] else None,
    )
    network.time_proj = TimeFeatures(config["channels"], flip, shift)
    return network.double()


def is_norm_weight(name):
    return "norm" in name and name.endswith(".weight")


def fill(network):
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(made_up(name, parameter.shape) + (1 if is_norm_weight(name) else 0))


def gradients(network, out):
    """Of sum(out * dy): every parameter's along a made-up direction, and some in full."""
    (out * 8 * made_up("dy", out.shape)).sum().backward()
    named = dict(network.named_parameters())
    return {
        "slopes": {name: (p.grad * made_up(f"direction of {name}", p.shape)).sum().item()
                   for name, p in sorted(named.items())},
        "full": {name: named[name].grad.flatten().tolist() for name in WRITTEN_OUT},
    }


def network_case(name, changes):
    config = {**DEFAULTS, **changes}
    network = diffusers_network(config)
    fill(network)
    shape = [2, config["image_channels"], 8, 4]
    time = torch.tensor([3.0, 998.0])
    labels = torch.tensor([0, config["classes"]]) if config["classes"] else None
    out = network(8 * made_up("x", shape), time, labels).sample
    case = {"name": name, "config": config, "shape": shape, "time": time.tolist(),
            "labels": labels.tolist() if labels is not None else [],
            "output": out.detach().flatten().tolist()}
    if name == WITH_GRADIENTS:
        case["gradients"] = gradients(network, out)
    return case


def embedding_case(dim, order, shift):
    time = torch.tensor([0.0, 1.0, 37.5, 1000.0])
    features = time_features(time, dim, order == "cos-sin", shift)
    return {"dim": dim, "order": order, "frequency_shift": shift, "time": time.tolist(),
            "features": features.flatten().tolist()}


def parameter_list(config):
    lines = [f"{name} {' '.join(str(size) for size in parameter.shape)}\n"
             for name, parameter in diffusers_network(config).named_parameters()]
    return "".join(sorted(lines))


def write_json(name, cases):
    versions = json.dumps({"torch": torch.__version__, "diffusers": diffusers.__version__})
    lines = ",\n".join(json.dumps(case) for case in cases)
    (OUT / name).write_text(f'{{"made_with": {versions}, "cases": [\n{lines}\n]}}\n')


def main():
    OUT.mkdir(exist_ok=True)
    write_json("networks.json", [network_case(*item) for item in NETWORKS.items()])
    write_json("embeddings.json", [embedding_case(dim, order, shift) for dim in (4, 5, 8, 33)
                                   for order in ("sin-cos", "cos-sin") for shift in (0, 0.5, 1)])
    for preset, config in PRESETS.items():
        (OUT / f"{preset}.txt").write_text(parameter_list(config))


if __name__ == "__main__":
    main()
