"""Inputs and targets are cut from a window at the wrong places."""

from collections.abc import Callable
from itertools import pairwise

import libcst as cst

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import find, render, same, swap, with_lines
from .parts import CORRECT, OTHERS, SHIFTED, WINDOW, WINDOW_LATER, WINDOWS

Recut = Callable[[cst.Subscript, cst.Subscript], tuple[cst.BaseExpression, cst.BaseExpression]]


def cut(recut: Recut) -> Callable[[cst.Tuple], Rewritten]:
    """Make a mutation of the pair from a function of its two sides."""

    def mutate(pair: cst.Tuple) -> Rewritten:
        front, back = (element.value for element in pair.elements)
        assert isinstance(front, cst.Subscript)
        assert isinstance(back, cst.Subscript)
        sides = recut(front, back)
        return pair.with_changes(
            elements=[
                element.with_changes(value=side)
                for element, side in zip(pair.elements, sides, strict=True)
            ]
        )

    return mutate


def like(side: cst.Subscript, other: cst.Subscript) -> cst.Subscript:
    """Cut one side along the time as the other is cut."""
    return side.with_changes(slice=[side.slice[0], other.slice[1], *side.slice[2:]])


def cut_in_lines(recut: Recut) -> Callable[[cst.IndentedBlock], Rewritten]:
    """Make a mutation of windows that are cut in lines, one by one, from a function of both."""

    def mutate(block: cst.IndentedBlock) -> Rewritten:
        for at, (one, other) in enumerate(pairwise(block.body)):
            fronts, backs = find(one, WINDOW), find(other, WINDOW_LATER)
            if len(fronts) != 1 or len(backs) != 1 or find(one, WINDOW_LATER):
                continue
            front, back = (cst.ensure_type(found[0], cst.Subscript) for found in (fronts, backs))
            sides = recut(front, back)
            lines = [swap(one, front, sides[0]), swap(other, back, sides[1])]
            return with_lines(block, at, at + 2, lines)
        return None

    return mutate


def either(
    pairs: Callable[[cst.Tuple], Rewritten], lines: Callable[[cst.IndentedBlock], Rewritten]
) -> Callable[[cst.Tuple | cst.IndentedBlock], Rewritten]:
    """Make a mutation of pairs, and of windows that are cut in lines."""

    def mutate(node: cst.Tuple | cst.IndentedBlock) -> Rewritten:
        return pairs(node) if isinstance(node, cst.Tuple) else lines(node)

    return mutate


def wrapped(pair: cst.Tuple) -> Rewritten:
    """Make the targets by rolling the inputs, so that the last target is the first input."""
    front, back = (element.value for element in pair.elements)
    assert isinstance(front, cst.Subscript)
    assert isinstance(back, cst.Subscript)
    if not same(front.value, back.value):
        return None
    rolled = cst.parse_expression(f"{render(front)}.roll(-1, dims=1)")
    return cut(lambda front, _: (front, rolled))(pair)


class ShiftSameEnd(Mutation):
    """Inputs and targets are cut at the same end of the window.

    What it does: Both lose the last token, or both the first, so that every target is the token
    that stands at its own place in the input.

    Why it is wrong: The model should predict the next token, and is taught to repeat the present
    one.

    How it shows: The loss races to zero, and the sample repeats its last character for ever.

    How to find it: Print a batch: the targets must be the inputs moved by one. Or train on random
    tokens, on which an honest loss cannot fall.

    Other right fixes: Inputs without the last token and targets without the first, here or in the
    loss, but in one place only.
    """

    id = "shift-same-end"
    bug_class = "label-shift"
    stage = "data"
    difficulty = "medium"
    visibility = "leak"
    provenance = ("measured",)
    hints = (
        "It learns a far easier task than the one that was meant.",
        "Decode one row of a batch, the input and its targets.",
        "Both halves of the pair look cut, but are they cut at different ends?",
    )
    killed_by = frozenset({"objective"})
    hides = frozenset({"eval-not-restored", "train-in-eval-mode"})
    forms = (
        Form(
            "last",
            SHIFTED | WINDOWS,
            either(
                cut(lambda front, back: (front, like(back, front))),
                cut_in_lines(lambda front, _: (front, front.deep_clone())),
            ),
            correct=CORRECT,
            buggy="def draw(windows):\n    return windows[:, :-1], windows[:, :-1]\n",
        ),
        Form(
            "first",
            SHIFTED | WINDOWS,
            either(
                cut(lambda front, back: (like(front, back), back)),
                cut_in_lines(lambda _, back: (back.deep_clone(), back)),
            ),
            correct=CORRECT,
            buggy="def draw(windows):\n    return windows[:, 1:], windows[:, 1:]\n",
        ),
    )
    untouched = OTHERS


