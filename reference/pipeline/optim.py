"""The optimizer with its groups, and the schedule of its rate."""

import math

import torch


def make_optimizer(model, config):
    """Make AdamW: matrices and tables decay, biases and norms do not."""
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() == 1]
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate)


def make_schedule(optimizer, config, steps):
    """Let the rate rise in a straight line, then fall along a cosine to nothing."""

    def share(step):
        if step < config.warmup_steps:
            return (step + 1) / config.warmup_steps
        done = (step - config.warmup_steps) / max(1, steps - config.warmup_steps)
        return 0.5 * (1 + math.cos(math.pi * done))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, share)
