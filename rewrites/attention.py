"""Ways to write what goes on between queries, keys and values."""

from textwrap import indent

from bugforge.rewrite import Restructuring, Way, way

BY_ROOT = "(any_q @ any_k) / math.sqrt(any_n)"
ATTENTION = """\
class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.proj = nn.Linear(config.n_embd, config.n_embd)

    def forward(self, att, v):
        att = F.softmax(att, dim=-1)
        return self.proj(att @ v)
"""
PROJECTING = """\
class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
{layers}
    def forward(self, x):
        B, T, C = x.shape
{calls}        return q, k, v
"""
THREE_LAYERS = (
    "self.query = nn.Linear(any_c, any_c)\n"
    "self.key = nn.Linear(any_c, any_c)\n"
    "self.value = nn.Linear(any_c, any_c)\n"
)
THREE_CALLS = (
    "q = self.split_heads(self.query(x))\n"
    "k = self.split_heads(self.key(x))\n"
    "v = self.split_heads(self.value(x))\n"
)


def _fused(name: str, layer: str, calls: str) -> Way:
    """Make a way that has one layer, of this name, and takes apart what it gives."""
    one_layer = f"self.{layer} = nn.Linear(any_c, 3 * any_c)\n"
    return way(
        name,
        (THREE_LAYERS, one_layer),
        (THREE_CALLS, calls),
        example=(_projecting(THREE_LAYERS, THREE_CALLS), _projecting(one_layer, calls)),
        exact=False,
    )


def _projecting(layers: str, calls: str) -> str:
    filled = layers.replace("any_c", "config.n_embd")
    inner = " " * 8
    return PROJECTING.format(layers=indent(filled, inner), calls=indent(calls, inner))


class Projections(Restructuring):
    """How the heads of queries, keys and values are taken apart."""

    id = "split-heads"
    ways = (
        way(
            "permuted",
            (
                "x.view(any_b, any_t, any_h, any_s).transpose(1, 2)",
                "x.view(any_b, any_t, any_h, any_s).permute(0, 2, 1, 3)",
            ),
        ),
        way(
            "reshaped",
            (
                "x.view(any_b, any_t, any_h, any_s).transpose(1, 2)",
                "x.reshape(any_b, any_t, any_h, -1).transpose(1, 2)",
            ),
            (
                "B, T, C = x.shape\nreturn any_heads",
                "B, T = x.shape[:2]\nreturn any_heads",
            ),
            example=(
                (
                    "class Attention:\n"
                    "    def split(self, x):\n"
                    "        B, T, C = x.shape\n"
                    "        return x.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)\n"
                ),
                (
                    "class Attention:\n"
                    "    def split(self, x):\n"
                    "        B, T = x.shape[:2]\n"
                    "        return x.reshape(B, T, self.n_head, -1).transpose(1, 2)\n"
                ),
            ),
        ),
        way(
            "unflattened",
            (
                "B, T, C = x.shape\nreturn x.view(any_b, any_t, any_h, any_s).transpose(1, 2)",
                (
                    "heads = x.unflatten(-1, (any_h, -1))  # (B, T, nh, hs)\n"
                    "return heads.transpose(1, 2)\n"
                ),
            ),
        ),
    )


class Fused(Restructuring):
    """Whether three layers make queries, keys and values, or one makes all of them."""

    id = "projections"
    ways = (
        _fused(
            "split",
            "qkv",
            "q, k, v = (self.split_heads(part) for part in self.qkv(x).split(C, dim=-1))\n",
        ),
        _fused(
            "chunked",
            "c_attn",
            (
                "parts = self.c_attn(x).chunk(3, dim=-1)  # (B, T, C) each\n"
                "q = self.split_heads(parts[0])\n"
                "k = self.split_heads(parts[1])\n"
                "v = self.split_heads(parts[2])\n"
            ),
        ),
    )


class Scores(Restructuring):
    """How queries meet keys."""

    id = "scores"
    subjects = ("language", "pipeline")
    ways = (
        way(
            "matmul",
            ("any_q @ any_k.transpose(-2, -1)", "torch.matmul(any_q, any_k.transpose(-2, -1))"),
        ),
        way("mt", ("any_q @ any_k.transpose(-2, -1)", "any_q @ any_k.mT")),
        way("last-two", ("any_q @ any_k.transpose(-2, -1)", "any_q @ any_k.transpose(2, 3)")),
        way(
            "einsum",
            (
                "any_q @ any_k.transpose(-2, -1)",
                'torch.einsum("bhqd,bhkd->bhqk", any_q, any_k)',
            ),
            exact=False,
        ),
    )


class Scaling(Restructuring):
    """How scores are divided by the root of a head's size."""

    id = "scaling"
    subjects = ("language", "pipeline")
    ways = (
        way("power", (BY_ROOT, "(any_q @ any_k) * any_n ** -0.5"), exact=False),
        way(
            "on-the-queries",
            (BY_ROOT, "(any_q / math.sqrt(any_n)) @ any_k"),
            exact=False,
            decoy=(
                "The queries are divided by the root of a head's size before they meet the keys; "
                "the scores come out the same as if they were divided afterwards."
            ),
        ),
        way(
            "in-place",
            (
                f"att = {BY_ROOT}",
                "att = any_q @ any_k  # (B, nh, T, T)\natt /= math.sqrt(any_n)",
            ),
        ),
        way(
            "times-in-place",
            (
                f"att = {BY_ROOT}",
                "att = any_q @ any_k  # (B, nh, T, T)\natt *= any_n ** -0.5",
            ),
            exact=False,
        ),
        way("of-the-queries", ("math.sqrt(k.size(-1))", "math.sqrt(q.size(-1))")),
        way("of-the-width", ("math.sqrt(k.size(-1))", "math.sqrt(C // self.n_head)")),
    )


class Weighing(Restructuring):
    """How values are gathered by their weights."""

    id = "weighing"
    ways = (
        way("matmul", ("att @ v", "torch.matmul(att, v)")),
        way("einsum", ("att @ v", 'torch.einsum("bhqk,bhkd->bhqd", att, v)'), exact=False),
    )


class Merging(Restructuring):
    """How the heads are put side by side again."""

    id = "merge-heads"
    ways = (
        way(
            "reshaped",
            (
                "any_y.transpose(1, 2).contiguous().view(B, T, C)",
                "any_y.transpose(1, 2).reshape(B, T, C)",
            ),
        ),
        way(
            "permuted",
            (
                "any_y.transpose(1, 2).contiguous().view(B, T, C)",
                "any_y.permute(0, 2, 1, 3).reshape(B, T, C)",
            ),
        ),
    )


class Softmax(Restructuring):
    """How scores become shares."""

    id = "softmax"
    ways = (
        way("method", ("F.softmax(any_x, dim=-1)", "any_x.softmax(dim=-1)")),
        way("of-torch", ("F.softmax(any_x, dim=-1)", "torch.softmax(any_x, dim=-1)")),
        way(
            "a-module",
            ("self.proj = any_layer", "self.proj = any_layer\nself.shares = nn.Softmax(dim=-1)"),
            ("F.softmax(any_x, dim=-1)", "self.shares(any_x)"),
            example=(
                ATTENTION,
                ATTENTION.replace("F.softmax(att, dim=-1)", "self.shares(att)").replace(
                    "config.n_embd)\n",
                    "config.n_embd)\n        self.shares = nn.Softmax(dim=-1)\n",
                ),
            ),
        ),
    )
