"""Wrong ways to keep a position from seeing what comes after it."""

from . import Fixture
from .places import ATTEND, BLOCKS, MASK, MASK_TABLE, MASKED_SOFTMAX, MODEL, SOFTMAX


def _wrong(name: str, why: str, *changes: tuple[str, str, str]) -> Fixture:
    return Fixture(name, "mask", why, changes)


def _filled(name: str, why: str, value: str) -> Fixture:
    return _wrong(
        name, why, (*MASK, f"        att = att.masked_fill(~self.mask[:T, :T], {value})\n")
    )


def _masked(name: str, why: str, lines: str) -> Fixture:
    return _wrong(name, why, (*MASK, lines))


INF = 'float("-inf")'
FILLED = f"        att = att.masked_fill(~self.mask[:T, :T], {INF})\n"

MASKS = (
    _masked("no_mask", "Every position sees the future.", ""),
    _filled("fill_0", "A score of 0 still has weight.", "0.0"),
    _filled("fill_minus_1", "A score of -1 still has weight.", "-1.0"),
    _filled("fill_minus_10", "A score of -10 still has weight.", "-10.0"),
    _filled("fill_minus_30", "A score of -30 has weight beside large scores.", "-30.0"),
    _filled("fill_minus_50", "A score of -50 has weight beside lower scores.", "-50.0"),
    _masked(
        "added_minus_30",
        "What is 30 lower still has weight beside larger scores.",
        "        att = att + (~self.mask[:T, :T]) * -30.0\n",
    ),
    _filled(
        "fill_tiny",
        "The least positive number is nearly 0, and not far below.",
        "torch.finfo(att.dtype).tiny",
    ),
    _filled("fill_minus_eps", "-1e-9 is nearly 0, and not far below.", "-1e-9"),
    _filled("fill_plus_inf", "The future is all that is seen.", 'float("inf")'),
    _masked(
        "result_dropped",
        "masked_fill gives a new tensor, which is thrown away.",
        FILLED.replace("att = att", "att"),
    ),
    _masked(
        "scores_times_mask",
        "A score of 0 still has weight.",
        "        att = att * self.mask[:T, :T]\n",
    ),
    _masked(
        "mask_added",
        "Ones are added to what may be seen.",
        "        att = att + self.mask[:T, :T].float()\n",
    ),
    _masked(
        "mask_subtracted",
        "Taking 1 away is not enough.",
        "        att = att - (~self.mask[:T, :T]).float()\n",
    ),
    _masked("inverted", "Only the future is seen.", FILLED.replace("~", "")),
    _masked(
        "upper_triangle",
        "The past is hidden and the future seen.",
        FILLED.replace("[:T, :T]", "[:T, :T].T"),
    ),
    _masked(
        "one_ahead",
        "Every position sees one token of its future.",
        f"        att = att.masked_fill(torch.ones(T, T).triu(2).bool(), {INF})\n",
    ),
    _masked(
        "itself_hidden",
        "A position does not see itself.",
        "        att = att.masked_fill(torch.ones(T, T).triu(0).bool(), -1e9)\n",
    ),
    _masked(
        "itself_hidden_but_the_first",
        "Only the first position sees itself.",
        f"""\
        visible = torch.ones(T, T).tril(-1).bool()
        visible[0, 0] = True
        att = att.masked_fill(~visible, {INF})
""",
    ),
    _masked(
        "banded",
        "Only the last five tokens are seen.",
        f"""\
        near = torch.ones(T, T).tril().triu(-4).bool()
        att = att.masked_fill(~near, {INF})
""",
    ),
    _masked(
        "in_training_only",
        "In evaluation the future is seen.",
        "        if self.training:\n    " + FILLED,
    ),
    _masked(
        "in_evaluation_only",
        "In training the future is seen.",
        "        if not self.training:\n    " + FILLED,
    ),
    _masked(
        "without_gradients_only",
        "Wherever gradients flow, the future is seen.",
        "        if not torch.is_grad_enabled():\n    " + FILLED,
    ),
    _masked(
        "with_gradients_only",
        "Without gradients, the future is seen.",
        "        if torch.is_grad_enabled():\n    " + FILLED,
    ),
    _masked(
        "at_full_length_only",
        "Shorter windows see the future.",
        "        if T == self.mask.size(0):\n    " + FILLED,
    ),
    _masked(
        "below_full_length_only",
        "Whole windows see the future.",
        "        if T < self.mask.size(0):\n    " + FILLED,
    ),
    _masked(
        "first_head_only",
        "The other heads see the future.",
        f"        att[:, 0] = att[:, 0].masked_fill(~self.mask[:T, :T], {INF})\n",
    ),
    _masked(
        "all_heads_but_the_last",
        "One head sees the future.",
        f"        att[:, :-1] = att[:, :-1].masked_fill(~self.mask[:T, :T], {INF})\n",
    ),
    _masked(
        "masked_in_the_first_row_only",
        "The other rows of a batch see the future.",
        f"        att[:1] = att[:1].masked_fill(~self.mask[:T, :T], {INF})\n",
    ),
    _masked(
        "last_query_but_one_open",
        "One position sees one token of its future.",
        FILLED.replace(
            "att = att",
            "hidden = ~self.mask[:T, :T]\n        hidden[-2:-1, -1] = False\n        att = att",
        ).replace("~self.mask[:T, :T], float", "hidden, float"),
    ),
    _masked(
        "first_key_hidden",
        "Nobody but itself sees the first token.",
        f"""\
        visible = self.mask[:T, :T].clone()
        visible[1:, 0] = False
        att = att.masked_fill(~visible, {INF})
""",
    ),
    _masked(
        "wrong_corner",
        "For short inputs the mask is cut from its last rows.",
        FILLED.replace("[:T, :T]", "[-T:, :T]"),
    ),
    _masked(
        "first_eight_keys_only",
        "Later keys are never hidden.",
        f"""\
        hidden = torch.ones(24, 24).triu(1).bool()[:T, :T] & (torch.arange(T) < 8)
        att = att.masked_fill(hidden, {INF})
""",
    ),
    _wrong(
        "after_softmax_not_renormalised",
        "What is left of a row does not sum to 1.",
        (*MASKED_SOFTMAX, SOFTMAX[1] + "        att = att * self.mask[:T, :T]\n"),
    ),
    _wrong(
        "after_softmax_softmaxed_again",
        "The second softmax gives the future weight again.",
        (*SOFTMAX, SOFTMAX[1] + SOFTMAX[1]),
    ),
    _wrong(
        "renormalised_by_length",
        "The mean of what is seen is no softmax.",
        (
            *MASKED_SOFTMAX,
            """\
        att = F.softmax(att, dim=-1) * self.mask[:T, :T]
        att = att * T / torch.arange(1, T + 1).view(-1, 1)
""",
        ),
    ),
    _wrong(
        "masked_softmax_over_queries",
        "Weights sum to 1 over the wrong axis.",
        (
            *MASKED_SOFTMAX,
            "        att = F.softmax(att, dim=-2).masked_fill(~self.mask[:T, :T], 0)\n",
        ),
    ),
    _wrong(
        "values_masked",
        "Values are weighed with the mask, and scores are not.",
        (
            *ATTEND,
            """\
        att = F.softmax((q @ k.transpose(-2, -1)) / math.sqrt(k.size(-1)), dim=-1)
        y = att.tril() @ v
""",
        ),
    ),
    _wrong(
        "built_in_not_causal",
        "PyTorch's attention masks nothing unless told to.",
        (*ATTEND, "        y = F.scaled_dot_product_attention(q, k, v)\n"),
    ),
    _wrong(
        "built_in_inverted",
        "Its boolean mask says what may be seen, and not what may not.",
        (
            *ATTEND,
            "        y = F.scaled_dot_product_attention(q, k, v, attn_mask=~self.mask[:T, :T])\n",
        ),
    ),
    _wrong(
        "built_in_training_only",
        "In evaluation the future is seen.",
        (*ATTEND, "        y = F.scaled_dot_product_attention(q, k, v, is_causal=self.training)\n"),
    ),
    _wrong(
        "built_in_float_table",
        "A mask of ones and zeros is added to the scores.",
        (
            *ATTEND,
            (
                "        table = self.mask[:T, :T].float()\n"
                "        y = F.scaled_dot_product_attention(q, k, v, attn_mask=table)\n"
            ),
        ),
    ),
    _wrong(
        "built_in_dropout",
        "Attention drops one weight in ten.",
        (
            *ATTEND,
            "        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=0.1)\n",
        ),
    ),
    _wrong(
        "trained_mask",
        "The mask is a parameter, which training moves.",
        (
            *MASK_TABLE,
            """\
        ones = torch.ones(config.block_size, config.block_size)
        self.bias = nn.Parameter(ones.triu(1) * -1e9)
""",
        ),
        (*MASK, "        att = att + self.bias[:T, :T]\n"),
    ),
    _wrong(
        "last_layer_unmasked",
        "One layer sees the future.",
        (*BLOCKS, BLOCKS[1] + "        self.blocks[-1].attn.mask.fill_(True)\n"),
    ),
    _wrong(
        "first_layer_unmasked",
        "One layer sees the future.",
        (*BLOCKS, BLOCKS[1] + "        self.blocks[0].attn.mask[:] = True\n"),
    ),
    _wrong(
        "averaged_past",
        "Attention is replaced by the mean of the past.",
        (*ATTEND, "        y = v.cumsum(2) / torch.arange(1, T + 1).view(-1, 1)\n"),
    ),
    _wrong(
        "mean_of_the_window_added",
        "The mean of the whole window leaks around the mask.",
        (
            MODEL,
            "        return self.proj(y)\n",
            "        return self.proj(y) + 1e-2 * x.mean(1, keepdim=True)\n",
        ),
    ),
)
