"""Queries and keys are turned by other angles than their positions ask for."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..cache.parts import BEHIND, PLACED, new_alone
from ..patterns import find, line, retold, swap
from .parts import TURNING

TURNS = m.FunctionDef(
    params=m.Parameters(params=[m.Param(m.Name("self")), m.Param(), m.Param(default=None)]),
    body=m.IndentedBlock(
        [
            m.ZeroOrMore(),
            line(m.Assign(value=PLACED)),
            m.ZeroOrMore(),
        ]
    ),
)
"""A method that turns what it is given, behind so many: rotate(self, x, past)."""

LENGTH = m.Call(func=m.Attribute(attr=m.Name("size")), args=[m.Arg(m.Integer("2"))])
"""How many positions there are: x.size(2) of (B, heads, T, hs)."""

DOUBLED = m.Call(
    func=m.Attribute(attr=m.Name("cat") | m.Name("concat")),
    args=[m.Arg(m.Tuple([m.Element(m.Name()), m.Element(m.Name())])), m.Arg()],
)
"""Two tensors behind each other: torch.cat((angles, angles), dim=-1)."""


def not_handed_down(module: cst.ClassDef) -> Rewritten:
    """Turn as if nothing stood before: the method is not told."""
    turning = find(module, TURNS)
    if len(turning) != 1:
        return None
    method = turning[0]
    assert isinstance(method, cst.FunctionDef)
    *kept, before = method.params.params
    told = m.Call(
        func=m.Attribute(m.Name("self"), m.Name(method.name.value)), args=[m.Arg(), m.Arg()]
    )
    for call in find(module, told):
        assert isinstance(call, cst.Call)
        if not call.args[1].value.deep_equals(before.name):
            return None
        alone = call.args[0].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        module = swap(module, call, call.with_changes(args=[alone]))
    changed = method
    for behind in find(method, BEHIND):
        changed = swap(changed, behind, new_alone(behind))
    last = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    params = changed.params.with_changes(params=[*kept[:-1], last])
    return swap(module, method, changed.with_changes(params=params))


def each_number_twice(call: cst.Call) -> Rewritten:
    """Lay the angles out for neighbours, where halves go together."""
    pair = call.args[0].value
    assert isinstance(pair, cst.Tuple)
    one, other = (element.value for element in pair.elements)
    axis = call.args[1].value
    if not one.deep_equals(other):
        return None
    repeated = cst.parse_expression("x.repeat_interleave(2, dim=-1)")
    assert isinstance(repeated, cst.Call)
    assert isinstance(repeated.func, cst.Attribute)
    return repeated.with_changes(
        func=repeated.func.with_changes(value=one),
        args=[repeated.args[0], repeated.args[1].with_changes(value=axis)],
    )


def by_head(method: cst.FunctionDef) -> Rewritten:
    """Take the angles of heads, from the first on."""
    placing = find(method, line(m.Assign(value=PLACED)))[0]
    length = find(placing, LENGTH)
    if len(length) != 1:
        return None
    assert isinstance(placing, cst.SimpleStatementLine)
    assert isinstance(length[0], cst.Call)
    heads = length[0].with_changes(args=[cst.Arg(cst.Integer("1"))])
    changed = retold(swap(placing, length[0], heads), "(heads, 1, hs)")
    placed = find(changed, PLACED)[0]
    assert isinstance(placed, cst.Subscript)
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    rows = placed.slice[0].with_changes(comma=comma)
    beside = cst.SubscriptElement(cst.Index(cst.Name("None")))
    changed = swap(changed, placed, placed.with_changes(slice=[rows, beside]))
    return swap(method, placing, changed)


class RopeOffsetCache(Mutation):
    """Queries and keys behind a cache are turned as if nothing stood before them.

    What it does: The angles are those of the chunk's own length, from position 0 on, whatever the
    cache holds already.

    Why it is wrong: What a query and a key have to say to each other depends on how far apart they
    are turned. A token behind ten others, turned like the first, looks as if it stood before them.

    How it shows: Training and decoding without caches are right. With caches the first new token is
    right, and the text falls apart from the second on.

    How to find it: Read a text once whole and once in two chunks, and compare the logits of the
    second.

    Other right fixes: Angles from the cache's length on, positions handed in by the caller, or keys
    that are kept as they are and turned when they are read.
    """

    id = "rope-offset-cache"
    bug_class = "cache-positions"
    stage = "cache"
    difficulty = "medium"
    visibility = "decode"
    provenance = ("lucidrains/rotary-embedding-torch#11", "ml-explore/mlx-lm#1702")
    hints = (
        "Without caches the same prompt is continued rightly.",
        "Read a text in two chunks. From which token on are the logits others?",
        "By which angle is a token turned that is read alone, behind ten others?",
    )
    killed_by = frozenset({"cached", "greedy"})
    forms = (
        Form(
            "not-handed-down",
            m.ClassDef(),
            not_handed_down,
            correct=TURNING,
            buggy=TURNING.replace("[past : past + x.size(2)]", "[: x.size(2)]")
            .replace("def rotate(self, x, past)", "def rotate(self, x)")
            .replace("self.n_head), past)", "self.n_head))")
            .replace("self.n_kv_head), past)", "self.n_kv_head))"),
        ),
    )
    untouched = (
        TURNING.replace(
            "len(cache)\n        q", "len(cache)\n        here = past\n        q"
        ).replace("self.n_head), past)", "self.n_head), here)"),
        "def rotate(self, x, past):\n    return x * self.angles[past : past + x.size(2)]\n",
    )


class RopeMixedPairing(Mutation):
    """Angles are laid out for neighbours, and halves are turned with each other.

    What it does: Numbers 0 and 1 of the table have the same angle, then 2 and 3; but the rotation
    pairs number 0 with the first of the second half.

    Why it is wrong: A pair is a plane, and both of its numbers must be turned by one angle. With
    two it is bent and not turned: lengths change, and what a query and a key have to say to each
    other no longer depends on their distance alone.

    How it shows: Hardly, in a short text: the loss falls, and the sample may be right. Weights that
    were trained elsewhere give nonsense.

    How to find it: Rotate a vector and compare lengths, or score a constant query and key at
    several pairs of positions that lie equally far apart.

    Other right fixes: Angles twice behind each other where halves are paired, or each one twice in
    a row where neighbours are, if weights were trained so.
    """

    id = "rope-mixed-pairing"
    bug_class = "rotary"
    stage = "attention"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("report",)
    hints = (
        "What does a rotation leave as it was?",
        "Turn a vector by some positions, and compare its lengths.",
        "Which numbers of a head share an angle in the table, and which are turned together?",
    )
    killed_by = frozenset({"forward"})
    forms = (
        Form(
            "neighbours",
            DOUBLED,
            each_number_twice,
            correct=TURNING,
            buggy=TURNING.replace(
                "torch.cat((angles, angles), dim=-1)", "angles.repeat_interleave(2, dim=-1)"
            ),
        ),
    )
    untouched = ("k = torch.cat((self.k, k), dim=2)\n", "both = torch.cat((one, other), dim=-1)\n")


class RopeWrongAxis(Mutation):
    """Angles go by the head, and not by the position.

    What it does: The rows of the table are laid along the axis of heads: the first head is turned
    by the angles of position 0, the next by those of position 1.

    Why it is wrong: All positions of a head are turned alike, which turns nothing: queries and keys
    don't learn where anything stands.

    How it shows: The model still guesses order from how many tokens it sees, so the loss falls;
    more slowly, and the sample is often wrong. Behind a cache that is nearly full there are not as
    many rows as heads, and it stops with sizes that do not fit.

    How to find it: Exchange two early tokens, and look at how much later logits change; or print
    the shape of the angles beside that of what they turn.

    Other right fixes: Angles (T, hs) beside (B, heads, T, hs), or (T, 1, hs) beside
    (B, T, heads, hs).
    """

    id = "rope-wrong-axis"
    bug_class = "rotary"
    stage = "attention"
    difficulty = "medium"
    visibility = "crash"
    provenance = ("facebookresearch/xformers#841", "mlfoundations/open_lm#4")
    hints = (
        "Does the model know which of two tokens came first?",
        "Compare the queries of one token at two positions.",
        "Along which axis of (B, heads, T, hs) do the angles change?",
    )
    killed_by = frozenset({"forward", "runs"})
    forms = (
        Form(
            "heads",
            TURNS,
            by_head,
            correct=TURNING,
            buggy=TURNING.replace("[past : past + x.size(2)]", "[past : past + x.size(1), None]"),
        ),
    )
    untouched = ("def rows(self, x, past):\n    return self.table[past : past + x.size(1)]\n",)
