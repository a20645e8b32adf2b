"""Training does what training does that is written out beside it, on the same batches."""

import copy
import math
from dataclasses import replace

import pytest
import torch
import train as program
from torch.nn import functional as F

from model import GPT, GPTConfig

TEXT = "a stitch in time saves nine"
CONFIG = replace(
    program.TrainConfig(),
    block_size=6,
    batch_size=5,
    steps=12,
    learning_rate=1e-2,
    warmup_steps=4,
    weight_decay=0.5,
    grad_clip=0.05,  # so low that every gradient is clipped
)


@pytest.fixture(autouse=True)
def exact():
    """Compute in double precision, so that a small mistake shows."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def made(seed=0):
    torch.manual_seed(seed)
    model = GPT(GPTConfig(vocab_size=11, block_size=6, n_layer=2, n_head=2, n_embd=12))
    for parameter in model.parameters():
        if parameter.dim() > 1:  # large, so that the loss is far from that of guessing
            torch.nn.init.normal_(parameter, std=0.5)
    return model


def rate(step, config):
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    done = (step - config.warmup_steps) / (config.steps - config.warmup_steps)
    return config.learning_rate * (1 + math.cos(math.pi * done)) / 2


def step_by_hand(model, optimizer, inputs, targets, config):
    """Take the step that is right; give its loss."""
    logits, _ = model(inputs)
    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), config.grad_clip)
    optimizer.step()
    return loss.item()


def same(model, other):
    for one, two in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one, two)


def test_windows_are_cut_and_shifted():
    data = torch.arange(100, 130)
    generator = torch.Generator().manual_seed(0)
    config = replace(CONFIG, batch_size=400)
    inputs, targets = program.get_batch(data, config, generator)
    assert inputs.shape == targets.shape == (400, 6)
    steps = torch.arange(6)
    assert torch.equal(inputs, inputs[:, :1] + steps)
    assert torch.equal(targets, inputs + 1)
    assert inputs[:, 0].unique().tolist() == list(range(100, 124))  # every window, and no other


def test_one_window_is_enough():
    data = torch.arange(7)
    inputs, targets = program.get_batch(data, CONFIG, torch.Generator().manual_seed(0))
    assert torch.equal(inputs, data[:-1].expand(5, 6))
    assert torch.equal(targets, data[1:].expand(5, 6))


def test_batches_are_drawn_by_the_generator():
    data = torch.arange(100)
    one, other, further = (
        program.get_batch(data, CONFIG, torch.Generator().manual_seed(seed))[0]
        for seed in (1, 1, 2)
    )
    assert torch.equal(one, other)
    assert not torch.equal(one, further)


def test_the_loss_is_the_mean_over_all_places():
    model, generator = made(), torch.Generator().manual_seed(1)
    idx = torch.randint(11, (5, 4), generator=generator)
    targets = torch.randint(11, (5, 4), generator=generator)
    targets[0], targets[1, :2] = torch.tensor([0, 10, 1, 9]), torch.tensor([0, 10])
    logits, loss = model(idx, targets)
    plain, none = model(idx)
    assert none is None
    torch.testing.assert_close(logits, plain)
    each = -logits.log_softmax(dim=-1).gather(2, targets[..., None])
    torch.testing.assert_close(loss, each.mean())


@pytest.mark.parametrize(("steps", "warmup"), [(12, 4), (50, 10), (9, 1)])
def test_the_rate_rises_and_falls(steps, warmup):
    config = replace(CONFIG, steps=steps, warmup_steps=warmup)
    for step in range(steps):
        assert program.learning_rate(step, config) == pytest.approx(rate(step, config))


def test_a_step_is_a_step():
    model = made()
    twin = copy.deepcopy(model)
    optimizer = program.make_optimizer(model, CONFIG)
    by_hand = torch.optim.AdamW(twin.parameters(), lr=1e-2, weight_decay=0.5)
    for seed in range(3):
        generator = torch.Generator().manual_seed(seed)
        batch = program.get_batch(torch.arange(40) % 11, CONFIG, generator)
        loss = program.train_step(model, optimizer, batch, CONFIG)
        assert loss == pytest.approx(step_by_hand(twin, by_hand, *batch, CONFIG))
        same(model, twin)


def test_the_optimizer_has_every_parameter_once():
    model = made()
    optimizer = program.make_optimizer(model, CONFIG)
    held = [id(p) for group in optimizer.param_groups for p in group["params"]]
    assert sorted(held) == sorted(id(p) for p in model.parameters())


def test_training_is_its_steps(monkeypatch):
    calls, plain = [], GPT.forward

    def watched(self, idx, targets=None):
        if targets is not None:
            first = copy.deepcopy(self) if not calls else None
            calls.append((first, idx.clone(), targets.clone()))
        return plain(self, idx, targets)

    monkeypatch.setattr(GPT, "forward", watched)
    model, vocabulary, losses = program.train(TEXT, CONFIG, seed=3)
    monkeypatch.undo()
    assert len(calls) == len(losses) == CONFIG.steps
    twin = calls[0][0]
    by_hand = torch.optim.AdamW(twin.parameters(), lr=1e-2, weight_decay=0.5)
    for step, (_, idx, targets) in enumerate(calls):
        assert idx.shape == (5, 6)
        assert torch.equal(idx[:, 1:], targets[:, :-1])
        for row in torch.cat((idx[:, :1], targets), dim=1).tolist():
            assert vocabulary.decode(row) in TEXT
        by_hand.param_groups[0]["lr"] = rate(step, CONFIG)
        assert losses[step] == pytest.approx(step_by_hand(twin, by_hand, idx, targets, CONFIG))
    same(model, twin)


def test_the_vocabulary_goes_there_and_back():
    _, vocabulary, _ = program.train(TEXT, replace(CONFIG, steps=1, warmup_steps=1), seed=0)
    tokens = vocabulary.encode(TEXT)
    assert len(vocabulary) == len(set(TEXT))
    assert sorted(set(tokens.tolist())) == list(range(len(vocabulary)))
    assert vocabulary.decode(tokens.tolist()) == TEXT


def test_the_seed_decides_alone():
    config = replace(CONFIG, steps=3, warmup_steps=1)
    trained = []
    for before, seed in ((10, 5), (20, 5), (20, 6)):
        torch.manual_seed(before)
        trained.append(program.train(TEXT, config, seed)[0])
    same(trained[0], trained[1])
    with pytest.raises(AssertionError):
        same(trained[0], trained[2])
