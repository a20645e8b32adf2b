"""A training on disk, so that it can go on as if it had never stopped."""

from pathlib import Path

import torch

PARTS = ("model", "optimizer", "schedule", "scaler")


def save(state, path):
    """Write a state of training into a file, whole."""
    kept = {name: getattr(state, name).state_dict() for name in PARTS}
    kept["generators"] = [state.generator.get_state(), torch.get_rng_state()]
    kept["epoch"] = state.epoch
    beside = Path(path).with_suffix(".part")
    torch.save(kept, beside)
    beside.replace(path)


def load(state, path):
    """Put a state of training back to where it was saved."""
    kept = torch.load(path, weights_only=True)
    for name in PARTS:
        getattr(state, name).load_state_dict(kept[name])
    own, common = kept["generators"]
    state.generator.set_state(own)
    torch.set_rng_state(common)
    state.epoch = kept["epoch"]
