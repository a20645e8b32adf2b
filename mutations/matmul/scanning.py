"""A scan adds up other things, or does so in other steps."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import MINUS_ONE, assigned, find, line, render, swap
from .parts import BEFORE, LAST_OR_ALL, OTHERS, STEP, STEPS, SUMS

STEPPED = "torch.cat([state[:offset], state[offset:] + state[:-offset]])"

DOUBLED = m.AugAssign(target=m.Name(), operator=m.MultiplyAssign(), value=m.Integer("2"))

BELOW = m.Comparison(
    left=m.Name(),
    comparisons=[
        m.ComparisonTarget(
            operator=m.LessThan(), comparator=m.Call(args=[m.Arg(m.Name() | m.Integer())])
        )
    ],
)
"""Whether there are tiles so far apart: offset < len(tiles)."""

LOOP = m.While(test=BELOW)


def _parts(step: cst.CSTNode) -> tuple[str, str]:
    """Name the state and the offset of a step."""
    behind = find(step, m.BinaryOperation())[0]
    assert isinstance(behind, cst.BinaryOperation)
    assert isinstance(behind.left, cst.Subscript)
    lower = find(behind.left, m.Slice())[0]
    assert isinstance(lower, cst.Slice)
    assert lower.lower is not None
    return render(behind.left.value), render(lower.lower)


def by_one(growth: cst.AugAssign) -> Rewritten:
    """Count the offset on by one."""
    return growth.with_changes(operator=cst.AddAssign(), value=cst.Integer("1"))


def one_less(comparison: cst.Comparison) -> Rewritten:
    """Stop where the next offset would reach the end."""
    doubled = cst.parse_expression(f"2 * {render(comparison.left)}")
    return comparison.with_changes(left=doubled)


def tiles_again(function: cst.FunctionDef) -> Rewritten:
    """Add the tiles, and not the state."""
    steps = find(function, STEP)
    if len(steps) != 1 or len(function.params.params) != 1:
        return None
    added = find(steps[0], m.BinaryOperation())[0]
    assert isinstance(added, cst.BinaryOperation)
    assert isinstance(added.right, cst.Subscript)
    given = function.params.params[0].name
    return swap(function, added.right, added.right.with_changes(value=given))


def around(step: cst.Call) -> Rewritten:
    """Let what falls off the end come back at the beginning."""
    state, offset = _parts(step)
    return cst.parse_expression(f"{state}.roll({offset}, dims=0) + {state}")


def backwards(step: cst.Call) -> Rewritten:
    """Sum towards the beginning."""
    state, offset = _parts(step)
    return cst.parse_expression(
        f"torch.cat([{state}[:-{offset}] + {state}[{offset}:], {state}[-{offset}:]])"
    )


def in_place(loop: cst.While) -> Rewritten:
    """Write places that are still to be read."""
    stepping = [s for s in find(loop, line(assigned(STEP))) if s in loop.body.body]
    if len(stepping) != 1:
        return None
    state, offset = _parts(find(stepping[0], STEP)[0])
    compared = loop.test
    assert isinstance(compared, cst.Comparison)
    length = render(compared.comparisons[0].comparator)
    at = loop.body.body.index(stepping[0])
    written = [
        cst.parse_statement(f"{state} = {state}.clone()\n"),
        cst.parse_statement(
            f"for place in range({offset}, {length}):\n"
            f"    {state}[place] += {state}[place - {offset}]\n"
        ),
    ]
    body = [*loop.body.body[:at], *written, *loop.body.body[at + 1 :]]
    return loop.with_changes(body=loop.body.with_changes(body=body))


def own_tile_out(given: cst.IfExp) -> Rewritten:
    """Take each tile out of its own sum."""
    if not find(given.body, MINUS_ONE):
        return None
    assert isinstance(given.orelse, cst.Call)
    assert isinstance(given.orelse.func, cst.Attribute)
    tiles = render(given.orelse.func.value)
    return given.with_changes(body=cst.parse_expression(f"{render(given.body)} - {tiles}"))


class OffsetsByOne(Mutation):
    """Offsets grow by one, and do not double.

    What it does: The steps add what stands 1, 2, 3, 4, ... places before.

    Why it is wrong: After a step each place holds the sum of a window, and the next step has to add
    the window before that: its offset is the length of the window, which doubles.

    How it shows: Up to three tiles all is right. With more, places hold tiles more than once, after
    too many steps.

    How to find it: Scan ones: after the steps each place should hold 2, 4, 8, ..., as far as there
    are as many.

    Other right fixes: offset = 2 * offset, offset <<= 1, or 2**step.
    """

    id = "scan-offset-by-one"
    bug_class = "scan-steps"
    stage = "autograd"
    difficulty = "easy"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Two tiles are summed rightly. And four?",
        "Scan ones, and print what there is after each step.",
        "How long is the window that a place holds after each step?",
    )
    killed_by = frozenset({"scan-count", "prefix-sums", "tiled-product"})
    forms = (
        Form(
            "by-one",
            DOUBLED,
            by_one,
            correct=STEPS,
            buggy=STEPS.replace("offset *= 2", "offset += 1"),
            inside=BEFORE,
        ),
    )
    untouched = OTHERS


class LastStepMissing(Mutation):
    """The last step of the scan is left out.

    What it does: The loop stops where twice the offset would reach the number of tiles.

    Why it is wrong: Behind a step of offset d each place holds the sum of 2d tiles. As long as
    there are more tiles than d, a step is needed.

    How it shows: The last places lack the first tiles, for most numbers of tiles.

    How to find it: Compare with cumsum for 2, 3, 5, 7 and 8 tiles.

    Other right fixes: while offset < n, or ceil(log2(n)) steps: (n - 1).bit_length().
    """

    id = "scan-stops-early"
    bug_class = "scan-steps"
    stage = "autograd"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Compare the sums with cumsum, for many numbers of tiles.",
        "How many steps does it take for 5 tiles? How many should it?",
        "Up to which offset is there anything to add?",
    )
    killed_by = frozenset({"scan-count", "prefix-sums", "tiled-product"})
    forms = (
        Form(
            "doubled",
            BELOW,
            one_less,
            correct=STEPS,
            buggy=STEPS.replace("offset < len", "2 * offset < len"),
            inside=BEFORE,
        ),
    )
    untouched = OTHERS


class TilesAddedAgain(Mutation):
    """Each step adds tiles, and not what the steps before have made of them.

    What it does: What stands an offset before is read from the input.

    Why it is wrong: The step of offset d has to add windows of d tiles. The input holds single
    ones.

    How it shows: Up to two tiles all is right. With more, places lack most of the tiles before
    them.

    How to find it: Scan ones, and print what there is after each step.

    Other right fixes: Both summands from the state before the step.
    """

    id = "scan-adds-tiles"
    bug_class = "scan-steps"
    stage = "autograd"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Two tiles are summed rightly. And four?",
        "Scan ones: what is added in the second step?",
        "Of what is it that a step adds two places?",
    )
    killed_by = frozenset({"scan-states", "prefix-sums", "tiled-product"})
    forms = (
        Form(
            "tiles",
            m.FunctionDef(),
            tiles_again,
            correct=STEPS,
            buggy=STEPS.replace("state[:-offset]", "tiles[:-offset]"),
        ),
    )
    untouched = OTHERS


class WrappedAround(Mutation):
    """What falls off the end is added at the beginning.

    What it does: A step rolls the state, and adds all of it.

    Why it is wrong: roll goes round. The first places have nothing before them, and must stay.

    How it shows: The first places hold the sum of the last tiles, too.

    How to find it: Scan tiles of which only the last is not zero: no other sum may change.

    Other right fixes: cat, or a roll whose first places are set to zero.
    """

    id = "scan-wraps-around"
    bug_class = "scan-steps"
    stage = "autograd"
    difficulty = "easy"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Look at the first of the sums.",
        "Scan tiles that are all zero but for the last.",
        "What stands before the first tile?",
    )
    killed_by = frozenset({"scan-states", "prefix-sums", "tiled-product"})
    forms = (
        Form(
            "rolled",
            STEP,
            around,
            correct=STEPS,
            buggy=STEPS.replace(STEPPED, "state.roll(offset, dims=0) + state"),
        ),
    )
    untouched = OTHERS


class SummedBackwards(Mutation):
    """The scan runs towards the beginning.

    What it does: Each place gets the sum of the tiles from it on.

    Why it is wrong: Asked for are the sums up to each tile.

    How it shows: The sums come the wrong way about: the first is that of all.

    How to find it: Scan tiles of which only the first is not zero: all sums should be that.

    Other right fixes: Adding to the places behind the offset what stands before it.
    """

    id = "scan-backwards"
    bug_class = "scan-steps"
    stage = "autograd"
    difficulty = "easy"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Which of the sums is that of all tiles?",
        "Scan tiles that are all zero but for the first.",
        "To which places does a step add something?",
    )
    killed_by = frozenset({"scan-states", "prefix-sums", "tiled-product"})
    hides = frozenset({"tiles-not-summed"})  # the last sum is then the last tile, either way
    forms = (
        Form(
            "suffixes",
            STEP,
            backwards,
            correct=STEPS,
            buggy=STEPS.replace(
                STEPPED, "torch.cat([state[:-offset] + state[offset:], state[-offset:]])"
            ),
        ),
    )
    untouched = OTHERS


class WrittenWhileRead(Mutation):
    """A step reads places that it has written already.

    What it does: The state is changed in place, from the first place on.

    Why it is wrong: All places of a step are meant to be made at once, from the state before it.
    One that is written is read again an offset later, and holds too much.

    How it shows: Up to two tiles all is right. With more, tiles are counted more than once.

    How to find it: Scan ones, and print what there is after each step; or go through the places
    from the last to the first.

    Other right fixes: A state of its own for each step; or places from the last to the first.
    """

    id = "scan-in-place"
    bug_class = "scan-steps"
    stage = "autograd"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Two tiles are summed rightly. And four?",
        "Scan ones: what does the third place hold after the first step?",
        "When is a place written, and when is it read?",
    )
    killed_by = frozenset({"scan-states", "prefix-sums", "tiled-product"})
    forms = (
        Form(
            "from-the-first",
            LOOP,
            in_place,
            correct=STEPS,
            buggy=STEPS.replace(
                f"        state = {STEPPED}\n",
                "        state = state.clone()\n"
                "        for place in range(offset, len(tiles)):\n"
                "            state[place] += state[place - offset]\n",
            ),
        ),
    )
    untouched = OTHERS


class OwnTileLeftOut(Mutation):
    """The sums leave their own tile out.

    What it does: Each tile is taken from the sum up to it.

    Why it is wrong: That is the other kind of scan, which begins with nothing. Asked for are sums
    that hold their own tile; the last of these is the sum of all.

    How it shows: The sums are those of one place before, and the product lacks its last tile.

    How to find it: Compare with cumsum.

    Other right fixes: The last state as it is.
    """

    id = "scan-exclusive"
    bug_class = "scan-steps"
    stage = "autograd"
    difficulty = "easy"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "All steps are right. And what comes of them?",
        "Compare the sums with cumsum.",
        "What is the first of the sums?",
    )
    killed_by = frozenset({"prefix-sums", "tiled-product"})
    forms = (
        Form(
            "taken-out",
            LAST_OR_ALL,
            own_tile_out,
            correct=SUMS,
            buggy=SUMS.replace("states[-1] if", "states[-1] - tiles if"),
        ),
    )
    untouched = OTHERS
