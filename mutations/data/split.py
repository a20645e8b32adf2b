"""What is held out is learned, or what is learned evaluated."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import same

HEAD = m.Subscript(slice=[m.SubscriptElement(m.Slice(lower=None, upper=m.Name(), step=None))])
TAIL = m.Subscript(slice=[m.SubscriptElement(m.Slice(lower=m.Name(), upper=None, step=None))])
PARTS = m.Return(m.Tuple([m.Element(HEAD), m.Element(TAIL)]))
"""return data[:cut], data[cut:]"""

CORRECT = """def split(data, share):
    cut = int(len(data) * share)
    return data[:cut], data[cut:]
"""
OTHERS = (
    "def pair(data, cut):\n    return data[:cut], other[cut:]\n",
    "def turn(data, cut):\n    return data[cut:], data[:cut]\n",
)


def _parts(statement: cst.Return) -> tuple[cst.Subscript, cst.Subscript] | None:
    """Give the two slices, where they are of one thing and meet."""
    head, tail = (
        cst.ensure_type(element.value, cst.Subscript)
        for element in cst.ensure_type(statement.value, cst.Tuple).elements
    )
    upper = cst.ensure_type(head.slice[0].slice, cst.Slice).upper
    lower = cst.ensure_type(tail.slice[0].slice, cst.Slice).lower
    meets = upper is not None and lower is not None and same(upper, lower)
    return (head, tail) if meets and same(head.value, tail.value) else None


def _returning(
    statement: cst.Return, first: cst.BaseExpression, second: cst.BaseExpression
) -> cst.Return:
    pair = cst.ensure_type(statement.value, cst.Tuple)
    one, other = pair.elements
    elements = [one.with_changes(value=first), other.with_changes(value=second)]
    return statement.with_changes(value=pair.with_changes(elements=elements))


def all_learned(statement: cst.Return) -> Rewritten:
    """Learn all of it."""
    parts = _parts(statement)
    return parts and _returning(statement, parts[0].value, parts[1])


def all_evaluated(statement: cst.Return) -> Rewritten:
    """Evaluate all of it."""
    parts = _parts(statement)
    return parts and _returning(statement, parts[0], parts[1].value)


def same_part(statement: cst.Return) -> Rewritten:
    """Give what is to be learned twice."""
    parts = _parts(statement)
    return parts and _returning(statement, parts[0], parts[0].deep_clone())


class TrainValOverlap(Mutation):
    """What is learned and what is held out overlap.

    What it does: One of the two parts is all of the data.

    Why it is wrong: An evaluation is to say how well the model does on what it never saw. On what
    it has learned, it always does well.

    How it shows: Evaluations follow the training loss down, where they should stay far above it.

    How to find it: Compare the places that windows of either part come from: they share some.

    Other right fixes: Cut the data once, and give out what lies on either side of the cut.
    """

    id = "train-val-overlap"
    bug_class = "label-shift"
    stage = "data"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("allenai/RL4LMs#47", "TensorAuto/OpenTau#498")
    hints = (
        "One of the numbers is too good.",
        "How should a model do on text that it never saw?",
        "Where does each part of the data begin, and where does it end?",
    )
    killed_by = frozenset({"evaluates-held-out"})
    hides = frozenset(
        {"eval-average-wrong", "eval-mode-missing", "eval-not-restored", "train-in-eval-mode"}
    )
    forms = (
        Form(
            "all-learned",
            PARTS,
            all_learned,
            correct=CORRECT,
            buggy=CORRECT.replace("return data[:cut]", "return data"),
            killed_by=frozenset({"windows"}),
        ),
        Form(
            "all-evaluated",
            PARTS,
            all_evaluated,
            correct=CORRECT,
            buggy=CORRECT.replace("data[cut:]", "data"),
        ),
    )
    untouched = OTHERS


class EvalOnTrainSplit(Mutation):
    """What is evaluated is what was learned.

    What it does: Both parts are the first one, so that nothing is held out at all.

    Why it is wrong: An evaluation on learned text says nothing about any other.

    How it shows: Evaluations are as low as the training loss.

    How to find it: Print both parts of a short text.

    Other right fixes: Give out what lies behind the cut as the second part.
    """

    id = "eval-on-train-split"
    bug_class = "label-shift"
    stage = "eval"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("adjidieng/ETM#26",)
    hints = (
        "One of the numbers is too good.",
        "How should a model do on text that it never saw?",
        "Print what is learned, and what is evaluated.",
    )
    killed_by = frozenset({"evaluates-held-out"})
    hides = frozenset({"eval-average-wrong", "eval-mode-missing"})
    forms = (
        Form(
            "same-part",
            PARTS,
            same_part,
            correct=CORRECT,
            buggy=CORRECT.replace("data[cut:]", "data[:cut]"),
        ),
    )
    untouched = OTHERS
