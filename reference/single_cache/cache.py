"""What a layer of attention remembers of the positions it has read."""

import torch


class KVCache:
    """The keys and values of one layer, in the order of positions. As long as what was read."""

    def __init__(self):
        self.k = None
        self.v = None

    def __len__(self):
        return 0 if self.k is None else self.k.size(-2)

    def append(self, k, v):
        """Append keys and values (B, T, C); give all that there are (B, S, C)."""
        if self.k is not None:
            k = torch.cat((self.k, k), dim=-2)
            v = torch.cat((self.v, v), dim=-2)
        self.k, self.v = k, v
        return k, v
