"""What greedy decoding gives, by a model's own logits."""

import torch
from torch import Tensor, nn


@torch.no_grad()
def greedy(model: nn.Module, idx: Tensor, new: int, block_size: int) -> tuple[Tensor, Tensor]:
    """Continue tokens (B, N) by the likeliest, `new` times, over the last block_size of them.

    Also gives, per row, (B,), how clear the least clear choice was: how far the likeliest token's
    logit lay above the second's, as a share of the spread of all.
    """
    clear = torch.full((len(idx),), float("inf"))
    for _ in range(new):
        logits = model(idx[:, -block_size:])[0][:, -1]
        first, second = logits.topk(2).values.T
        clear = torch.minimum(clear, (first - second) / logits.std(dim=-1))
        idx = torch.cat((idx, logits.argmax(-1, keepdim=True)), dim=1)
    return idx, clear
