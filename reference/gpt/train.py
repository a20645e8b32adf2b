"""Teach a small GPT one sentence through random windows, then ask for it back.

Run `python train.py`: it prints the loss on the way and a greedy sample at the end.
"""

import math
import sys
from dataclasses import dataclass

import torch
from torch import nn

from model import GPT, GPTConfig

TEXT = "Half the soup was gone before anyone admitted to being hungry."
PROMPT = TEXT[:8]


@dataclass
class TrainConfig:
    block_size: int = 24
    batch_size: int = 32
    steps: int = 300
    learning_rate: float = 5e-3
    warmup_steps: int = 20
    weight_decay: float = 0.01
    grad_clip: float = 1.0
    device: str = "cpu"


class Vocabulary:
    """The characters of a text, in order; a token is a character's place."""

    def __init__(self, text):
        self.chars = sorted(set(text))
        self.index = {char: i for i, char in enumerate(self.chars)}

    def __len__(self):
        return len(self.chars)

    def encode(self, text):
        return torch.tensor([self.index[char] for char in text])

    def decode(self, tokens):
        return "".join(self.chars[token] for token in tokens)


def get_batch(data, config, generator):
    """Draw random windows of data (N,) and cut them into inputs and targets."""
    span = config.block_size + 1
    last = len(data) - span
    # Starts beyond an edge are moved onto it, else the first and last tokens would be rare.
    starts = torch.randint(-span, last + span, (config.batch_size,), generator=generator)
    starts = starts.clamp(0, last)
    windows = data[starts[:, None] + torch.arange(span)]  # (B, T + 1)
    return windows[:, :-1], windows[:, 1:]


def make_optimizer(model, config):
    return torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )


def learning_rate(step, config):
    """Give the learning rate of a step."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    done = (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


def train_step(model, optimizer, batch, config):
    """Learn from one batch; return its loss."""
    inputs, targets = batch
    _, loss = model(inputs.to(config.device), targets.to(config.device))
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), config.grad_clip)
    optimizer.step()
    return loss.item()


def train(text, config, seed):
    """Train a fresh model on text; return it with its vocabulary and the loss of each step."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    vocabulary = Vocabulary(text)
    data = vocabulary.encode(text)
    model = GPT(GPTConfig(vocab_size=len(vocabulary), block_size=config.block_size))
    model.to(config.device)
    optimizer = make_optimizer(model, config)
    losses = []
    model.train()
    for step in range(config.steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, config)
        batch = get_batch(data, config, generator)
        losses.append(train_step(model, optimizer, batch, config))
    return model, vocabulary, losses


def sample(model, vocabulary, prompt, max_new_tokens):
    """Continue the prompt."""
    device = next(model.parameters()).device
    idx = vocabulary.encode(prompt)[None].to(device)  # (1, T)
    idx = model.generate(idx, max_new_tokens, temperature=0)
    return vocabulary.decode(idx[0].tolist())


def main():
    torch.set_num_threads(1)  # the model is tiny: more threads only wait for each other
    config = TrainConfig(device=sys.argv[1] if len(sys.argv) > 1 else "cpu")
    model, vocabulary, losses = train(TEXT, config, seed=1337)
    for step in range(0, config.steps, 50):
        print(f"step {step:4d}  loss {losses[step]:.4f}")
    print(f"step {config.steps:4d}  loss {losses[-1]:.4f}")
    print(f"wanted: {TEXT}")
    print(f"sample: {sample(model, vocabulary, PROMPT, len(TEXT) - len(PROMPT))}")


if __name__ == "__main__":
    main()
