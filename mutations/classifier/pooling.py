"""The mean over a row's tokens is another mean, or none."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import OWN, assigned, find, render

MEAN = m.BinaryOperation(
    left=m.Call(
        func=m.Attribute(
            value=m.BinaryOperation(left=m.Name(), operator=m.Multiply(), right=m.Name()),
            attr=m.Name("sum"),
        )
    ),
    operator=m.Divide(),
    right=m.Call(func=m.Attribute(value=m.Name(), attr=m.Name("sum"))),
)
"""What is kept, summed and counted: (tokens * kept).sum(dim=1) / kept.sum(dim=1)."""

SPREAD = m.Subscript(
    value=m.Name(),
    slice=[
        m.SubscriptElement(m.Slice()),
        m.SubscriptElement(m.Slice()),
        m.SubscriptElement(m.Index(m.Name("None"))),
    ],
)
"""A mask over all of the width: mask[:, :, None]."""

REPRESENTED = assigned(m.Call(func=m.Attribute(value=OWN), args=[m.Arg(m.Name())]))
"""What a part makes of tokens: tokens = self.gpt.represent(idx)."""

POOLED = "(tokens * kept).sum(dim=1) / kept.sum(dim=1)"
POOLING = f"""class RowClassifier(nn.Module):
    def forward(self, idx, mask, labels=None):
        tokens = self.gpt.represent(idx)
        kept = mask[:, :, None].to(tokens.dtype)
        mean = {POOLED}
        logits = self.classifier(mean)
        loss = None if labels is None else F.cross_entropy(logits, labels)
        return logits, loss
