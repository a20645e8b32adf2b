"""The optimizer holds other parameters than those that should learn."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import (
    assigned,
    find,
    fits,
    line,
    root,
    swap,
    uses,
    with_argument,
    with_lines,
)
from .parts import MADE, groups_of, on_one_line

ALL_PARAMETERS = m.Call(func=m.Attribute(value=m.Name(), attr=m.Name("parameters")), args=[])
OF_ALL = m.Call(func=MADE.func, args=[m.Arg(ALL_PARAMETERS), m.ZeroOrMore()])
MAKING = line(assigned(m.Call()))

ONE_GROUP = """def build(model, rate):
    return torch.optim.AdamW(
        model.parameters(), lr=rate, betas=(0.9, 0.95), weight_decay=0.1, foreach=False
    )
"""

CORRECT = """def train(config):
    model = GPT(config)
    model.to(config.device)
    opt = build(model, config)
    losses = []
    for step in range(100):
        for group in opt.param_groups:
            group["lr"] = rate(step)
        losses.append(learn(model, opt))
    return model, losses
"""


def only(kept: str) -> Callable[[cst.Module], Rewritten]:
    """Make a mutation that hands an optimizer some of a model's parameters.

    Only where it is the optimizer that clears gradients, so that those of the rest pile up: who
    clears the model's hides a part of what this does.

    kept: the list of those, with a blank for the model.
    """

    def mutate(module: cst.Module) -> Rewritten:
        if not _told(module, "zero_grad") <= _told(module, "step"):
            return None
        for function in find(module, m.FunctionDef()):
            assert isinstance(function, cst.FunctionDef)
            some = _handing_over(function, kept)
            if some is not None:
                return swap(module, function, some) if fits(some) else None
        return None

    return mutate


def _told(module: cst.Module, method: str) -> set[str]:
    """Name the things that are told to do this, anywhere in a module."""
    calls = find(module, m.Call(func=m.Attribute(value=m.Name(), attr=m.Name(method))))
    return {root(call) for call in calls}


def _handing_over(function: cst.FunctionDef, kept: str) -> cst.FunctionDef | None:
    block = function.body
    assert isinstance(block, cst.IndentedBlock)
    for i, statement in enumerate(block.body):
        for call in (
            find(statement, OF_ALL) if m.matches(statement, m.SimpleStatementLine()) else []
        ):
            assert isinstance(call, cst.Call)
            model = root(call.args[0].value)
            listed = cst.parse_statement(f"params = {kept.format(model)}")
            made = swap(statement, call, on_one_line(with_argument(call, 0, "params")))
            return function.with_changes(body=with_lines(block, i, i + 1, [listed, made]))
    return None


def made_again(block: cst.IndentedBlock) -> Rewritten:
    """Build the model anew behind the optimizer that was made for it."""
    loops = [statement for statement in block.body if isinstance(statement, cst.For)]
    making = [i for i, statement in enumerate(block.body) if m.matches(statement, MAKING)]
    for j in making:
        optimizer = _made(block.body[j])
        models = [i for i in making if i < j and uses(block.body[j], _made(block.body[i]))]
        if models and any(find(loop, groups_of(optimizer)) for loop in loops):
            i = models[0]
            model, rest = block.body[i], block.body[i + 1 : j]
            return with_lines(block, i, j + 1, [model, block.body[j], model, *rest])
    return None


def _made(statement: cst.CSTNode) -> str:
    """Name the variable that a line assigns to."""
    target = find(statement, m.AssignTarget())[0]
    assert isinstance(target, cst.AssignTarget)
    return root(target.target)


class OptMissingParams(Mutation):
    """Some parameters are never handed to the optimizer.

    What it does: The optimizer gets a list of the matrices, or of what is no bias; it never sees
    the rest.

    Why it is wrong: What the optimizer does not hold it neither moves nor clears. The gradients of
    the rest pile up from step to step, and only weigh in the clipping. Such a list is meant for a
    group that decays; the other group must be handed over, too.

    How it shows: Not in a model so small, whose matrices do nearly all of the work.

    How to find it: Count the parameters in the optimizer's groups and those of the model. Or list
    what is the same after ten steps as before.

    Other right fixes: Hand over all parameters, in as many groups as you like.
    """

    id = "opt-missing-params"
    bug_class = "training-step"
    stage = "optim"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("pytorch/pytorch#38639",)
    hints = (
        "A part of the model stays as it was born.",
        "Compare the parameters before and after a few steps, one by one.",
        "Which parameters does the optimizer know?",
    )
    killed_by = frozenset({"fresh-gradient", "moves", "update"})
    forms = (
        Form(
            "matrices",
            m.Module(),
            only("[p for p in {}.parameters() if p.dim() > 1]"),
            correct=ONE_GROUP,
            buggy="""def build(model, rate):
    params = [p for p in model.parameters() if p.dim() > 1]
    return torch.optim.AdamW(params, lr=rate, betas=(0.9, 0.95), weight_decay=0.1, foreach=False)
