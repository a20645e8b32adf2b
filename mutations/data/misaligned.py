"""Targets that belong to other inputs."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import assigned, find, render, swap
from .parts import CORRECT, OTHERS, with_inputs, with_targets

GENERATOR = m.Attribute(attr=m.Name("Generator"))

IMPORTING = f"import torch\n\n\n{CORRECT}"
TRAINING = """def train(data, steps, seed):
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        batch = draw(data, generator)
        learn(batch)
"""


def shuffled(inputs: cst.Subscript) -> cst.BaseExpression:
    """Take the rows of the inputs in another order."""
    rows = cst.parse_expression(f"torch.randperm(len({render(inputs.value)}))")
    first, *others = inputs.slice
    return inputs.with_changes(slice=[first.with_changes(slice=cst.Index(rows)), *others])


def drawn_twice(function: cst.FunctionDef) -> Rewritten:
    """Take the inputs of one draw and the targets of the next."""
    generators = {
        render(assign.targets[0].target)
        for assign in find(function, assigned(m.Call()))
        if isinstance(assign, cst.Assign) and find(assign.value, GENERATOR)
    }
    draws = [
        assign.value
        for loop in find(function, m.For())
        for assign in find(loop, assigned(m.Call(func=m.Name())))
        if isinstance(assign, cst.Assign)
        and isinstance(assign.value, cst.Call)
        and any(render(arg.value) in generators for arg in assign.value.args)
    ]
    if len(draws) != 1:
        return None
    draw = render(draws[0])
    return swap(function, draws[0], cst.parse_expression(f"{draw}[0], {draw}[1]"))


class ShiftAfterFlatten(Mutation):
    """The targets are the inputs rolled as one long row.

    What it does: Each target is the next token, except the last of a row: there the first token
    of the row below is asked for, as roll without an axis lays all rows end to end.

    Why it is wrong: The rows of a batch are windows drawn apart, so that one target in every row is
    a guess, and always at the last position, the one that writes once the window is full.

    How it shows: The loss falls nearly as it should, and ends some times too high. The sample is
    right for one window's length and then goes wrong.

    How to find it: Compare the whole of the targets with the data, the last column too, in a batch
    of two rows or more.

    Other right fixes: Draw windows one token longer and cut both ends, or mask the last column
    with the loss's ignore_index.
    """

    id = "shift-after-flatten"
    bug_class = "label-shift"
    stage = "data"
    difficulty = "hard"
    visibility = "plateau"
    provenance = ("huggingface/transformers#47395",)
    hints = (
        "Most of the targets are right.",
        "Check all the targets of a batch against the text, not only the first few of a row.",
        "Over which axis does a roll go where none is named?",
    )
    killed_by = frozenset({"objective"})
    hides = frozenset({"eval-not-restored", "train-in-eval-mode"})
    forms = (
        Form(
            "method",
            m.FunctionDef(),
            with_targets(lambda inputs: cst.parse_expression(f"{render(inputs)}.roll(-1)")),
            correct=CORRECT,
            buggy=CORRECT.replace("windows[:, 1:]", "windows[:, :-1].roll(-1)"),
        ),
        Form(
            "function",
            m.FunctionDef(),
            with_targets(lambda inputs: cst.parse_expression(f"torch.roll({render(inputs)}, -1)")),
            correct=IMPORTING,
            buggy=IMPORTING.replace("windows[:, 1:]", "torch.roll(windows[:, :-1], -1)"),
            inside=m.Name("torch"),
        ),
    )
    untouched = OTHERS


class XyMisaligned(Mutation):
    """Inputs and targets come from different windows.

    What it does: The rows of the inputs stand in another order than those of the targets, or come
    from another draw.

    Why it is wrong: A row of targets belongs to one row of inputs, that of the same window. Of any
    other it says nothing.

    How it shows: The loss falls a little below ln V, about as far as a guess by frequency and place
    goes, and stays there; the sample runs into one frequent token again and again.

    How to find it: Print a batch. In every row the targets must be the inputs moved by one.

    Other right fixes: Cut both from the same windows; shuffle windows, if at all, before they are
    cut.
    """

    id = "xy-misaligned"
    bug_class = "label-shift"
    stage = "data"
    difficulty = "medium"
    visibility = "plateau"
    provenance = ("mlcommons/GaNDLF#870",)
    hints = (
        "It learns which tokens are frequent, and nothing else.",
        "Decode one row of a batch, the input and its targets.",
        "Does each row of targets belong to the row of inputs beside it?",
    )
    killed_by = frozenset({"objective"})
    hides = frozenset({"eval-not-restored", "train-in-eval-mode"})
    forms = (
        Form(
            "shuffled",
            m.FunctionDef(),
            with_inputs(shuffled),
            correct=IMPORTING,
            buggy=IMPORTING.replace("[:, :-1]", "[torch.randperm(len(windows)), :-1]"),
            inside=m.Name("torch"),
        ),
        Form(
            "drawn-twice",
            m.FunctionDef(),
            drawn_twice,
            correct=TRAINING,
            buggy=TRAINING.replace(
                "draw(data, generator)", "draw(data, generator)[0], draw(data, generator)[1]"
            ),
        ),
    )
    untouched = (
        *OTHERS,
        (
            "def walk(steps):\n"
            "    generator = torch.Generator()\n"
            "    for _ in range(steps):\n"
            "        noise = torch.rand(3, generator=generator)\n"
        ),
    )
