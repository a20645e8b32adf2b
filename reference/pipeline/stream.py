"""Rows classified while they arrive, token by token, without reading any token twice."""

import torch


class Past:
    """The keys and values (B, nh, T, hs) that a layer has seen."""

    def __init__(self):
        self.clear()

    def clear(self):
        self.keys = self.values = None

    @property
    def length(self):
        return 0 if self.keys is None else self.keys.size(2)

    def extend(self, k, v):
        """Add what is new; give all."""
        if self.keys is not None:
            k = torch.cat([self.keys, k], dim=2)
            v = torch.cat([self.values, v], dim=2)
        self.keys, self.values = k, v
        return k, v


class Stream:
    """Rows that arrive at the same pace."""

    def __init__(self, model):
        self.model = model
        self.pasts = [Past() for _ in model.blocks]

    def reset(self):
        """Forget what came: other rows begin."""
        for past in self.pasts:
            past.clear()

    @torch.no_grad()
    def push(self, tokens):
        """Read one more token of each row (B,); give the logits (B, n_class) so far."""
        class_logits, _ = self.model(tokens[:, None], pasts=self.pasts)
        return class_logits
