"""Tokens are drawn from the wrong distribution, or from what is none."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import (
    SOFTMAX,
    assigned,
    find,
    line,
    render,
    root,
    softmaxed,
    swap,
    target,
    uses,
    with_lines,
)
from .parts import DRAWING

QUOTIENT = m.BinaryOperation(
    left=m.Name() | m.Subscript(value=m.Name()), operator=m.Divide(), right=m.Name()
)

WARMED = line(assigned(QUOTIENT))
"""Logits divided by their temperature: logits = logits[:, -1, :] / temperature."""

WARMED_IN_PLACE = line(m.AugAssign(m.Name(), m.DivideAssign(), m.Name()))
"""The same in place: logits /= temperature."""

CORRECT = """def draw(logits, temperature, k):
    logits = logits / temperature
    if k is not None:
        logits = likeliest(logits, k)
    return torch.multinomial(F.softmax(logits, dim=-1), 1)
"""


def warmed(block: cst.IndentedBlock) -> tuple[int, int] | None:
    """Say which lines of a block divide logits by their temperature, and make shares of them that
    tokens are drawn by.
    """
    if not find(block, DRAWING):
        return None
    for at, warming in enumerate(block.body):
        if m.matches(warming, WARMED | WARMED_IN_PLACE) and uses(warming, name := root_of(warming)):
            for i, sharing in enumerate(block.body[at + 1 :], start=at + 1):
                softmaxes = [call for call in find(sharing, SOFTMAX) if isinstance(call, cst.Call)]
                if name in [root(softmaxed(call)) for call in softmaxes]:
                    return at, i
    return None


def root_of(warming: cst.CSTNode) -> str:
    """Name the logits that a line divides."""
    first = find(warming, m.Name())[0]
    return cst.ensure_type(first, cst.Name).value


def multiplied(block: cst.IndentedBlock) -> Rewritten:
    """Multiply by the temperature."""
    found = warmed(block)
    if found is None:
        return None
    division = find(block.body[found[0]], m.Divide() | m.DivideAssign())[0]
    product = cst.Multiply() if isinstance(division, cst.Divide) else cst.MultiplyAssign()
    return swap(block, division, product)


def divided_again(block: cst.IndentedBlock) -> Rewritten:
    """Divide by the temperature once more behind what comes between."""
    found = warmed(block)
    if found is None or found[1] == found[0] + 1:
        return None
    logits, *_, temperature = find(block.body[found[0]], m.Name())
    again = cst.parse_statement(f"{render(logits)} /= {render(temperature)}")
    return with_lines(block, found[1], found[1], [again])


class GenTemperatureMul(Mutation):
    """Sampling multiplies the logits by the temperature, or divides them by it twice.

    What it does: A times sign stands where the logits should be divided; or they are divided, and
    divided again before the draw.

    Why it is wrong: A low temperature should sharpen the distribution, and a high one flatten it,
    as much as its number says. Multiplying does the opposite, and dividing twice too much.

    How it shows: Not in greedy samples, nor at temperature 1.

    How to find it: Draw many tokens at temperature 0.5 from known logits and count them.

    Other right fixes: Divide the logits, before the softmax, by the temperature, once.
    """

    id = "gen-temperature-mul"
    bug_class = "typo"
    stage = "sampling"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "A greedy sample cannot show it.",
        "Sample at a low and at a high temperature and compare the variety.",
        "What should a temperature do to the logits, and how often?",
    )
    killed_by = frozenset({"sampling"})
    forms = (
        Form(
            "times",
            m.IndentedBlock(),
            multiplied,
            correct=CORRECT,
            buggy=CORRECT.replace("/ temp", "* temp"),
        ),
        Form(
            "twice",
            m.IndentedBlock(),
            divided_again,
            correct=CORRECT,
            buggy=CORRECT.replace("    return", "    logits /= temperature\n    return"),
        ),
    )
    untouched = (
        (
            "def draw(probs, total):\n"
            "    probs = probs / total\n"
            "    return torch.multinomial(probs, 1)\n"
        ),
        (
            "def attend(scores, scale):\n"
            "    scores = scores / scale\n"
            "    scores = hidden(scores)\n"
            "    return F.softmax(scores, dim=-1)\n"
        ),
        CORRECT.replace("logits = logits / temperature", "loss = loss / temperature"),
    )


def undistributed(block: cst.IndentedBlock) -> Rewritten:
    """Draw by what the softmax reads instead of by what it gives."""
    for at, statement in enumerate(block.body):
        if not m.matches(statement, line(m.Assign() | m.Return())):
            continue
        for draw in find(statement, DRAWING):
            assert isinstance(draw, cst.Call)
            shares = draw.args[0].value
            if m.matches(shares, SOFTMAX):
                assert isinstance(shares, cst.Call)
                return swap(block, shares, softmaxed(shares))
            sharing = block.body[max(at - 1, 0)]
            name = root(shares)
            if not m.matches(sharing, line(assigned(SOFTMAX))) or target(sharing) != name:
                return None
            softmax = find(sharing, SOFTMAX)[0]
            assert isinstance(softmax, cst.Call)
            drawn = swap(statement, shares, softmaxed(softmax))
            return with_lines(block, at - 1, at + 1, [drawn]) if uses(block, name) == 1 else None
    return None


class GenMultinomialLogits(Mutation):
    """Tokens are drawn by their logits instead of their probabilities.

    What it does: multinomial is given the logits; there is no softmax.

    Why it is wrong: multinomial takes weights, which are not negative. Logits are of both signs,
    and minus infinity where top-k has dropped them.

    How it shows: Not in greedy samples. The first token that is drawn stops the program, which
    complains about a probability that is infinite, NaN or negative.

    How to find it: Generate at temperature 1 and read the message.

    Other right fixes: A softmax over the vocabulary before multinomial, or
    torch.distributions.Categorical(logits=...).
    """

    id = "gen-multinomial-logits"
    bug_class = "typo"
    stage = "sampling"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("OpenTabular/DeepTab#453",)
    hints = (
        "A greedy sample cannot show it.",
        "Generate at temperature 1.",
        "What does multinomial take: logits, or something else?",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "softmax-gone",
            m.IndentedBlock(),
            undistributed,
            correct=(
                "def draw(logits):\n"
                "    probs = logits.softmax(-1)\n"
                "    return torch.multinomial(probs, 1)\n"
            ),
            buggy="def draw(logits):\n    return torch.multinomial(logits, 1)\n",
        ),
    )
    untouched = (
        "def draw(weights):\n    return torch.multinomial(weights, 1)\n",
        (
            "def draw(logits):\n"
            "    probs = logits.softmax(-1)\n"
            "    return torch.multinomial(probs, 1), probs\n"
        ),
    )