"""
OTHERS = (
    "def share(part, whole):\n    return part.sum() / whole.sum()\n",
    "def spread(mask):\n    return mask[:, None, :]\n",
    "def read(self, x):\n    y = self.norm(x)\n    return self.head(y)\n",
)


def pooled(template: str) -> Callable[[cst.BinaryOperation], Rewritten]:
    """Make a mutation that takes another mean of tokens and what is kept of them."""

    def mutate(mean: cst.BinaryOperation) -> Rewritten:
        product = find(mean.left, m.BinaryOperation())[0]
        assert isinstance(product, cst.BinaryOperation)
        tokens, kept = render(product.left), render(product.right)
        return cst.parse_expression(template.format(tokens=tokens, kept=kept))

    return mutate


def turned_round(spread: cst.Subscript) -> Rewritten:
    """Keep what fills up."""
    turned = cst.parse_expression(f"(~{render(spread.value)})")
    return spread.with_changes(value=turned)


def cut_off(represented: cst.Assign) -> Rewritten:
    """Let no gradient back."""
    return represented.with_changes(
        value=cst.parse_expression(f"{render(represented.value)}.detach()")
    )


class PoolPaddingSummed(Mutation):
    """Padding is summed with the tokens of a row.

    What it does: The sum over positions takes in all of them, and is divided by how many tokens
    stand there.

    Why it is wrong: What fills a row up is no part of it. The shorter the row and the longer the
    batch, the farther off is what is called its mean.

    How it shows: It learns, since padding looks alike in all rows, and is worse for short rows. A
    row has other logits in another batch.

    How to find it: Read a row alone, and then filled up.

    Other right fixes: Any mean over the tokens that the mask keeps.
    """

    id = "pool-padding-summed"
    bug_class = "class-head"
    stage = "classifier"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("report",)
    hints = (
        "Does a row's class depend on the rows beside it?",
        "Read a row alone, and then filled up.",
        "Which positions are summed, and which are counted?",
    )
    killed_by = frozenset({"padding-kept-out"})
    forms = (
        Form(
            "all-summed",
            MEAN,
            pooled("{tokens}.sum(dim=1) / {kept}.sum(dim=1)"),
            correct=POOLING,
            buggy=POOLING.replace(POOLED, "tokens.sum(dim=1) / kept.sum(dim=1)"),
        ),
    )
    untouched = OTHERS


class PoolPaddingCounted(Mutation):
    """Padding is counted among the tokens of a row.

    What it does: The sum takes in a row's tokens, and is divided by the length of the batch.

    Why it is wrong: A short row's mean is too small, by as much as the row is shorter than the
    longest of its batch.

    How it shows: It learns, and is unsure of short rows. A row has other logits in another batch.

    How to find it: Read a row alone, and then filled up.

    Other right fixes: Any mean over the tokens that the mask keeps.
    """

    id = "pool-padding-counted"
    bug_class = "class-head"
    stage = "classifier"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("report",)
    hints = (
        "Does a row's class depend on the rows beside it?",
        "Read a row alone, and then filled up.",
        "By what is the sum divided?",
    )
    killed_by = frozenset({"padding-kept-out"})
    forms = (
        Form(
            "length",
            MEAN,
            pooled("({tokens} * {kept}).sum(dim=1) / {tokens}.size(1)"),
            correct=POOLING,
            buggy=POOLING.replace(POOLED, "(tokens * kept).sum(dim=1) / tokens.size(1)"),
        ),
        Form(
            "mean",
            MEAN,
            pooled("({tokens} * {kept}).mean(dim=1)"),
            correct=POOLING,
            buggy=POOLING.replace(POOLED, "(tokens * kept).mean(dim=1)"),
        ),
    )
    untouched = OTHERS


class PoolOverRows(Mutation):
    """The mean is taken over the rows of the batch, and not over positions.

    What it does: Both sums run over the first axis.

    Why it is wrong: What is left has a place for each position, and none for each row: rows are
    mixed, and there are as many logits as a row is long.

    How it shows: The loss stops: there are other numbers of logits and labels.

    How to find it: Print the shape of the mean.

    Other right fixes: A mean over the second axis.
    """

    id = "pool-over-rows"
    bug_class = "class-head"
    stage = "classifier"
    difficulty = "easy"
    visibility = "crash"
    provenance = ("report",)
    hints = (
        "Read what torch says of sizes.",
        "Print the shape of the mean.",
        "Which axis has the rows, and which the positions?",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "first-axis",
            MEAN,
            pooled("({tokens} * {kept}).sum(dim=0) / {kept}.sum(dim=0)"),
            correct=POOLING,
            buggy=POOLING.replace(POOLED, "(tokens * kept).sum(dim=0) / kept.sum(dim=0)"),
        ),
    )
    untouched = OTHERS


class PoolMaskInverted(Mutation):
    """Padding is kept, and tokens are left out.

    What it does: The mask is turned round before it is used.

    Why it is wrong: The mean is over what fills a row up. A row that needs no padding has none at
    all, and is divided by nothing.

    How it shows: The loss is no number from the first batch with a full row on.

    How to find it: Print the mean of a row that is as long as the batch.

    Other right fixes: The mask as it is given: True where a token stands.
    """

    id = "pool-mask-inverted"
    bug_class = "class-head"
    stage = "classifier"
    difficulty = "easy"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "The loss is no number.",
        "Print the mean of a row that is as long as the batch.",
        "Where is the mask True?",
    )
    killed_by = frozenset({"padding-kept-out", "rows-losses", "rows-training"})
    forms = (
        Form(
            "turned",
            SPREAD,
            turned_round,
            correct=POOLING,
            buggy=POOLING.replace("mask[:, :, None]", "(~mask)[:, :, None]"),
        ),
    )
    untouched = OTHERS


class RowsDetached(Mutation):
    """The loss of rows teaches the classifier and not the GPT.

    What it does: What the GPT makes of the tokens is cut off from the gradients.

    Why it is wrong: The GPT stays what it was drawn as, and the classifier has to do with what is
    found in it by chance.

    How it shows: The loss falls slowly, and not as far.

    How to find it: Print the gradients of the embedding behind a backward pass.

    Other right fixes: Reading the GPT's own output.
    """

    id = "rows-detached"
    bug_class = "class-loss"
    stage = "classifier"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Whom does the loss teach?",
        "Print which parameters have a gradient.",
        "Something on the way to the mean lets no gradient back.",
    )
    killed_by = frozenset({"rows-teach"})
    forms = (
        Form(
            "detach",
            REPRESENTED,
            cut_off,
            correct=POOLING,
            buggy=POOLING.replace(".represent(idx)", ".represent(idx).detach()"),
            beside=MEAN,
        ),
    )
    untouched = OTHERS
