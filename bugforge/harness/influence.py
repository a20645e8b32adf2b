"""What reaches what: how far changing one token moves what is predicted at each position."""

import torch

from .job import Job, Recording
from .program import Program
from .weights import carry


def influence(program: Program, job: Job) -> Recording:
    """Record, under given weights, how far (T, T) the logits at each position (a row) move when
    each token (a column) is changed: the root mean square over the vocabulary.

    It asks nothing of how attention is written. Each text is read alone.
    """
    model = program.build(**job.sizes)
    carry(model, job.weights, job.pairing)
    model.eval()
    idx = job.inputs["alone"]  # (1, T)
    moved = []
    with torch.no_grad():
        before = model(idx.clone())[0]  # (1, T, V)
        for position in range(idx.size(1)):
            changed = idx.clone()
            changed[:, position] = (changed[:, position] + 5) % job.sizes["vocab_size"]
            after = model(changed)[0]
            moved.append((after - before).square().mean(dim=-1).sqrt()[0])  # (T,)
    return Recording(tensors={"moved": torch.stack(moved, dim=-1)})
