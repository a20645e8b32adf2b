"""Right ways to make queries, keys and values with one layer."""

from . import Fixture
from .places import MODEL, PROJ_LAYER, QKV, QKV_LAYERS, WHOLE_ATTENTION

LAYER = (*QKV_LAYERS, "        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd)\n")
THIRDS = "One layer of three times the width gives all three, one behind the other."
ORDER = "Which third of a trained layer is called what is a matter of names."


def _right(
    name: str, why: str, calls: str, layer: tuple[str, str, str] = LAYER, *, trained: bool = False
) -> Fixture:
    return Fixture(name, "typo", why, (layer, (*QKV, calls)), needs_training=trained)


FUSED = (
    _right(
        "fused_split",
        THIRDS,
        "        q, k, v = map(self.split_heads, self.c_attn(x).split(C, dim=2))\n",
    ),
    _right(
        "fused_split_and_viewed",
        THIRDS,
        """\
        q, k, v = self.c_attn(x).split(C, dim=2)
        k = k.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        q = q.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        v = v.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
""",
    ),
    _right(
        "fused_in_five_axes",
        "The width of the layer is three, times heads, times head size, in that order.",
        """\
        qkv = self.c_attn(x).reshape(B, T, 3, self.n_head, C // self.n_head)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
""",
    ),
    _right(
        "fused_value_first",
        ORDER,
        "        v, q, k = map(self.split_heads, self.c_attn(x).chunk(3, dim=-1))\n",
        trained=True,
    ),
    _right(
        "fused_key_first",
        ORDER,
        "        k, q, v = map(self.split_heads, self.c_attn(x).chunk(3, dim=-1))\n",
    ),
    _right(
        "fused_parameters",
        "A matrix and a vector are what a layer holds.",
        """\
        q, k, v = (
            self.split_heads(F.linear(x, weight, bias))
            for weight, bias in zip(self.weight.chunk(3), self.bias.chunk(3))
        )
""",
        (
            *QKV_LAYERS,
            """\
        self.weight = nn.Parameter(0.02 * torch.randn(3 * config.n_embd, config.n_embd))
        self.bias = nn.Parameter(torch.zeros(3 * config.n_embd))
""",
        ),
    ),
    _right(
        "fused_parts_in_another_order",
        "Parts of a layer may be applied in any order.",
        """\
        weights, biases = self.c_attn.weight.split(C), self.c_attn.bias.split(C)
        v, k, q = (self.split_heads(F.linear(x, weights[i], biases[i])) for i in (2, 1, 0))
""",
    ),
    Fixture(
        "library_attention_module",
        "typo",
        "PyTorch's own module has one matrix for all three, in this order.",
        (
            (*QKV_LAYERS, ""),
            (
                *PROJ_LAYER,
                """\
        self.all = nn.MultiheadAttention(config.n_embd, config.n_head, batch_first=True)
""",
            ),
            (
                *WHOLE_ATTENTION,
                """\
        mask = ~self.mask[: x.size(1), : x.size(1)]
        return self.all(x, x, x, attn_mask=mask, need_weights=False)[0]
""",
            ),
            (MODEL, "        B, T, C = x.shape\n        mask", "        mask"),
        ),
        needs_training=True,
    ),
)
