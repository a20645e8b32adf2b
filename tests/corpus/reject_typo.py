"""Wrong tensors, scales and axes in attention."""

from . import Fixture
from .places import BLOCKS, KEY, QUERY, SCORES, SOFTMAX, SPLIT, VALUE, WEIGH


def _wrong(name: str, why: str, *changes: tuple[str, str, str]) -> Fixture:
    return Fixture(name, "typo", why, changes)


def _scores(name: str, why: str, value: str) -> Fixture:
    return _wrong(name, why, (*SCORES, f"        att = {value}\n"))


OTHER = "Scores are divided by another number than the root of a head's size."
MADE = "        {0} = self.split_heads(self.{1}({2}))\n"

TYPO = (
    _wrong(
        "query_from_the_key_layer",
        "The query layer is not used.",
        (*QUERY, MADE.format("q", "key", "x")),
    ),
    _wrong(
        "key_from_the_query_layer",
        "The key layer is not used.",
        (*KEY, MADE.format("k", "query", "x")),
    ),
    _wrong(
        "value_from_the_key_layer",
        "The value layer is not used.",
        (*VALUE, MADE.format("v", "key", "x")),
    ),
    _wrong(
        "key_from_the_value_layer",
        "The key layer is not used.",
        (*KEY, MADE.format("k", "value", "x")),
    ),
    _wrong(
        "value_is_the_input",
        "The value layer is not used.",
        (*VALUE, "        v = self.split_heads(x)\n"),
    ),
    _wrong(
        "key_of_the_query",
        "The key is made from the query.",
        (*KEY, "        k = self.split_heads(self.key(self.query(x)))\n"),
    ),
    _wrong("keys_weighed", "Attention weighs keys.", (*WEIGH, "        y = att @ k\n")),
    _wrong("queries_weighed", "Attention weighs queries.", (*WEIGH, "        y = att @ q\n")),
    _wrong(
        "weights_transposed",
        "Weights are read the wrong way round.",
        (*WEIGH, "        y = att.transpose(-2, -1) @ v\n"),
    ),
    _wrong(
        "values_shared_by_heads",
        "Every head reads the values of the first.",
        (*WEIGH, "        y = att @ v[:, :1]\n"),
    ),
    _wrong(
        "weights_shared_by_heads",
        "Every head attends as the first does.",
        (*WEIGH, "        y = att[:, :1] @ v\n"),
    ),
    _scores(
        "query_with_itself",
        "Queries meet queries.",
        "(q @ q.transpose(-2, -1)) / math.sqrt(k.size(-1))",
    ),
    _scores("not_scaled", OTHER, "q @ k.transpose(-2, -1)"),
    _scores("scaled_up", OTHER, "(q @ k.transpose(-2, -1)) * math.sqrt(k.size(-1))"),
    _scores("scaled_by_the_size", OTHER, "(q @ k.transpose(-2, -1)) / k.size(-1)"),
    _scores("scaled_by_the_width", OTHER, "(q @ k.transpose(-2, -1)) / math.sqrt(C)"),
    _scores("scaled_by_the_length", OTHER, "(q @ k.transpose(-2, -1)) / math.sqrt(T)"),
    _scores("scaled_by_the_heads", OTHER, "(q @ k.transpose(-2, -1)) / math.sqrt(self.n_head)"),
    _scores(
        "scaled_for_four_heads",
        "The scale is right for four heads alone.",
        "(q @ k.transpose(-2, -1)) / math.sqrt(C / 4)",
    ),
    _scores(
        "scaled_for_heads_of_12",
        "The scale is right for one size alone.",
        "(q @ k.transpose(-2, -1)) / math.sqrt(12)",
    ),
    _scores(
        "scaled_twice",
        OTHER,
        "((q / math.sqrt(k.size(-1))) @ k.transpose(-2, -1)) / math.sqrt(k.size(-1))",
    ),
    _scores(
        "scaled_in_training_only",
        OTHER,
        "(q @ k.transpose(-2, -1)) / (math.sqrt(k.size(-1)) if self.training else 1.0)",
    ),
    _wrong(
        "scaled_after_the_softmax",
        "Weights no longer sum to 1.",
        (*SCORES, "        att = q @ k.transpose(-2, -1)\n"),
        (*SOFTMAX, SOFTMAX[1] + "        att = att / math.sqrt(k.size(-1))\n"),
    ),
    _wrong(
        "one_head_not_scaled",
        "One head's scores are too large.",
        (
            *SCORES,
            SCORES[1]
            + "        att = torch.cat((att[:, :1] * math.sqrt(k.size(-1)), att[:, 1:]), 1)\n",
        ),
    ),
    _wrong(
        "softmax_over_heads",
        "Weights sum to 1 over the wrong axis.",
        (*SOFTMAX, "        att = F.softmax(att, dim=1)\n"),
    ),
    _wrong(
        "softmax_over_queries",
        "Weights sum to 1 over the wrong axis.",
        (*SOFTMAX, "        att = F.softmax(att, dim=-2)\n"),
    ),
    _wrong(
        "no_softmax",
        "Scores are used as weights.",
        (*SOFTMAX, "        att = att.masked_fill(~self.mask[:T, :T], 0.0)\n"),
    ),
    _wrong("sigmoid", "Weights do not sum to 1.", (*SOFTMAX, "        att = torch.sigmoid(att)\n")),
    _wrong(
        "softmax_cooled",
        "Scores are doubled.",
        (*SOFTMAX, "        att = F.softmax(2 * att, dim=-1)\n"),
    ),
    _wrong(
        "split_without_transpose",
        "Heads and time are mixed up.",
        (
            *SPLIT,
            """\
        B, T, C = x.shape
        return x.view(B, self.n_head, T, C // self.n_head)
""",
        ),
    ),
    _wrong(
        "split_interleaved_keys",
        "Keys are split into other heads than queries.",
        (*KEY, "        k = self.key(x).view(B, T, -1, self.n_head).permute(0, 3, 1, 2)\n"),
    ),
    _wrong(
        "weights_detached",
        "Queries and keys learn nothing.",
        (*WEIGH, "        y = att.detach() @ v\n"),
    ),
    _wrong("keys_detached", "Keys learn nothing.", (*KEY, MADE.format("k", "key", "x.detach()"))),
    _wrong(
        "last_layer_values_detached",
        "One layer's values teach nothing below.",
        (*BLOCKS, BLOCKS[1] + "        self.blocks[-1].attn.last = True\n"),
        (
            *VALUE,
            """\
        v = self.split_heads(self.value(x.detach() if hasattr(self, "last") else x))
""",
        ),
    ),
    _wrong(
        "last_layer_not_scaled",
        "One layer's scores are too large.",
        (*BLOCKS, BLOCKS[1] + "        self.blocks[-1].attn.last = True\n"),
        (
            *SCORES,
            SCORES[1]
            + """\
        if hasattr(self, "last"):
            att = att * math.sqrt(k.size(-1))
""",
        ),
    ),
)
