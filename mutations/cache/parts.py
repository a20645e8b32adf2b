"""Shapes of code that kinds of the stage cache look for, and the code of their examples."""

import libcst as cst
import libcst.matchers as m

from ..patterns import OWN

LENGTH = m.Call(func=m.Name("len"), args=[m.Arg(m.Name())])
"""How much a cache holds: len(cache)."""

FIRST_LENGTH = m.Call(
    func=m.Name("len"),
    args=[m.Arg(m.Subscript(slice=[m.SubscriptElement(m.Index(m.Integer("0")))]))],
)
"""How much the first of some caches holds: len(caches[0])."""

BEHIND = m.Slice(
    lower=m.Name(), upper=m.BinaryOperation(left=m.Name(), operator=m.Add(), right=m.DoNotCare())
)
"""As many as are new, behind those that were before: past : past + T."""

PLACED = m.Subscript(value=OWN, slice=[m.SubscriptElement(BEHIND)])
"""Rows of a table for new positions: self.pos_emb[past : past + T]."""

BEHIND_AND_SEEN = m.Subscript(
    value=OWN,
    slice=[m.SubscriptElement(BEHIND), m.SubscriptElement(m.Slice(lower=None))],
)
"""Rows of a mask for new positions, columns for all: self.mask[past : past + T, : S]."""

MAKING = m.ListComp(
    elt=m.Call(args=[]), for_in=m.CompFor(target=m.Name(), iter=m.Attribute() | m.Call())
)
"""A cache for each layer: [KVCache() for _ in self.blocks]."""

APPENDING = m.Attribute(attr=m.Name("append"))

ATTENDING = """class Attention(nn.Module):
    def forward(self, x, cache=None):
        T = x.size(1)
        q, k, v = self.heads(x)
        past = 0
        if cache is not None:
            past = len(cache)
            k, v = cache.append(k, v)
        att = q @ k.transpose(-2, -1)
        att = att.masked_fill(~self.mask[past : past + T, : k.size(2)], float("-inf"))
        return F.softmax(att, dim=-1) @ v
"""

READING = """def forward(self, idx, caches=None):
    past = 0 if caches is None else len(caches[0])
    x = self.tok_emb(idx) + self.pos_emb[past : past + idx.size(1)]
    return self.blocks(x, caches)
"""

CACHE = """class KVCache:
    def __init__(self):
        self.k = None
        self.v = None

    def append(self, k, v):
        if self.k is not None:
            k = torch.cat((self.k, k), dim=2)
            v = torch.cat((self.v, v), dim=2)
        self.k, self.v = k, v
        return k, v
"""

GENERATING = """def generate(self, idx, n):
    caches = None
    for _ in range(n):
        if caches is None or len(caches[0]) == self.block_size:
            caches = [KVCache() for _ in self.blocks]
            context = idx[:, -self.block_size :]
        else:
            context = idx[:, -1:]
        logits = self(context, caches=caches)[:, -1]
        idx = torch.cat((idx, logits.argmax(dim=-1, keepdim=True)), dim=1)
    return idx
"""


def up_to(end: cst.BaseExpression) -> cst.Slice:
    """Give the slice from the beginning to an end, spaced as it is written: `:T`, `: len(x)`."""
    space = "" if isinstance(end, cst.Name | cst.Integer) else " "
    colon = cst.Colon(whitespace_after=cst.SimpleWhitespace(space))
    return cst.Slice(lower=None, upper=end, first_colon=colon)


def new_alone(behind: cst.CSTNode) -> cst.Slice:
    """Give the slice for what is new, as if nothing stood before it."""
    assert isinstance(behind, cst.Slice)
    assert isinstance(behind.upper, cst.BinaryOperation)
    return up_to(behind.upper.right)
