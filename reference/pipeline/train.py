"""Train the classifier, evaluating it after each epoch.

Run `python train.py`: it prints the loss, and the metrics of rows that are held out. With `--half`
it computes in float16 what can be, which takes a CPU several times as long.
"""

import sys
from dataclasses import dataclass, field
from pathlib import Path

import torch
from checkpoint import load, save
from evaluate import metrics, predict
from objective import objective
from optim import make_optimizer, make_schedule
from torch import nn

from data import batches, draw_rows, split
from model import Classifier, ModelConfig


@dataclass
class TrainConfig:
    model: ModelConfig = field(default_factory=ModelConfig)
    rows: int = 2560
    held_out: float = 0.2
    batch_size: int = 64
    epochs: int = 7
    learning_rate: float = 1e-2
    warmup_steps: int = 80
    weight_decay: float = 0.1
    grad_clip: float = 1.0
    token_weight: float = 0.3
    half: bool = False


@dataclass
class State:
    """All that a training goes on from."""

    model: Classifier
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    scaler: torch.amp.GradScaler
    generator: torch.Generator
    epoch: int = 0


def prepare(config, steps, generator):
    """Give the state from which a training of so many steps begins."""
    model = Classifier(config.model)
    optimizer = make_optimizer(model, config)
    schedule = make_schedule(optimizer, config, steps)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, enabled=config.half)
    return State(model, optimizer, schedule, scaler, generator)


def train_step(state, batch, config):
    """Learn from one batch; return its loss."""
    tokens, lengths, labels = batch
    state.optimizer.zero_grad()
    with torch.autocast("cpu", dtype=torch.float16, enabled=config.half):
        logits = state.model(tokens, lengths)
        loss = objective(logits, tokens, labels, config.token_weight)
    state.scaler.scale(loss).backward()
    state.scaler.unscale_(state.optimizer)
    nn.utils.clip_grad_norm_(state.model.parameters(), config.grad_clip)
    state.scaler.step(state.optimizer)
    state.scaler.update()
    state.schedule.step()
    return loss.item()


def train(config, seed, path=None, until=None):
    """Train until an epoch, or to the end; return the model, the losses and the evaluations.

    path: where the state is saved after each epoch, and what training goes on from, if it is there.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    rows, held_out = split(draw_rows(config.rows, generator), config.held_out, generator)
    steps = config.epochs * -(-len(rows) // config.batch_size)
    state = prepare(config, steps, generator)
    if path is not None and Path(path).exists():
        load(state, path)
    losses, evaluations = [], []
    while state.epoch < (config.epochs if until is None else until):
        epoch = batches(rows, config.batch_size, generator)
        losses += [train_step(state, batch, config) for batch in epoch]
        state.epoch += 1
        evaluations.append(metrics(*predict(state.model, held_out, config.batch_size)))
        if path is not None:
            save(state, path)
    return state.model, losses, evaluations


def main():
    torch.set_num_threads(1)  # the model is tiny: more threads only wait for each other
    config = TrainConfig(half="--half" in sys.argv[1:])
    _, losses, evaluations = train(config, seed=1337)
    steps = len(losses) // len(evaluations)
    for epoch, told in enumerate(evaluations, start=1):
        numbers = "  ".join(f"{name} {value:.3f}" for name, value in told.items())
        print(f"epoch {epoch}  loss {losses[epoch * steps - 1]:.3f}  held out: {numbers}")


if __name__ == "__main__":
    main()
