"""Teach a GPT which of three tokens a row holds most often, then ask it about rows never seen.

Run `python classify.py`: it prints the loss on the way, and the accuracy in the end.
"""

from dataclasses import dataclass

import torch
from sequences import CLASSES, VOCABULARY, draw_rows

from model import GPT, GPTConfig, SequenceClassifier


@dataclass
class ClassifierConfig:
    block_size: int = 16
    batch_size: int = 32
    steps: int = 200
    learning_rate: float = 1e-3


def train_classifier(config, seed):
    """Train a fresh classifier; return it with the loss of each step."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    gpt = GPT(GPTConfig(vocab_size=VOCABULARY, block_size=config.block_size))
    model = SequenceClassifier(gpt, CLASSES)
    optimizer = torch.optim.AdamW(model.parameters(), lr=config.learning_rate)
    losses = []
    model.train()
    for _ in range(config.steps):
        idx, mask, labels = draw_rows(config.batch_size, config.block_size, generator)
        _, loss = model(idx, mask, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


@torch.no_grad()
def accuracy(model, idx, mask, labels):
    """Give the share of rows (B, T) that are classified rightly."""
    was_training = model.training
    model.eval()
    logits, _ = model(idx, mask)
    model.train(was_training)
    return (logits.argmax(dim=-1) == labels).float().mean().item()


def main():
    torch.set_num_threads(1)
    config = ClassifierConfig()
    model, losses = train_classifier(config, seed=1337)
    for step in range(0, config.steps, 25):
        print(f"step {step:4d}  loss {losses[step]:.4f}")
    rows = draw_rows(500, config.block_size, torch.Generator().manual_seed(7))
    print(f"rows never seen: {accuracy(model, *rows):.0%} are right")


if __name__ == "__main__":
    main()
