"""Ways to keep positions from seeing what comes after them."""

from bugforge.rewrite import Restructuring, way

FILL = 'any_att.masked_fill(~any_seen, float("-inf"))'
TABLE = "torch.tril(torch.ones(any_n, any_n, dtype=torch.bool))"
KEPT = (
    "mask = torch.tril(torch.ones(any_n, any_n, dtype=torch.bool))\n"
    'self.register_buffer("mask", mask, persistent=False)\n'
)
BEFORE = """\
class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        n = config.block_size
        mask = torch.tril(torch.ones(n, n, dtype=torch.bool))
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x):
        B, T, C = x.shape
        q = self.split_heads(self.query(x))
        att = q @ q.mT
        att = att.masked_fill(~self.mask[:T, :T], float("-inf"))
        att = F.softmax(att, dim=-1)
        y = att @ x
        return y
"""


class MaskFill(Restructuring):
    """How scores of later positions are taken out."""

    id = "mask-fill"
    subjects = ("language", "pipeline")
    ways = (
        way(
            "where-zero",
            (FILL, 'any_att.masked_fill(any_seen == 0, float("-inf"))'),
            decoy=(
                "The table holds ones where a position may look, so that a mask of `== 0` takes "
                "out the others: that is what it should do."
            ),
        ),
        way("where", (FILL, 'torch.where(any_seen, any_att, float("-inf"))')),
        way("negated", (FILL, 'any_att.masked_fill(any_seen.logical_not(), float("-inf"))')),
        way(
            "lowest",
            (FILL, "any_att.masked_fill(~any_seen, torch.finfo(any_att.dtype).min)"),
            decoy=(
                "Scores are filled with the lowest number there is instead of minus infinity; the "
                "softmax makes exactly zero of either."
            ),
        ),
        way(
            "added",
            (
                KEPT,
                (
                    'mask = torch.full((any_n, any_n), float("-inf")).triu(diagonal=1)\n'
                    'self.register_buffer("mask", mask, persistent=False)\n'
                ),
            ),
            (
                'any_att.masked_fill(~self.mask[:T, :T], float("-inf"))',
                "any_att + self.mask[:T, :T]",
            ),
            example=(
                BEFORE,
                BEFORE.replace(
                    "torch.tril(torch.ones(n, n, dtype=torch.bool))",
                    'torch.full((n, n), float("-inf")).triu(diagonal=1)',
                ).replace(
                    'att.masked_fill(~self.mask[:T, :T], float("-inf"))',
                    "att + self.mask[:T, :T]",
                ),
            ),
            decoy=(
                "The table holds minus infinity where a position may not look and 0 elsewhere, and "
                "is added to the scores: added to anything, minus infinity stays what it is."
            ),
        ),
        way(
            "built-in",
            (KEPT, ""),
            (
                (
                    "att = any_scores\n"
                    "att = att.masked_fill(~self.mask[:T, :T], any_fill)\n"
                    "att = F.softmax(att, dim=-1)\n"
                    "y = att @ any_v\n"
                ),
                "y = F.scaled_dot_product_attention(q, k, any_v, is_causal=True)\n",
            ),
            example=(
                BEFORE,
                BEFORE.replace(
                    "        mask = torch.tril(torch.ones(n, n, dtype=torch.bool))\n"
                    '        self.register_buffer("mask", mask, persistent=False)\n',
                    "",
                ).replace(
                    "        att = q @ q.mT\n"
                    '        att = att.masked_fill(~self.mask[:T, :T], float("-inf"))\n'
                    "        att = F.softmax(att, dim=-1)\n"
                    "        y = att @ x\n",
                    "        y = F.scaled_dot_product_attention(q, k, x, is_causal=True)\n",
                ),
            ),
            exact=False,
        ),
    )


class MaskTable(Restructuring):
    """Where the mask comes from."""

    id = "mask-table"
    ways = (
        way("method", (TABLE, "torch.ones(any_n, any_n, dtype=torch.bool).tril()")),
        way(
            "compared",
            (
                KEPT,
                (
                    "steps = torch.arange(any_n)\n"
                    'self.register_buffer("mask", steps[:, None] >= steps, persistent=False)\n'
                ),
            ),
            decoy=(
                "A position may look where its own number is no smaller than the other's, which "
                "takes in itself: that is the lower triangle with its diagonal."
            ),
        ),
        way(
            "future",
            (TABLE, "torch.ones(any_n, any_n, dtype=torch.bool).triu(diagonal=1)"),
            ("~any_seen[:T, :T]", "any_seen[:T, :T]"),
            example=(
                BEFORE,
                BEFORE.replace(
                    "torch.tril(torch.ones(n, n, dtype=torch.bool))",
                    "torch.ones(n, n, dtype=torch.bool).triu(diagonal=1)",
                ).replace("~", ""),
            ),
            decoy=(
                "The table marks what lies ahead (`triu` with `diagonal=1` leaves out the position "
                "itself), and what it marks is filled: nothing is inverted."
            ),
        ),
        way(
            "on-the-fly",
            (KEPT, ""),
            (
                "q = any_q",
                "mask = torch.tril(torch.ones(T, T, dtype=torch.bool, device=x.device))\nq = any_q",
            ),
            ("self.mask[:T, :T]", "mask"),
            example=(
                BEFORE,
                BEFORE.replace(
                    "        mask = torch.tril(torch.ones(n, n, dtype=torch.bool))\n"
                    '        self.register_buffer("mask", mask, persistent=False)\n',
                    "",
                )
                .replace(
                    "        q = ",
                    "        mask = torch.tril("
                    "torch.ones(T, T, dtype=torch.bool, device=x.device))\n"
                    "        q = ",
                )
                .replace("self.mask[:T, :T]", "mask"),
            ),
        ),
    )


class Infinity(Restructuring):
    """How minus infinity is written."""

    id = "infinity"
    subjects = ("language", "pipeline")
    ways = (
        way("of-math", ('float("-inf")', "-math.inf")),
        way("of-torch", ('float("-inf")', "-torch.inf")),
        way("negated", ('float("-inf")', '-float("inf")')),
    )
