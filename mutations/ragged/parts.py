"""The code of examples that know of padding."""

PLACING = """def forward(self, idx, caches=None, padding=None):
    past = 0 if caches is None else len(caches[0])
    places = torch.arange(past, past + idx.size(1))
    if padding is not None:
        places = (places - padding[:, None]).clamp(min=0)
    x = self.tok_emb(idx) + self.pos_emb[places]
    return self.blocks(x, caches, padding)
"""

HIDING = """def forward(self, att, past, T, padding=None):
    if padding is not None:
        keys = torch.arange(past + T)
        ignored = keys < padding[:, None, None]
        ignored = ignored & (keys != keys[past:, None])
        att = att.masked_fill(ignored[:, None], float("-inf"))
    return F.softmax(att, dim=-1)
"""

CONTINUING = """def generate(self, idx, n, padding=None):
    caches = None
    for _ in range(n):
        if caches is None or len(caches[0]) == self.block_size:
            caches = [KVCache() for _ in self.blocks]
            context = idx[:, -self.block_size :]
            left = padding
            if padding is not None:
                left = (padding - (idx.size(1) - context.size(1))).clamp(min=0)
        else:
            context = idx[:, -1:]
        logits = self(context, caches=caches, padding=left)[:, -1]
        idx = torch.cat((idx, logits.argmax(dim=-1, keepdim=True)), dim=1)
    return idx
"""
