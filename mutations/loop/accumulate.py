"""Gradients are accumulated over several batches, and not as those of one."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import assigned, find, line, root, with_lines
from .parts import BACKWARD, GATHERING, update

SHARE = line(assigned(m.BinaryOperation(left=m.Name(), operator=m.Divide())))
"""loss = loss / n"""

SHARED = line(m.AugAssign(target=m.Name(), operator=m.DivideAssign()))
"""loss /= n"""

CORRECT = """def learn(model, opt, batches, n):
    opt.zero_grad()
    total = 0.0
    for x, y in batches:
        loss = model(x, y)
        loss = loss / n
        loss.backward()
        total += loss.item()
    opt.step()
    return total
"""
OTHERS = (
    CORRECT.replace("    opt.zero_grad()\n", "").replace("        loss = loss / n\n", ""),
    "def mean(values, n):\n    for value in values:\n        value = value / n\n    return value\n",
)


COUNTED = """def learn(model, opt, config):
    opt.zero_grad()
    total = 0.0
    for _ in range(config.accumulate):
        loss = model(*draw()) / config.accumulate
        loss.backward()
        total += loss.item()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    opt.step()
    return total
"""
IN_RANGE = m.Call(func=m.Name("range"), args=[m.Arg()])


def cleared_within(block: cst.IndentedBlock) -> Rewritten:
    """Move zero_grad into the loop that accumulates."""
    found = update(block, cleared_anywhere=True)
    if found is None or found.zero_grad > found.backward:
        return None
    loop, clearing = block.body[found.backward], block.body[found.zero_grad]
    if not isinstance(loop, cst.For):
        return None
    inner = loop.body.with_changes(body=[clearing, *loop.body.body])
    lines = list(block.body)
    lines[found.backward] = loop.with_changes(body=inner)
    del lines[found.zero_grad]
    return block.with_changes(body=lines)


def not_averaged(block: cst.IndentedBlock) -> Rewritten:
    """Leave out the line that takes a batch's share of the loss, in front of backward."""
    for i, (statement, next_) in enumerate(zip(block.body, block.body[1:], strict=False)):
        is_share = m.matches(statement, SHARE | SHARED)
        if is_share and m.matches(next_, BACKWARD):
            name = root(find(next_, m.Call())[0])
            if find(statement, m.AssignTarget(m.Name(name)) | m.AugAssign(m.Name(name))):
                return with_lines(block, i, i + 1, [])
    return None


def from_one(loop: cst.For) -> Rewritten:
    """Count the batches from one, so that there is one fewer."""
    counting = cst.ensure_type(loop.iter, cst.Call)
    space = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    args = [cst.Arg(cst.Integer("1"), comma=space), *counting.args]
    return loop.with_changes(iter=counting.with_changes(args=args))


def stepping_within(block: cst.IndentedBlock) -> Rewritten:
    """Move what follows the loop that accumulates into it, up to the optimizer's step."""
    found = update(block, cleared_anywhere=True)
    if found is None or not m.matches(block.body[found.backward], GATHERING):
        return None
    loop = cst.ensure_type(block.body[found.backward], cst.For)
    behind = block.body[found.backward + 1 : found.step + 1]
    if found.zero_grad > found.backward:
        return None
    inner = loop.body.with_changes(body=[*loop.body.body, *behind])
    return with_lines(block, found.backward, found.step + 1, [loop.with_changes(body=inner)])


