"""Windows are drawn from the wrong places of the text."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import assigned, find, line, render, same, swap, uses, with_lines

DRAWN = m.Call(func=m.Attribute(attr=m.Name("randint")))

LAST_START = m.BinaryOperation(
    left=m.Call(func=m.Name("len"), args=[m.Arg()]),
    operator=m.Subtract(),
    right=m.Name(),
)
"""Where the last window of a length begins: len(data) - span."""

SPAN = m.BinaryOperation(operator=m.Add(), right=m.Integer("1"))
"""The length of a window that holds one target more than inputs: size + 1."""

CLAMPED = m.Call(func=m.Attribute(attr=m.Name("clamp")))

CORRECT = """def draw(data, size, rows):
    span = size + 1
    last = len(data) - span
    # Both edges count for more.
    starts = torch.randint(-span, last + span, (rows,))
    starts = starts.clamp(0, last)
    return torch.stack([data[i : i + span] for i in starts])
"""


def one_more(last: cst.BinaryOperation) -> Rewritten:
    """Count one start more than there are."""
    return cst.BinaryOperation(last, cst.Add(), cst.Integer("1"))


def without_target(block: cst.IndentedBlock) -> Rewritten:
    """Leave room behind the last start for the inputs alone."""
    for span in find(block, assigned(SPAN)):
        assert isinstance(span, cst.Assign)
        assert isinstance(span.value, cst.BinaryOperation)
        for last in find(block, LAST_START):
            assert isinstance(last, cst.BinaryOperation)
            if same(last.right, span.targets[0].target):
                return swap(block, last.right, span.value.left)
    return None


def short_of_the_end(block: cst.IndentedBlock) -> Rewritten:
    """Draw among the starts there are, the upper bound being left out."""
    for i, (drawing, clamping) in enumerate(zip(block.body, block.body[1:], strict=False)):
        if not m.matches(drawing, line(assigned(DRAWN))):
            continue
        assert isinstance(drawing, cst.SimpleStatementLine)
        if not m.matches(clamping, line(assigned(CLAMPED))):
            continue
        draw = find(drawing, DRAWN)[0]
        clamp = find(clamping, CLAMPED)[0]
        assert isinstance(draw, cst.Call)
        assert isinstance(clamp, cst.Call)
        low, high = clamp.args[-2:]
        if uses(draw.args[1].value, render(high.value)) == 0:
            continue
        fewer = swap(drawing, draw, _drawn_from(draw, low.value, high.value))
        return with_lines(block, i, i + 2, [fewer.with_changes(leading_lines=[])])
    return None


def _drawn_from(draw: cst.Call, low: cst.BaseExpression, high: cst.BaseExpression) -> cst.Call:
    bounds = [
        arg.with_changes(value=value) for arg, value in zip(draw.args, (low, high), strict=False)
    ]
    return draw.with_changes(args=[*bounds, *draw.args[2:]])


class WindowOffByOne(Mutation):
    """The last window of the text is counted wrongly.

    What it does: One window more is drawn than there are, so that it hangs over the end of the
    text; or one less, so that the last token is never a target.

    Why it is wrong: A window takes a token more than the context has, as each input needs its
    target; the bound of a random integer is itself never drawn. Both are easy to forget, and each
    moves the last start by one.

    How it shows: One too many stops as soon as the last start is drawn. One too few trains nearly
    as well as it should, and the sample is right up to its last character; on a text of a single
    window it stops.

    How to find it: Ask for the largest start that can be drawn, and look at which token its window
    ends with. It must be the last of the text.

    Other right fixes: Any way to draw starts from 0 up to the length of the text less that of a
    window, both included.
    """

    id = "window-off-by-one"
    bug_class = "label-shift"
    stage = "data"
    difficulty = "easy"
    visibility = "crash"
    provenance = ("spro/char-rnn.pytorch#7",)
    hints = (
        "It is about the end of the text.",
        "Which start is the last that can be drawn, and which the last that may be?",
        "Count the windows of a text that is just as long as one of them.",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "one-more",
            LAST_START,
            one_more,
            correct=CORRECT,
            buggy=CORRECT.replace("len(data) - span", "len(data) - span + 1"),
            inside=DRAWN,
        ),
        Form(
            "without-target",
            m.IndentedBlock(),
            without_target,
            correct=CORRECT,
            buggy=CORRECT.replace("len(data) - span", "len(data) - size"),
            inside=DRAWN,
        ),
        Form(
            "bound-left-out",
            m.IndentedBlock(),
            short_of_the_end,
            correct=CORRECT,
            buggy="""def draw(data, size, rows):
    span = size + 1
    last = len(data) - span
    starts = torch.randint(0, last, (rows,))
    return torch.stack([data[i : i + span] for i in starts])
""",
        ),
    )
    untouched = (
        "def tail(data, n):\n    rest = len(data) - n\n    return data[rest:]\n",
        (
            "def jitter(image, n):\n"
            "    noise = torch.randint(-n, n, image.shape)\n"
            "    image = image.clamp(0, 255)\n"
            "    return image + noise\n"
        ),
    )
