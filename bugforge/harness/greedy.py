"""What greedy decoding gives, by a model's own logits."""

import torch
from torch import Tensor, nn


@torch.no_grad()
def greedy(model: nn.Module, idx: Tensor, new: int, block_size: int) -> Tensor:
    """Continue tokens (B, N) by the likeliest, `new` times, over the last block_size of them."""
    for _ in range(new):
        logits = model(idx[:, -block_size:])[0][:, -1]
        idx = torch.cat((idx, logits.argmax(-1, keepdim=True)), dim=1)
    return idx
