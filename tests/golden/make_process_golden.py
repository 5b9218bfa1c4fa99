"""Makes process.json: what diffusers' schedulers compute, for tinta_process_test and
tinta_sampling_test.

Made with diffusers 0.42.1, torch 2.13.0 and numpy 2.4.6; nothing in it is random.
    python tests/golden/make_process_golden.py

diffusers keeps its coefficients in float32. `alphas_cumprod` below is as shipped; for the steps the
schedulers are given the same schedule in float64, so that the formulas can be compared to 1e-11
rather than to float32's rounding.  diffusers' timestep i is tinta's step t = i + 1.
"""

import json
import pathlib
from unittest import mock

import diffusers
import numpy
import torch

T = 1000
SAMPLE = [0.3, -1.2, 0.05, 2.1]
OUTPUT = [0.9, -0.4, -1.7, 0.2]
NOISE = [-0.6, 1.1, 0.35, -2.0]
PREDICTIONS = {"eps": "epsilon", "x0": "sample", "v": "v_prediction"}


def tensor(values):
    return torch.tensor([values], dtype=torch.float64)


def in_double(scheduler):
    betas = torch.linspace(1e-4, 0.02, T, dtype=torch.float64)
    scheduler.betas = betas
    scheduler.alphas = 1 - betas
    scheduler.alphas_cumprod = torch.cumprod(1 - betas, dim=0)
    one = torch.tensor(1.0, dtype=torch.float64)
    if hasattr(scheduler, "one"):
        scheduler.one = one
    if hasattr(scheduler, "final_alpha_cumprod"):
        scheduler.final_alpha_cumprod = one
    return scheduler


def alphas_cumprod():
    scheduler = diffusers.DDPMScheduler(T, beta_schedule="linear")
    ts = [1, 2, 3, 10, 50, 100, 200, 400, 500, 700, 900, 999, 1000]
    return [{"t": t, "alpha_bar": scheduler.alphas_cumprod[t - 1].item()} for t in ts]


def ddpm_step(variance, prediction, clip, t, s):
    scheduler = in_double(
        diffusers.DDPMScheduler(
            T,
            variance_type={"posterior": "fixed_small", "beta": "fixed_large"}[variance],
            prediction_type=PREDICTIONS[prediction],
            clip_sample=clip,
        )
    )
    scheduler.set_timesteps(timesteps=[t - 1, s - 1] if s > 0 else [t - 1])
    with mock.patch(
        "diffusers.schedulers.scheduling_ddpm.randn_tensor", lambda *a, **k: tensor(NOISE)
    ):
        after = scheduler.step(tensor(OUTPUT), t - 1, tensor(SAMPLE)).prev_sample
    return {"variance": variance, "prediction": prediction, "clip": clip, "t": t, "s": s,
            "after": after[0].tolist()}


def ddim_step(eta, prediction, clip, count, t):
    scheduler = in_double(
        diffusers.DDIMScheduler(
            T, prediction_type=PREDICTIONS[prediction], clip_sample=clip,
            timestep_spacing="trailing",
        )
    )
    scheduler.set_timesteps(count)
    assert t - 1 in scheduler.timesteps.tolist()
    # tinta derives eps from the clamped x_0: diffusers does with use_clipped_model_output.
    after = scheduler.step(
        tensor(OUTPUT), t - 1, tensor(SAMPLE), eta=eta, use_clipped_model_output=True,
        variance_noise=tensor(NOISE) if eta > 0 else None,
    ).prev_sample
    return {"eta": eta, "prediction": prediction, "clip": clip, "t": t, "s": t - T // count,
            "after": after[0].tolist()}


def ddim_chain():
    """Ten deterministic steps from x_T, with a made-up network eps = tanh(x) * (0.2 + t / 2000)."""
    scheduler = in_double(
        diffusers.DDIMScheduler(T, clip_sample=True, timestep_spacing="trailing")
    )
    scheduler.set_timesteps(10)
    x = tensor(SAMPLE)
    states = []
    for i in scheduler.timesteps.tolist():
        output = torch.tanh(x) * (0.2 + (i + 1) / 2000)
        x = scheduler.step(output, i, x, use_clipped_model_output=True).prev_sample
        states.append(x[0].tolist())
    return {"count": 10, "states": states}


def ddpm_steps():
    jumps = [(1000, 999), (500, 499), (2, 1), (1000, 900), (300, 100)]
    cases = [
        ddpm_step(variance, "eps", clip, t, s)
        for variance in ("posterior", "beta") for clip in (False, True) for t, s in jumps
    ]
    # diffusers adds noise at the end of a jump to 0, which tinta does not: only 1 -> 0 compares.
    cases += [ddpm_step(variance, "eps", True, 1, 0) for variance in ("posterior", "beta")]
    cases += [ddpm_step("posterior", p, True, 500, 499) for p in ("x0", "v")]
    return cases


def main():
    golden = {
        "made_by": f"make_process_golden.py, diffusers {diffusers.__version__}, "
                   f"torch {torch.__version__}, numpy {numpy.__version__}",
        "sample": SAMPLE,
        "output": OUTPUT,
        "noise": NOISE,
        "alphas_cumprod": alphas_cumprod(),
        "ddpm": ddpm_steps(),
        "ddim": [
            ddim_step(eta, prediction, clip, count, t)
            for eta in (0.0, 0.5, 1.0) for prediction in PREDICTIONS for clip in (False, True)
            for count, t in ((1000, 500), (10, 1000), (10, 100))
        ],
        "ddim_chain": ddim_chain(),
    }
    path = pathlib.Path(__file__).with_name("process.json")
    path.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
