"""Right ways to write attention out: every tensor where it belongs, in another form."""

from . import Fixture
from .places import (
    ATTEND,
    HEAD_COUNT,
    KEY,
    MASK_TABLE,
    MODEL,
    PROJ_LAYER,
    QKV,
    QKV_LAYERS,
    QUERY,
    SCORES,
    SOFTMAX,
    SPLIT,
    VALUE,
    WEIGH,
    WHOLE_ATTENTION,
)

SCALES = "Dividing by the root of a head's size may happen anywhere before the softmax."
RELABELS = "The names of parameters may change, and with them their order."


def _right(name: str, why: str, *changes: tuple[str, str, str], trained: bool = False) -> Fixture:
    return Fixture(name, "typo", why, changes, needs_training=trained)


TYPO = (
    _right(
        "head_by_head",
        "Each head attends on its own slice of the width.",
        (
            *WHOLE_ATTENTION,
            """\
        q, k, v = self.query(x), self.key(x), self.value(x)
        hs = C // self.n_head
        heads = []
        for h in range(self.n_head):
            part = slice(h * hs, (h + 1) * hs)
            scores = q[..., part] @ k[..., part].transpose(1, 2) / hs**0.5
            scores = scores.masked_fill(~self.mask[:T, :T], float("-inf"))
            heads.append(F.softmax(scores, dim=-1) @ v[..., part])
        return self.proj(torch.cat(heads, dim=-1))
""",
        ),
    ),
    _right(
        "einsum",
        "Sums over named axes say the same.",
        (
            *SCORES,
            """\
        att = torch.einsum("bhid,bhjd->bhij", q, k) * (1.0 / math.sqrt(k.size(-1)))
""",
        ),
        (*WEIGH, '        y = torch.einsum("bhij,bhjd->bhid", att, v)\n'),
    ),
    _right(
        "matmul",
        "matmul is what @ calls.",
        (
            *SCORES,
            """\
        att = torch.matmul(q, k.mT).div(math.sqrt(C // self.n_head))
""",
        ),
        (*WEIGH, "        y = torch.matmul(att, v)\n"),
    ),
    _right(
        "scaled_query",
        SCALES,
        (*SCORES, "        q = q * q.size(-1) ** -0.5\n        att = q @ k.transpose(2, 3)\n"),
    ),
    _right(
        "scaled_key",
        SCALES,
        (*SCORES, "        k = k / math.sqrt(k.shape[-1])\n        att = q @ k.transpose(2, 3)\n"),
    ),
    _right(
        "scaled_both",
        SCALES,
        (
            *SCORES,
            """\
        root = k.size(-1) ** -0.25
        att = (q * root) @ (k * root).transpose(-2, -1)
""",
        ),
    ),
    _right(
        "scale_from_configuration",
        SCALES,
        (
            *HEAD_COUNT,
            HEAD_COUNT[1]
            + """\
        self.head_dim = config.n_embd // config.n_head
        self.scale = self.head_dim**-0.5
""",
        ),
        (*SCORES, "        att = (q @ k.transpose(-2, -1)) * self.scale\n"),
    ),
    _right(
        "batched_products",
        "bmm on batch and heads taken together.",
        (
            *ATTEND,
            """\
        q, k, v = (part.flatten(0, 1) for part in (q, k, v))  # (B * nh, T, hs)
        att = torch.bmm(q, k.transpose(1, 2)) / math.sqrt(k.size(-1))
        att = att.masked_fill(~self.mask[:T, :T], -torch.inf)
        y = torch.bmm(torch.softmax(att, dim=2), v).unflatten(0, (B, self.n_head))
""",
        ),
    ),
    _right(
        "products_summed_by_hand",
        "A product of matrices is a sum over the last axis.",
        (
            *SCORES,
            """\
        att = (q.unsqueeze(3) * k.unsqueeze(2)).sum(-1) / math.sqrt(k.size(-1))
""",
        ),
    ),
    _right(
        "softmax_as_a_method",
        "The method, the module and the function are one.",
        (*SOFTMAX, "        att = nn.Softmax(dim=3)(att)\n"),
    ),
    _right(
        "one_product_for_all",
        "The three weights are joined for one product, and the result is split again.",
        (
            *QKV,
            """\
        layers = (self.query, self.key, self.value)
        weight = torch.cat([layer.weight for layer in layers])
        bias = torch.cat([layer.bias for layer in layers])
        q, k, v = map(self.split_heads, F.linear(x, weight, bias).chunk(3, dim=-1))
""",
        ),
    ),
    _right(
        "split_by_reshape",
        "The width is heads by head size, in that order.",
        (
            *SPLIT,
            """\
        B, T, _ = x.size()
        return x.reshape(B, T, self.n_head, -1).permute(0, 2, 1, 3).contiguous()
""",
        ),
    ),
    _right(
        "split_by_chunks",
        "Chunks of the width are the heads.",
        (*SPLIT, "        return torch.stack(x.chunk(self.n_head, dim=-1), dim=1)\n"),
    ),
    _right(
        "queries_and_keys_in_another_order",
        "Locals may be computed in any order.",
        (*QKV, VALUE[1] + KEY[1] + QUERY[1]),
    ),
    _right(
        "locals_renamed",
        "What a local is called changes nothing.",
        (
            *QKV,
            """\
        wants, offers, says = (
            self.split_heads(layer(x)) for layer in (self.query, self.key, self.value)
        )
""",
        ),
        (
            *ATTEND,
            """\
        heat = (wants @ offers.transpose(-2, -1)) / math.sqrt(offers.size(-1))
        heat = heat.masked_fill(~self.mask[:T, :T], float("-inf"))
        y = F.softmax(heat, dim=-1) @ says
""",
        ),
    ),
    _right(
        "layers_renamed_in_order",
        RELABELS,
        (
            *QKV_LAYERS,
            """\
        self.wq = nn.Linear(config.n_embd, config.n_embd)
        self.wk = nn.Linear(config.n_embd, config.n_embd)
        self.wv = nn.Linear(config.n_embd, config.n_embd)
""",
        ),
        (
            *QKV,
            """\
        q, k, v = (self.split_heads(layer(x)) for layer in (self.wq, self.wk, self.wv))
""",
        ),
    ),
    _right(
        "layers_reordered",
        RELABELS,
        (
            *QKV_LAYERS,
            """\
        self.key = nn.Linear(config.n_embd, config.n_embd)
        self.query = nn.Linear(config.n_embd, config.n_embd)
        self.value = nn.Linear(config.n_embd, config.n_embd)
""",
        ),
    ),
    _right(
        "layers_renamed_key_first",
        RELABELS,
        (
            *QKV_LAYERS,
            """\
        self.k = nn.Linear(config.n_embd, config.n_embd)
        self.q = nn.Linear(config.n_embd, config.n_embd)
        self.v = nn.Linear(config.n_embd, config.n_embd)
""",
        ),
        (
            *QKV,
            """\
        q, k, v = (self.split_heads(layer(x)) for layer in (self.q, self.k, self.v))
""",
        ),
    ),
    _right(
        "layers_renamed_output_first",
        RELABELS,
        (
            *QKV_LAYERS,
            """\
        self.out = nn.Linear(config.n_embd, config.n_embd)
        self.to_q, self.to_k, self.to_v = (
            nn.Linear(config.n_embd, config.n_embd) for _ in range(3)
        )
""",
        ),
        (*PROJ_LAYER, ""),
        (
            *QKV,
            """\
        q, k, v = (self.split_heads(layer(x)) for layer in (self.to_q, self.to_k, self.to_v))
""",
        ),
        (MODEL, "        return self.proj(y)\n", "        return self.out(y)\n"),
    ),
    _right(
        "query_and_key_exchange_names",
        "Which of the two trained layers is called the query is a matter of names.",
        (
            *QKV,
            """\
        q = self.split_heads(self.key(x))
        k = self.split_heads(self.query(x))
"""
            + VALUE[1],
        ),
    ),
    _right(
        "layers_in_turn",
        "Which of the three trained layers is called what is a matter of names.",
        (
            *QKV,
            """\
        q = self.split_heads(self.value(x))
        k = self.split_heads(self.query(x))
        v = self.split_heads(self.key(x))
""",
        ),
    ),
    _right(
        "key_with_query",
        "Either of the two layers may be the one that asks.",
        (*SCORES, SCORES[1].replace("q @ k.", "k @ q.")),
        trained=True,
    ),
    _right(
        "layers_in_a_module_dict",
        "A dictionary of layers holds the same layers.",
        (
            *QKV_LAYERS,
            """\
        self.into = nn.ModuleDict(
            {name: nn.Linear(config.n_embd, config.n_embd) for name in ("q", "k", "v")}
        )
""",
        ),
        (
            *QKV,
            """\
        q, k, v = (self.split_heads(self.into[name](x)) for name in "qkv")
""",
        ),
    ),
    _right(
        "attention_as_a_function",
        "A plain function attends, and the module hands it what it needs.",
        (*MASK_TABLE, ""),
        (
            MODEL,
            "class CausalSelfAttention(nn.Module):",
            '''\
def attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Weigh values (..., T, hs) by how well keys answer queries, the future left out."""
    scores = torch.matmul(q, k.transpose(-1, -2)) / math.sqrt(q.shape[-1])
    future = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1)
    return torch.softmax(scores.masked_fill(future, -math.inf), dim=-1).matmul(v)


class CausalSelfAttention(nn.Module):''',
        ),
        (*ATTEND, "        y = attend(q, k, v)\n"),
    ),
)