class ShiftWrongDirection(Mutation):
    """Inputs and targets are shifted the wrong way.

    What it does: The later tokens are the input and the earlier ones the targets: each position
    is asked for the token before it.

    Why it is wrong: That token stands in the input, one place to the left, so the model has only
    to look back and copy.

    How it shows: The loss begins where it should and ends at least as low, since only the first
    position has something to guess; the sample is garbage.

    How to find it: Decode one row of a batch and read input and targets one under the other.

    Other right fixes: Inputs without the last token, targets without the first, in the data or in
    the loss.
    """

    id = "shift-wrong-direction"
    bug_class = "label-shift"
    stage = "data"
    difficulty = "medium"
    visibility = "decode"
    provenance = ("report",)
    hints = (
        "A good loss and a sample of nonsense: the task is not the one you think.",
        "Decode one row of a batch, the input and its targets.",
        "Is the target of a position to its left or to its right?",
    )
    killed_by = frozenset({"objective"})
    hides = frozenset({"eval-not-restored", "train-in-eval-mode"})
    forms = (
        Form(
            "exchanged",
            SHIFTED | WINDOWS,
            either(
                cut(lambda front, back: (like(front, back), like(back, front))),
                cut_in_lines(lambda front, back: (back.deep_clone(), front.deep_clone())),
            ),
            correct=CORRECT,
            buggy="def draw(windows):\n    return windows[:, 1:], windows[:, :-1]\n",
        ),
    )
    untouched = OTHERS


class ShiftOneSide(Mutation):
    """Only one of inputs and targets is cut.

    What it does: One side keeps all tokens of the window, so that it is one longer than the
    other.

    Why it is wrong: A shift takes the last token from the inputs and the first from the targets;
    half a shift leaves two lengths that don't belong together.

    How it shows: The first step stops: the loss counts more targets than predictions, or the
    input is longer than the positions.

    How to find it: The message names two sizes that differ by one per row, or by one per batch
    row altogether. Print the shapes of a batch.

    Other right fixes: Cut both sides, each at its own end; or draw two windows that begin one
    token apart.
    """

    id = "shift-one-side"
    bug_class = "label-shift"
    stage = "data"
    difficulty = "easy"
    visibility = "crash"
    provenance = ("report",)
    hints = (
        "Read the sizes in the message and take one from the other.",
        "Print the shapes of what a batch holds.",
        "A shift has two halves.",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "targets-whole",
            SHIFTED,
            cut(lambda front, back: (front, back.value)),
            correct=CORRECT,
            buggy="def draw(windows):\n    return windows[:, :-1], windows\n",
        ),
        Form(
            "inputs-whole",
            SHIFTED,
            cut(lambda front, back: (front.value, back)),
            correct=CORRECT,
            buggy="def draw(windows):\n    return windows, windows[:, 1:]\n",
        ),
    )
    untouched = OTHERS


class ShiftRollWrap(Mutation):
    """The targets are the inputs rolled by one, so that the last target wraps around.

    What it does: Each target is the next token, except the last of a row: there the first token
    of the window is asked for.

    Why it is wrong: One target in every row is false, and always at the last position, the one
    that writes once the window is full.

    How it shows: The loss ends where it should or a little higher, as a short text lets even the
    false target be learned. The sample is right for one window's length and then jumps back.

    How to find it: Compare the whole of the targets with the data, the last column too.

    Other right fixes: Draw windows one token longer and cut both ends, or mask the last column
    with the loss's ignore_index.
    """

    id = "shift-roll-wrap"
    bug_class = "label-shift"
    stage = "data"
    difficulty = "hard"
    visibility = "decode"
    provenance = ("verl-project/verl#6475",)
    hints = (
        "The sample begins well. For how long?",
        "Check all the targets of a batch against the text, not only the first few.",
        "Where does the token go that a roll pushes out?",
    )
    killed_by = frozenset({"objective"})
    hides = frozenset({"eval-not-restored", "train-in-eval-mode"})
    forms = (
        Form(
            "roll",
            SHIFTED,
            wrapped,
            correct=CORRECT,
            buggy=(
                "def draw(windows):\n    return windows[:, :-1], windows[:, :-1].roll(-1, dims=1)\n"
            ),
        ),
    )
    untouched = OTHERS