class ZeroGradPerMicrobatch(Mutation):
    """The gradients are cleared before each of the batches that are accumulated.

    What it does: zero_grad stands inside the loop over batches, so that only the last one's
    gradients are left when the optimizer steps.

    Why it is wrong: The step was to follow the mean of all of them. All but one are computed in
    vain.

    How it shows: Hardly: learning is a little noisier.

    How to find it: Compare the gradients before the step with those of one batch that holds all
    rows.

    Other right fixes: Clear once for each step, before the loop or behind the step.
    """

    id = "zero-grad-per-microbatch"
    bug_class = "training-step"
    stage = "loop"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("huggingface/accelerate#1299", "tatsu-lab/alpaca_farm#57")
    hints = (
        "Most of the work is done in vain.",
        "What is in the gradients when the optimizer steps?",
        "How often are the gradients cleared, and how often does the optimizer step?",
    )
    killed_by = frozenset({"gradient", "gradient-flow"})
    forms = (
        Form(
            "in-loop",
            m.IndentedBlock(),
            cleared_within,
            correct=CORRECT,
            buggy=CORRECT.replace("    opt.zero_grad()\n    total", "    total").replace(
                "        loss = model", "        opt.zero_grad()\n        loss = model"
            ),
        ),
    )
    untouched = OTHERS


class AccumNotAveraged(Mutation):
    """The gradients of several batches are added up, and not averaged.

    What it does: Each batch's loss counts in full, so that the gradients are as many times too
    large as there are batches, and so is the loss that is told.

    Why it is wrong: Several small batches are to act as one large one. Adam divides the size away
    again; the bound that gradients are clipped to, and plain gradient descent, do not.

    How it shows: The loss that is told is too large by a whole factor, from the first step on.

    How to find it: Compare the first loss with the logarithm of the size of the vocabulary.

    Other right fixes: Divide each loss, or all gradients before they are clipped, by the number of
    batches.
    """

    id = "accum-not-averaged"
    bug_class = "training-step"
    stage = "loop"
    difficulty = "medium"
    visibility = "plateau"
    provenance = ("karpathy/nanoGPT#168", "karpathy/nanoGPT#207")
    hints = (
        "A number is too large, by a whole factor.",
        "What should the very first loss be?",
        "What happens to a sum when there are more terms?",
    )
    killed_by = frozenset({"objective"})
    hides = frozenset({"shift-wrong-axis", "xy-misaligned"})
    forms = (
        Form(
            "summed",
            m.IndentedBlock(),
            not_averaged,
            correct=CORRECT,
            buggy=CORRECT.replace("        loss = loss / n\n", ""),
        ),
    )
    untouched = OTHERS


class AccumTailOrInverted(Mutation):
    """The optimizer does not step once for each so many batches.

    What it does: The batches of a step are counted from one, so that one is missing; or the
    optimizer steps behind each batch instead of behind all.

    Why it is wrong: The step should follow the mean of as many batches as the configuration says.
    With one missing, it follows a smaller share of fewer; stepping behind each is another, noisier
    training, with more steps than the schedule knows of.

    How it shows: The loss that is told is a share too small, or nothing shows.

    How to find it: Count the batches and the steps of the optimizer, and hold one against the
    other.

    Other right fixes: Any loop over all of the batches, and one step behind it.
    """

    id = "accum-tail-or-inverted"
    bug_class = "training-step"
    stage = "loop"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("huggingface/accelerate#435", "thunlp/OpenPrompt#106")
    hints = (
        "What the configuration says of a step is not what happens.",
        "Count two things: batches, and steps of the optimizer.",
        "How many batches belong to one step, from the first to the last?",
    )
    killed_by = frozenset({"windows"})
    hides = frozenset(
        {
            "eval-average-wrong",
            "eval-on-train-split",
            "shift-wrong-axis",
            "train-val-overlap",
            "xy-misaligned",
        }
    )
    forms = (
        Form(
            "from-one",
            m.For(target=m.Name(), iter=IN_RANGE, body=GATHERING.body),
            from_one,
            correct=COUNTED,
            buggy=COUNTED.replace("range(config", "range(1, config"),
        ),
        Form(
            "step-within",
            m.IndentedBlock(),
            stepping_within,
            correct=COUNTED,
            buggy=COUNTED.replace(
                "    nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n    opt.step()\n",
                "        nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n        opt.step()\n",
            ),
            killed_by=frozenset({"windows", "steps-taken"}),
        ),
    )
    untouched = (
        OTHERS[1],
        "def repeat(net, rows):\n    for _ in range(rows):\n        net.forward(_)\n",
    )
