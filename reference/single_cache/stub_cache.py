"""What a layer of attention remembers of the positions it has read. That is for you to write."""


class KVCache:
    """The keys and values of one layer, in the order of positions. As long as what was read."""

    def __len__(self):
        raise NotImplementedError("not written yet")

    def append(self, k, v):
        """Append keys and values (B, T, C); give all that there are (B, S, C)."""
        raise NotImplementedError("not written yet")