""",
        ),
        Form(
            "no-biases",
            m.Module(),
            only('[p for name, p in {}.named_parameters() if "bias" not in name]'),
            correct=ONE_GROUP,
            buggy="""def build(model, rate):
    params = [p for name, p in model.named_parameters() if "bias" not in name]
    return torch.optim.AdamW(params, lr=rate, betas=(0.9, 0.95), weight_decay=0.1, foreach=False)
""",
        ),
    )
    untouched = (
        ("def build(head, rate):\n    return torch.optim.AdamW([*head.parameters()], lr=rate)\n"),
        (
            "def build(model, rate):\n"
            "    return torch.optim.AdamW(model.parameters(), lr=rate)\n"
            "\n"
            "\n"
            "def learn(model, opt, loss):\n"
            "    model.zero_grad()\n"
            "    loss.backward()\n"
            "    opt.step()\n"
        ),
        "def clip(model):\n    nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n",
    )


class OptStaleModel(Mutation):
    """The optimizer holds the parameters of another model.

    What it does: The model is built a second time, under the same name, after the optimizer has
    been made for the first.

    Why it is wrong: The optimizer keeps the parameters it was given, not the name. Gradients come
    to the second model, and it steps on the first, which has none.

    How it shows: The loss does not fall. It only wavers from batch to batch.

    How to find it: Ask whether the first parameter in the optimizer's groups is the model's, with
    `is`.

    Other right fixes: Build the model once; or make the optimizer after all that replaces it.
    """

    id = "opt-stale-model"
    bug_class = "training-step"
    stage = "optim"
    difficulty = "medium"
    visibility = "flat"
    provenance = ("spro/practical-pytorch#9",)
    hints = (
        "Nothing is learned at all.",
        "There are gradients, and the optimizer steps; whose weights does it move?",
        "Two things of one name are not the same thing.",
    )
    killed_by = frozenset({"moves", "objective"})
    hides = frozenset(
        {
            "ce-on-softmax",
            "ce-softmax-wrong-dim",
            "ce-view-not-transpose",
            "eval-average-wrong",
            "ignore-index-wrong",
            "loss-last-pos-only",
            "shift-after-flatten",
            "shift-double",
            "shift-none",
            "shift-roll-wrap",
            "shift-same-end",
            "shift-wrong-axis",
            "shift-wrong-direction",
            "xy-misaligned",
        }
    )
    forms = (
        Form(
            "made-again",
            m.IndentedBlock(),
            made_again,
            correct=CORRECT,
            buggy="""def train(config):
    model = GPT(config)
    opt = build(model, config)
    model = GPT(config)
    model.to(config.device)
    losses = []
    for step in range(100):
        for group in opt.param_groups:
            group["lr"] = rate(step)
        losses.append(learn(model, opt))
    return model, losses
""",
        ),
    )
    untouched = (
        (
            "def count(text):\n"
            "    words = split(text)\n"
            "    counts = tally(words)\n"
            "    for word in words:\n"
            "        show(word, counts)\n"
        ),
    )
