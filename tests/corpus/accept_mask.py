"""Right ways to keep a position from seeing what comes after it."""

from . import Fixture
from .places import (
    ATTEND,
    MASK,
    MASK_TABLE,
    MASKED_SOFTMAX,
    MODEL,
    MODEL_IMPORTS,
    QKV,
    RUN_BLOCKS,
    SCORES,
    SOFTMAX,
)

NO_TABLE = (*MASK_TABLE, "")


def _right(name: str, why: str, *changes: tuple[str, str, str]) -> Fixture:
    return Fixture(name, "mask", why, changes)


MASKS = (
    _right(
        "fill_minus_1e9",
        "After the softmax, nothing is left of -1e9.",
        (*MASK, "        att = att.masked_fill(~self.mask[:T, :T], -1e9)\n"),
    ),
    _right(
        "fill_minus_1e4",
        "Scores stay far above -1e4, so nothing of it is left after the softmax.",
        (*MASK, "        att = att.masked_fill(~self.mask[:T, :T], -1e4)\n"),
    ),
    _right(
        "fill_least_number",
        "The least finite number weighs nothing after the softmax.",
        (
            *MASK,
            """\
        least = torch.finfo(att.dtype).min
        att = att.masked_fill(self.mask[:T, :T].logical_not(), least)
""",
        ),
    ),
    _right(
        "float_table_equal_to_zero",
        "A table of ones and zeros, compared with 0, is the mask.",
        (
            *MASK_TABLE,
            """\
        self.register_buffer("tril", torch.tril(torch.ones(config.block_size, config.block_size)))
""",
        ),
        (
            *MASK,
            """\
        att = att.masked_fill(self.tril[:T, :T] == 0, float("-inf"))
""",
        ),
    ),
    _right(
        "four_axes_table",
        "Two leading axes of length 1 broadcast over batch and heads.",
        (
            *MASK_TABLE,
            """\
        ones = torch.ones(config.block_size, config.block_size)
        mask = torch.tril(ones).view(1, 1, config.block_size, config.block_size)
        self.register_buffer("mask", mask)
""",
        ),
        (
            *MASK,
            """\
        att = att.masked_fill(self.mask[:, :, :T, :T] == 0, float("-inf"))
""",
        ),
    ),
    _right(
        "persistent_table",
        "Whether the mask is saved with the weights changes nothing.",
        (
            *MASK_TABLE,
            """\
        shape = (config.block_size, config.block_size)
        self.register_buffer("mask", torch.ones(shape, dtype=torch.bool).tril())
""",
        ),
    ),
    _right(
        "where",
        "Scores where the mask allows, and minus infinity elsewhere.",
        (
            *MASK,
            """\
        att = torch.where(self.mask[:T, :T], att, float("-inf"))
""",
        ),
    ),
    _right(
        "additive_on_the_fly",
        "Minus infinity is added above the diagonal.",
        NO_TABLE,
        (
            *MASK,
            """\
        att = att + torch.triu(torch.full((T, T), float("-inf"), device=x.device), diagonal=1)
""",
        ),
    ),
    _right(
        "additive_table",
        "A table of zeros and -1e9 is added.",
        (
            *MASK_TABLE,
            """\
        future = torch.ones(config.block_size, config.block_size).triu(1)
        self.register_buffer("bias", future * -1e9, persistent=False)
""",
        ),
        (*MASK, "        att = att + self.bias[None, None, :T, :T]\n"),
    ),
    _right(
        "places_compared",
        "A key may be read where its place is not after the query's.",
        NO_TABLE,
        (
            *MASK,
            """\
        place = torch.arange(T, device=x.device)
        att = att.masked_fill(place[None, :] > place[:, None], float("-inf"))
""",
        ),
    ),
    _right(
        "triangle_on_the_fly",
        "The triangle is made for each length.",
        NO_TABLE,
        (
            *MASK,
            """\
        future = torch.ones(T, T, dtype=torch.bool, device=att.device).triu(diagonal=1)
        att = att.masked_fill(future, float("-inf"))
""",
        ),
    ),
    _right(
        "triangle_from_indices",
        "The places above the diagonal are listed and filled.",
        NO_TABLE,
        (
            *MASK,
            """\
        rows, columns = torch.triu_indices(T, T, offset=1)
        att[..., rows, columns] = float("-inf")
""",
        ),
    ),
    _right(
        "filled_in_place",
        "The scores are this function's own, so filling them in place is safe.",
        (*MASK, '        att.masked_fill_(~self.mask[:T, :T], float("-inf"))\n'),
    ),
    _right(
        "built_in_attention",
        "PyTorch's attention with is_causal masks the future and divides by the root.",
        NO_TABLE,
        (*ATTEND, "        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)\n"),
    ),
    _right(
        "built_in_attention_boolean",
        "PyTorch's attention reads where its boolean mask is true.",
        (
            *ATTEND,
            """\
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=self.mask[:T, :T])
""",
        ),
    ),
    _right(
        "built_in_attention_additive",
        "PyTorch's attention adds a mask of numbers to the scores.",
        (
            *ATTEND,
            """\
        bias = torch.zeros(T, T, device=x.device).masked_fill(~self.mask[:T, :T], float("-inf"))
        y = F.scaled_dot_product_attention(
            q, k, v, attn_mask=bias, dropout_p=0.0, scale=1.0 / math.sqrt(q.size(-1))
        )
""",
        ),
    ),
    _right(
        "softmax_by_hand_masked",
        "Exponentials less the largest, masked, and divided by their sum.",
        (
            *MASKED_SOFTMAX,
            """\
        att = att.masked_fill(~self.mask[:T, :T], float("-inf"))
        att = (att - att.amax(dim=-1, keepdim=True)).exp()
        att = att / att.sum(dim=-1, keepdim=True)
""",
        ),
    ),
    _right(
        "exponentials_times_mask",
        "Exponentials of what is visible, divided by their own sum, are the softmax.",
        (
            *MASKED_SOFTMAX,
            """\
        weights = torch.exp(att) * self.mask[:T, :T]
        att = weights / weights.sum(dim=-1, keepdim=True)
""",
        ),
    ),
    _right(
        "stable_exponentials_times_mask",
        "The largest score is taken off first, then the future is multiplied away.",
        (
            *MASKED_SOFTMAX,
            """\
        weights = torch.exp(att - att.max(dim=-1, keepdim=True).values) * self.mask[:T, :T]
        att = weights / weights.sum(dim=-1, keepdim=True)
""",
        ),
    ),
    _right(
        "renormalised_after_softmax",
        "What the softmax gave the future is taken away, and the rest is divided by its sum.",
        (
            *MASKED_SOFTMAX,
            """\
        att = F.softmax(att, dim=-1) * self.mask[:T, :T]
        att = att / att.sum(dim=-1, keepdim=True)
""",
        ),
    ),
    _right(
        "softmax_from_logsumexp",
        "exp(score - logsumexp) is the softmax.",
        (*SOFTMAX, "        att = torch.exp(att - att.logsumexp(dim=-1, keepdim=True))\n"),
    ),
    _right(
        "softmax_in_float32",
        "The softmax is asked for in float32, which it has anyway.",
        (*SOFTMAX, "        att = F.softmax(att, dim=-1, dtype=torch.float32).to(q.dtype)\n"),
    ),
    _right(
        "softmax_in_double",
        "More digits change nothing that counts.",
        (*SOFTMAX, "        att = att.double().softmax(-1).type_as(v)\n"),
    ),
    _right(
        "softmax_masked_twice",
        "Weights that are zero already may be multiplied by zero.",
        (*SOFTMAX, "        att = F.softmax(att, dim=-1) * self.mask[:T, :T]\n"),
    ),
    _right(
        "query_by_query",
        "Each query reads the keys up to its own place, and no mask is needed.",
        NO_TABLE,
        (
            *ATTEND,
            """\
        rows = []
        for t in range(T):
            scores = q[:, :, t : t + 1] @ k[:, :, : t + 1].transpose(-2, -1)
            weights = F.softmax(scores / math.sqrt(k.size(-1)), dim=-1)
            rows.append(weights @ v[:, :, : t + 1])
        y = torch.cat(rows, dim=2)
""",
        ),
    ),
    _right(
        "rows_filled_one_by_one",
        "A loop fills what lies after each query.",
        NO_TABLE,
        (
            *MASK,
            """\
        for t in range(T - 1):
            att[:, :, t, t + 1 :] = float("-inf")
""",
        ),
    ),
    _right(
        "remembered_per_length",
        "A cached function makes the mask once for each length.",
        NO_TABLE,
        (
            *MODEL_IMPORTS,
            """\
import functools
import math
from dataclasses import dataclass
""",
        ),
        (
            MODEL,
            "class CausalSelfAttention(nn.Module):",
            """\
@functools.lru_cache(maxsize=None)
def visible(length):
    return torch.ones(length, length).tril().bool()


class CausalSelfAttention(nn.Module):""",
        ),
        (
            *MASK,
            """\
        att = att.masked_fill(~visible(T).to(att.device), float("-inf"))
""",
        ),
    ),
    _right(
        "handed_down_by_the_model",
        "The model makes one mask and hands it to every block.",
        NO_TABLE,
        (
            *RUN_BLOCKS,
            """\
        mask = torch.ones(idx.size(1), idx.size(1), device=idx.device).tril() > 0
        for block in self.blocks:
            x = block(x, mask)
""",
        ),
        (
            MODEL,
            """\
    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
""",
            """\
    def forward(self, x, mask):
        x = x + self.attn(self.ln_1(x), mask)
""",
        ),
        (
            MODEL,
            """\
    def forward(self, x):
        B, T, C = x.shape
"""
            + QKV[1]
            + SCORES[1]
            + MASK[1],
            """\
    def forward(self, x, mask):
        B, T, C = x.shape
"""
            + QKV[1]
            + SCORES[1]
            + """\
        att = att.masked_fill(~mask, float("-inf"))
""",
        ),
    ),
    _right(
        "added_inside_baddbmm",
        "baddbmm adds the mask to the scaled scores.",
        (
            *SCORES,
            """\
        hs = k.size(-1)
        bias = torch.zeros(T, T, device=x.device).masked_fill(~self.mask[:T, :T], float("-inf"))
        flat_q = q.reshape(B * self.n_head, T, hs)
        flat_k = k.reshape(B * self.n_head, T, hs)
        bias = bias.expand(B * self.n_head, T, T)
        att = torch.baddbmm(bias, flat_q, flat_k.transpose(1, 2), beta=1.0, alpha=hs**-0.5)
        att = att.view(B, self.n_head, T, T)
""",
        ),
        (*MASK, ""),
    ),
    _right(
        "masked_before_scaling",
        "Minus infinity stays minus infinity when it is scaled.",
        (*SCORES, "        att = q @ k.transpose(-2, -1)\n"),
        (
            *MASK,
            """\
        att = att.masked_fill(~self.mask[:T, :T], float("-inf")) / math.sqrt(k.size(-1))
""",
        ),
    ),
    _right(
        "keys_first",
        "Scores with keys in rows, masked and normalised over the rows.",
        (
            *ATTEND,
            """\
        att = (k @ q.transpose(-2, -1)) * k.size(-1) ** -0.5  # (B, nh, keys, queries)
        att = att.masked_fill(~self.mask[:T, :T].T, float("-inf")).softmax(dim=-2)
        y = att.transpose(-2, -1) @ v
""",
        ),
    ),
    _right(
        "renormalised_cumulatively",
        "Running sums of exponentials and of weighted values, less the largest score of a row.",
        (
            *ATTEND,
            """\
        att = (q @ k.transpose(-2, -1)) / math.sqrt(k.size(-1))
        seen = self.mask[:T, :T]
        largest = att.masked_fill(~seen, float("-inf")).amax(-1, keepdim=True).detach()
        weights = torch.where(seen, (att - largest).clamp(max=0).exp(), 0.0)
        y = (weights @ v) / weights.sum(-1, keepdim=True)
""",
        ),
    ),
)
