"""Teach a small GPT a text, of which a share is held out, then ask for the rest back.

Run `python train.py`: it prints both losses on the way and a greedy sample at the end.
"""

import math
import sys
from dataclasses import dataclass

import torch
from torch import nn

from data import Vocabulary, get_batch, split
from model import GPT, GPTConfig

TEXT = (
    "Half the soup was gone before anyone admitted to being hungry. The lighthouse keeper asked "
    "the moon to turn itself down a little. Nobody told the clock that lunch is at two now."
)
PROMPT = TEXT[:8]


@dataclass
class TrainConfig:
    block_size: int = 24
    batch_size: int = 16
    accumulate: int = 2
    steps: int = 450
    learning_rate: float = 8e-3
    warmup_steps: int = 40
    weight_decay: float = 0.05
    grad_clip: float = 1.0
    dropout: float = 0.05
    held_out: float = 0.2
    eval_every: int = 100
    device: str = "cpu"


def make_optimizer(model, config):
    """Make the optimizer, with two groups of parameters."""
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() == 1]
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate)


def learning_rate(step, config):
    """Give the learning rate of a step."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    done = (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


@torch.no_grad()
def evaluate(model, data, config):
    """Give the loss of data (N,), in nats per token."""
    model.eval()
    total = count = 0
    for start in range(0, len(data) - 1, config.block_size):
        window = data[None, start : start + config.block_size + 1].to(config.device)
        _, loss = model(window[:, :-1], window[:, 1:])
        total += loss.item() * (window.size(1) - 1)
        count += window.size(1) - 1
    model.train()
    return total / count


def train_step(model, optimizer, data, config, generator):
    """Learn from several batches at once; return their loss."""
    optimizer.zero_grad()
    total = 0.0
    for _ in range(config.accumulate):
        inputs, targets = get_batch(data, config, generator)
        _, loss = model(inputs.to(config.device), targets.to(config.device))
        loss = loss / config.accumulate
        loss.backward()
        total += loss.item()
    nn.utils.clip_grad_norm_(model.parameters(), config.grad_clip)
    optimizer.step()
    return total


def train(text, config, seed):
    """Train a fresh model on text; return it with its vocabulary, its losses and evaluations."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    vocabulary = Vocabulary(text)
    learned, held_out = split(vocabulary.encode(text), config.held_out)
    model = GPT(
        GPTConfig(vocab_size=len(vocabulary), block_size=config.block_size, dropout=config.dropout)
    )
    model.to(config.device)
    optimizer = make_optimizer(model, config)
    losses, evaluations = [], []
    model.train()
    for step in range(config.steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, config)
        losses.append(train_step(model, optimizer, learned, config, generator))
        if (step + 1) % config.eval_every == 0:
            evaluations.append(evaluate(model, held_out, config))
    return model, vocabulary, losses, evaluations


def sample(model, vocabulary, prompt, max_new_tokens):
    """Continue the prompt."""
    device = next(model.parameters()).device
    idx = vocabulary.encode(prompt)[None].to(device)  # (1, T)
    idx = model.generate(idx, max_new_tokens, temperature=0)
    return vocabulary.decode(idx[0].tolist())


def main():
    torch.set_num_threads(1)  # the model is tiny: more threads only wait for each other
    config = TrainConfig(device=sys.argv[1] if len(sys.argv) > 1 else "cpu")
    model, vocabulary, losses, evaluations = train(TEXT, config, seed=1337)
    for done, evaluation in enumerate(evaluations, start=1):
        step = done * config.eval_every
        print(f"step {step:4d}  loss {losses[step - 1]:.4f}  held out {evaluation:.4f}")
    learned = TEXT[: round(len(TEXT) * (1 - config.held_out))]
    print(f"wanted: {learned}")
    print(f"sample: {sample(model, vocabulary, PROMPT, len(learned) - len(PROMPT))}")


if __name__ == "__main__":
    main()
