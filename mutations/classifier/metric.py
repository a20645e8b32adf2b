"""What is told of the classes is not how many are right."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import line, render, swap
from .parts import MEASURING, OTHERS, TOLD_APART

COUNTED = m.Call(func=m.Attribute(value=TOLD_APART, attr=m.Name("float")), args=[])
"""Right ones as numbers: (class_logits.argmax(dim=-1) == idx % 2).float()."""

LAST_OF_THREE = m.Assign(
    targets=[m.AssignTarget(m.Tuple([m.Element(m.Name("_")), m.Element(m.Name("_")), m.Element()]))]
)
"""The third of what forward gives: _, _, class_logits = model(idx)."""

MODE = m.Attribute(attr=m.Name("training"))
NOTED = line(m.Assign(targets=[m.AssignTarget(m.Name())], value=MODE))
RESTORED = line(m.Expr(m.Call(func=m.Attribute(attr=m.Name("train")), args=[m.Arg(m.Name())])))


def next_tokens(right: cst.Comparison) -> Rewritten:
    """Hold each token's logits against the class of the next."""
    logits, tokens = _parts(right)
    early = cst.parse_expression(f"{render(logits)}[:, :-1]")
    late = cst.parse_expression(f"{render(tokens)}[:, 1:]")
    return swap(swap(right, logits, early), tokens, late)


def _parts(right: cst.Comparison) -> tuple[cst.BaseExpression, cst.BaseExpression]:
    """Give the logits and the tokens."""
    call, odd = right.left, right.comparisons[0].comparator
    assert isinstance(call, cst.Call)
    assert isinstance(call.func, cst.Attribute)
    assert isinstance(odd, cst.BinaryOperation)
    return call.func.value, odd.left


def whole_rows(counted: cst.Call) -> Rewritten:
    """Count the rows that are wholly right."""
    assert isinstance(counted.func, cst.Attribute)
    rows = cst.parse_expression(f"({render(counted.func.value)}).all(dim=1)")
    if render(counted.func.value).startswith("("):
        rows = cst.parse_expression(f"{render(counted.func.value)}.all(dim=1)")
    return swap(counted, counted.func.value, rows)


def of_the_language(given: cst.Assign) -> Rewritten:
    """Take the first of what forward gives."""
    names = given.targets[0].target
    assert isinstance(names, cst.Tuple)
    first, second, third = names.elements
    turned = [first.with_changes(value=third.value), second, third.with_changes(value=first.value)]
    return swap(given, names, names.with_changes(elements=turned))


def never_restored(block: cst.IndentedBlock) -> Rewritten:
    """Leave the model in eval mode."""
    lines = [s for s in block.body if not m.matches(s, NOTED | RESTORED)]
    return block.with_changes(body=lines) if len(lines) == len(block.body) - 2 else None


class AccuracyOfNext(Mutation):
    """Classes are held against those of the next tokens.

    What it does: The logits up to the last but one meet the tokens from the second on, as if the
    classes were predicted.

    Why it is wrong: A classifier says what a token is and not what comes. Right ones are counted as
    wrong by chance.

    How it shows: The classes are learned, and what is told of them is near one half.

    How to find it: Count by hand for a single row.

    Other right fixes: Comparing place by place.
    """

    id = "accuracy-of-next"
    bug_class = "class-metric"
    stage = "classifier"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Are the classes wrong, or is the count?",
        "Count for one row by hand.",
        "Against which token is a class held?",
    )
    killed_by = frozenset({"accuracy-told"})
    forms = (
        Form(
            "shifted",
            TOLD_APART,
            next_tokens,
            correct=MEASURING,
            buggy=MEASURING.replace("class_logits.argmax", "class_logits[:, :-1].argmax").replace(
                "idx % 2", "idx[:, 1:] % 2"
            ),
        ),
    )
    untouched = OTHERS


class AccuracyOfRows(Mutation):
    """Rows are counted, and not tokens.

    What it does: A row counts as right where all of its tokens are.

    Why it is wrong: What is asked for is the share of tokens. One wrong token takes a whole row
    with it, and the longer the rows, the lower the number.

    How it shows: What is told stays near nothing for long, though the loss of the classes falls.

    How to find it: Count for one row by hand.

    Other right fixes: The mean over all tokens.
    """

    id = "accuracy-of-rows"
    bug_class = "class-metric"
    stage = "classifier"
    difficulty = "easy"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "The number is far lower than the loss says.",
        "Count for one row by hand.",
        "Over what is the mean taken?",
    )
    killed_by = frozenset({"accuracy-told"})
    forms = (
        Form(
            "all",
            COUNTED,
            whole_rows,
            correct=MEASURING,
            buggy=MEASURING.replace(".float()", ".all(dim=1).float()"),
        ),
    )
    untouched = OTHERS


class AccuracyOfLanguage(Mutation):
    """The logits of tokens are taken for those of classes.

    What it does: Of the three things that forward gives, the first is counted and not the last.

    Why it is wrong: The likeliest next token is a number up to the size of the vocabulary, and
    seldom 0 or 1.

    How it shows: What is told is near nothing, though the loss of the classes falls.

    How to find it: Print the shape of what is counted.

    Other right fixes: The third of what forward gives, however it is taken.
    """

    id = "accuracy-of-language"
    bug_class = "class-metric"
    stage = "classifier"
    difficulty = "easy"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Chance would be right more often.",
        "Print the shape of what is counted.",
        "What does forward give first, and what last?",
    )
    killed_by = frozenset({"accuracy-told"})
    forms = (
        Form(
            "first",
            LAST_OF_THREE,
            of_the_language,
            correct=MEASURING,
            buggy=MEASURING.replace("_, _, class_logits = ", "class_logits, _, _ = "),
            inside=TOLD_APART,
        ),
    )
    untouched = OTHERS


class AccuracyKeepsEval(Mutation):
    """Measuring leaves the model in eval mode.

    What it does: It is set to eval mode, and nothing sets it back.

    Why it is wrong: Who measures while training goes on without dropout from there on.

    How it shows: Nothing is amiss in a program without dropout, or that measures once, at its end.

    How to find it: Print model.training before and behind.

    Other right fixes: Setting the mode back in a finally clause, or only where it was another.
    """

    id = "accuracy-keeps-eval"
    bug_class = "class-metric"
    stage = "classifier"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "What does measuring leave behind?",
        "Print model.training before and behind.",
        "Who sets the mode back?",
    )
    killed_by = frozenset({"accuracy-mode"})
    forms = (
        Form(
            "left",
            m.IndentedBlock(),
            never_restored,
            correct=MEASURING,
            buggy=MEASURING.replace("    was_training = model.training\n", "").replace(
                "    model.train(was_training)\n", ""
            ),
            inside=TOLD_APART,
        ),
    )
    untouched = OTHERS
