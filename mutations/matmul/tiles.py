"""Tiles are cut, or put together, otherwise than they should be."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import find, render, swap, with_argument
from .parts import OTHERS, PARTS, TILED

LENGTH = m.Call(
    func=m.Attribute(attr=m.Name("size")),
    args=[m.Arg(m.UnaryOperation(operator=m.Minus(), expression=m.Integer("1")))],
)
STARTS = m.Call(func=m.Name("range"), args=[m.Arg(m.Integer("0")), m.Arg(LENGTH), m.Arg(m.Name())])
"""Where tiles begin: range(0, a.size(-1), tile)."""

END = m.BinaryOperation(left=m.Name(), operator=m.Add(), right=m.Name())
ENDING = m.Assign(targets=[m.AssignTarget(m.Name())], value=END)
"""Where a tile ends: end = start + tile."""

CUT = m.For(iter=STARTS)

SUMMED = m.Assign(
    targets=[m.AssignTarget(m.Name())],
    value=m.Call(func=m.Name(), args=[m.Arg(m.Call(func=m.Name(), args=[m.Arg()] * 3))]),
)
"""sums = prefix_sums(partial_products(a, b, tile))."""

LAST = m.Return(
    m.Subscript(
        value=m.Name(),
        slice=[
            m.SubscriptElement(
                m.Index(m.UnaryOperation(operator=m.Minus(), expression=m.Integer("1")))
            )
        ],
    )
)


def one_short(starts: cst.Call) -> Rewritten:
    """Stop looking for tiles one column too early."""
    return with_argument(starts, 1, f"{render(starts.args[1].value)} - 1")


def one_more(loop: cst.For) -> Rewritten:
    """Let each tile reach one column into the next."""
    ends = find(loop, ENDING)
    if len(ends) != 1:
        return None
    end = find(ends[0], END)[0]
    return swap(loop, end, cst.parse_expression(f"{render(end)} + 1"))


def unsummed(assignment: cst.Assign) -> Rewritten:
    """Leave the products as they are."""
    assert isinstance(assignment.value, cst.Call)
    return assignment.with_changes(value=assignment.value.args[0].value)


def first(given: cst.Return) -> Rewritten:
    """Give the first sum."""
    last = find(given, m.Index())[0]
    return swap(given, last, cst.Index(cst.Integer("0")))


def all_summed(given: cst.Return) -> Rewritten:
    """Add up the sums."""
    assert isinstance(given.value, cst.Subscript)
    total = cst.parse_expression(f"{render(given.value.value)}.sum(dim=0)")
    return given.with_changes(value=total)


class LastTileLost(Mutation):
    """A last tile of one column is left out.

    What it does: Tiles begin before the last column, and none at it.

    Why it is wrong: Where the length of a tile leaves one column over, that column is a tile of its
    own.

    How it shows: Most lengths are right. Tiles of 2 for 7 columns lose the last column.

    How to find it: Try every length from 1 on, and one that is longer than the axis.

    Other right fixes: range(0, a.size(-1), tile), or split.
    """

    id = "tiles-last-lost"
    bug_class = "tiles"
    stage = "autograd"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Most lengths of tiles are right.",
        "Try every length from 1 on.",
        "Where may the last tile begin?",
    )
    killed_by = frozenset({"tile-products", "tiled-product"})
    forms = (
        Form(
            "one-short",
            STARTS,
            one_short,
            correct=PARTS,
            buggy=PARTS.replace("a.size(-1),", "a.size(-1) - 1,"),
            inside=ENDING,
        ),
    )
    untouched = OTHERS


class TilesOverlap(Mutation):
    """Neighbouring tiles share a column.

    What it does: Each tile reaches one column into the next.

    Why it is wrong: A slice ends before its upper bound. The column at it belongs to the next tile,
    and is counted twice.

    How it shows: The product is wrong unless there is one tile alone.

    How to find it: Compare the sum of all partial products with the product.

    Other right fixes: start : start + tile, or split.
    """

    id = "tiles-overlap"
    bug_class = "tiles"
    stage = "autograd"
    difficulty = "easy"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "With one tile that holds all columns it is right.",
        "Print which columns each tile holds.",
        "Is the upper bound of a slice a part of it?",
    )
    killed_by = frozenset({"tile-products", "tiled-product"})
    forms = (
        Form(
            "one-more",
            CUT,
            one_more,
            correct=PARTS,
            buggy=PARTS.replace("start + tile", "start + tile + 1"),
        ),
    )
    untouched = OTHERS


class TilesNotSummed(Mutation):
    """The product is that of the last tile alone.

    What it does: The products of the tiles are not added up.

    Why it is wrong: Each tile has a part of the sum over the inner axis. The product is all of
    them.

    How it shows: With one tile that holds all columns it is right, and with no other.

    How to find it: Try lengths that are shorter than the axis.

    Other right fixes: Any sum over the tiles.
    """

    id = "tiles-not-summed"
    bug_class = "tiles"
    stage = "autograd"
    difficulty = "easy"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "With one tile that holds all columns it is right.",
        "What is made of the products of the tiles?",
        "The scan is right. Is it asked?",
    )
    killed_by = frozenset({"tiled-product"})
    forms = (
        Form(
            "unsummed",
            SUMMED,
            unsummed,
            correct=TILED,
            buggy=TILED.replace(
                "prefix_sums(partial_products(a, b, tile))", "partial_products(a, b, tile)"
            ),
            inside=LAST,
        ),
    )
    untouched = OTHERS


class WrongSumTaken(Mutation):
    """Of the sums over tiles another is given than that of all.

    What it does: The first sum is taken for the product, or all sums are added up once more.

    Why it is wrong: The sum up to the last tile is that of all tiles. The first holds one tile, and
    all together hold the first tile as often as there are tiles.

    How it shows: With one tile that holds all columns it is right, and with no other.

    How to find it: Try lengths that are shorter than the axis.

    Other right fixes: sums[-1].
    """

    id = "tiles-wrong-sum"
    bug_class = "tiles"
    stage = "autograd"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "The products of the tiles are right, and so are the sums of them.",
        "Which of the sums holds all tiles?",
        "What is given of the sums?",
    )
    killed_by = frozenset({"tiled-product"})
    forms = (
        Form(
            "first",
            LAST,
            first,
            correct=TILED,
            buggy=TILED.replace("sums[-1]", "sums[0]"),
            inside=SUMMED,
        ),
        Form(
            "all",
            LAST,
            all_summed,
            correct=TILED,
            buggy=TILED.replace("sums[-1]", "sums.sum(dim=0)"),
            inside=SUMMED,
        ),
    )
    untouched = OTHERS
