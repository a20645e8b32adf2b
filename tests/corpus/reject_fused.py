"""Wrong ways to make queries, keys and values with one layer."""

from . import Fixture
from .accept_fused import LAYER
from .places import QKV, SCORES

CALLS = """\
        q, k, v = map(self.split_heads, self.c_attn(x).split(C, dim=-1))
"""


def _wrong(name: str, why: str, calls: str, *more: tuple[str, str, str]) -> Fixture:
    return Fixture(name, "typo", why, (LAYER, (*QKV, calls), *more))


FUSED = (
    _wrong(
        "fused_key_for_value",
        "A third of the layer is idle, and another serves two ends.",
        """\
        parts = self.c_attn(x).chunk(3, dim=-1)
        q, k, v = (self.split_heads(parts[i]) for i in (0, 1, 1))
""",
    ),
    _wrong(
        "fused_query_for_key",
        "A third of the layer is idle, and scores are symmetric.",
        """\
        parts = self.c_attn(x).chunk(3, dim=-1)
        q, k, v = (self.split_heads(parts[i]) for i in (0, 0, 2))
""",
    ),
    _wrong(
        "fused_overlapping",
        "The parts begin too early, so that some channels are taken twice and others never.",
        """\
        qkv = self.c_attn(x)
        q, k, v = (self.split_heads(qkv[..., i : i + C]) for i in (0, C - 1, 2 * C - 2))
""",
    ),
    _wrong(
        "fused_in_strange_rows",
        "A view with the three in front mixes rows, positions and channels.",
        "        q, k, v = map(self.split_heads, self.c_attn(x).view(3, B, T, C))\n",
    ),
    _wrong(
        "fused_thirds_of_positions",
        "What is split in three are channels, and not positions.",
        """\
        qkv = self.c_attn(x).reshape(B, 3, T, C)
        q, k, v = (self.split_heads(qkv[:, i]) for i in range(3))
""",
    ),
    _wrong(
        "fused_scaled_by_its_width",
        "Scores are divided by the root of a head's size, and not of the layer's width.",
        CALLS,
        (*SCORES, SCORES[1].replace("k.size(-1)", "self.c_attn.out_features")),
    ),
    _wrong(
        "fused_beside_three",
        "Three layers more that nothing uses are no part of the model.",
        CALLS,
        (
            *LAYER[:1],
            LAYER[2],
            LAYER[2] + "        self.more = nn.ModuleList("
            "nn.Linear(config.n_embd, config.n_embd) for _ in range(3))\n",
        ),
    ),
    Fixture(
        "fused_without_bias",
        "typo",
        "The projections to queries, keys and values have biases.",
        ((*LAYER[:2], LAYER[2].replace(")\n", ", bias=False)\n")), (*QKV, CALLS)),
    ),
)
