"""The code of examples with rotary positions and grouped heads."""

import libcst.matchers as m

TURNING = """class Attention(nn.Module):
    def __init__(self, size, length):
        super().__init__()
        speeds = 10000.0 ** (-torch.arange(0, size, 2) / size)
        angles = torch.outer(torch.arange(length), speeds)
        self.register_buffer("angles", torch.cat((angles, angles), dim=-1), persistent=False)

    def rotate(self, x, past):
        angles = self.angles[past : past + x.size(2)]
        first, second = x.chunk(2, dim=-1)
        return x * angles.cos() + torch.cat((-second, first), dim=-1) * angles.sin()

    def forward(self, x, cache=None):
        past = 0 if cache is None else len(cache)
        q = self.rotate(self.split_heads(self.query(x), self.n_head), past)
        k = self.rotate(self.split_heads(self.key(x), self.n_kv_head), past)
        v = self.split_heads(self.value(x), self.n_kv_head)
        if cache is not None:
            k, v = cache.append(k, v)
        k = k.repeat_interleave(self.n_head // self.n_kv_head, dim=1)
        v = v.repeat_interleave(self.n_head // self.n_kv_head, dim=1)
        att = q @ k.transpose(-2, -1)
        att = att.masked_fill(~self.mask[past : past + q.size(2), : k.size(2)], float("-inf"))
        return F.softmax(att, dim=-1) @ v
"""
"""Attention whose queries and keys are turned by their positions."""

CALLED = m.Attribute(value=m.Name("self"), attr=m.Name())
"""A method or a layer of the module's own: self.rotate."""
