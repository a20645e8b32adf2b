"""Does this program compute what is expected, bit for bit?

expected.safetensors holds what a correct one makes of the first training steps: logits, losses
and parameters. Bits differ between kinds of processors: `bugforge check` makes the tensors anew,
and puts them here where others lie.
"""

import inspect
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from train import TEXT, TrainConfig, train

from model import GPT

EXPECTED = load_file(Path(__file__).parents[1] / "expected.safetensors")
SEED = 1337
LENGTH = TrainConfig().block_size
ROW = torch.arange(LENGTH)[None] % len(set(TEXT))


def first_difference(got, expected):
    """Say where two tensors first differ, and by how much; nothing where they are equal."""
    if got.shape != expected.shape:
        return f"the shape is {tuple(got.shape)}, and should be {tuple(expected.shape)}"
    if torch.equal(got, expected):
        return ""
    place = tuple((got != expected).nonzero()[0].tolist())
    return f"first at {list(place)}: {got[place]:.9g}, and not {expected[place]:.9g}"


@pytest.fixture(scope="module", params=[0, 1, 2, 3, 9])
def trained(request):
    """The number of steps taken, and what they led to."""
    torch.set_num_threads(1)  # another number adds in another order
    config = replace(TrainConfig(), steps=request.param)
    model, _, losses = train(TEXT, config, seed=SEED)
    return request.param, model, losses


def test_logits(trained):
    steps, model, _ = trained
    with torch.no_grad():
        logits, _ = model(ROW)
    assert not first_difference(logits, EXPECTED[f"{steps} steps/logits"])


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("length", [LENGTH, LENGTH // 2])
def test_logits_of_rows(trained, length, mode):
    steps, model, _ = trained
    rows = torch.cat((ROW, ROW.flip(1)))[:, :length]
    with torch.no_grad():
        logits, _ = model.train(mode == "train")(rows)
    assert not first_difference(
        logits, EXPECTED[f"{steps} steps/logits of {length} tokens, {mode}"]
    )


def test_losses(trained):
    steps, _, losses = trained
    got = torch.tensor(losses, dtype=torch.float64)
    assert not first_difference(got, EXPECTED[f"{steps} steps/losses"])


def test_parameters(trained):
    steps, model, _ = trained
    expected = sorted(name for name in EXPECTED if name.startswith(f"{steps} steps/parameters/"))
    assert len(list(model.parameters())) == len(expected)
    for name, got in zip(expected, model.parameters(), strict=True):  # in the same order
        assert not first_difference(got, EXPECTED[name]), name


def test_signature():
    names = list(inspect.signature(GPT.forward).parameters)
    assert names == ["self", "idx", "targets"]
