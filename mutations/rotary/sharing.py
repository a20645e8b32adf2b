"""Keys and values do not get to the heads that share them, or not into the cache as they should."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..cache.parts import APPENDING
from ..patterns import find, line, swap
from .parts import CALLED, TURNING

SHARED = m.Call(
    func=m.Attribute(attr=m.Name("repeat_interleave")),
    args=[m.Arg(keyword=None), m.Arg(m.Integer("1"))],
)
"""Each head as often as it is shared: k.repeat_interleave(n, dim=1)."""

ROTATED = m.Call(func=CALLED, args=[m.Arg(m.Call()), m.Arg(m.Name())])
"""What a method makes of the heads behind so many: self.rotate(self.split_heads(...), past)."""

KEEPING = m.Call(func=APPENDING, args=[m.Arg(m.Name()), m.Arg(m.Name())])
"""Keys and values that go into a cache: cache.append(k, v)."""


def tiled(function: cst.FunctionDef) -> Rewritten:
    """Lay the heads behind each other, again and again."""
    return _tiled(function, 0)


def values_tiled(function: cst.FunctionDef) -> Rewritten:
    """Do so with the values alone."""
    return _tiled(function, 1)


def _tiled(function: cst.FunctionDef, first: int) -> Rewritten:
    shared = find(function, SHARED)
    if len(shared) != 2:  # noqa: PLR2004  # keys and values
        return None
    for call in shared[first:]:
        assert isinstance(call, cst.Call)
        assert isinstance(call.func, cst.Attribute)
        times = call.args[0].value
        tiling = cst.parse_expression("x.repeat(1, n, 1, 1)")
        assert isinstance(tiling, cst.Call)
        args = list(tiling.args)
        args[1] = args[1].with_changes(value=times)
        func = call.func.with_changes(attr=cst.Name("repeat"))
        function = swap(function, call, tiling.with_changes(func=func, args=args))
    return function


def turned_for_the_cache(function: cst.FunctionDef) -> Rewritten:
    """Turn the keys where they are put into a cache, and only there."""
    keeping = find(function, KEEPING)
    if len(keeping) != 1:
        return None
    call = keeping[0]
    assert isinstance(call, cst.Call)
    keys = call.args[0].value
    assert isinstance(keys, cst.Name)
    giving = line(m.Assign(targets=[m.AssignTarget(m.Name(keys.value))], value=ROTATED))
    found = find(function, giving)
    if len(found) != 1:
        return None
    rotated = find(found[0], ROTATED)[0]
    assert isinstance(rotated, cst.Call)
    plain = rotated.args[0].value
    turned = rotated.with_changes(args=[rotated.args[0].with_changes(value=keys), rotated.args[1]])
    function = swap(function, keys, turned)
    return swap(function, rotated, plain)


class GqaTileVsInterleave(Mutation):
    """Heads get the keys and values of other groups.

    What it does: The heads of keys and values are laid behind each other again and again, so that
    head 1 reads the second ones; heads that stand side by side should share.

    Why it is wrong: Which heads share is part of what weights mean. A model that was trained with
    neighbours in a group reads, with these, other keys than it has learned to ask.

    How it shows: Not in training from scratch: there any grouping learns as well, if keys and
    values have the same. With weights from elsewhere the output is nonsense.

    How to find it: Give the heads of keys different numbers, repeat them, and print which one each
    head gets.

    Other right fixes: `repeat_interleave`, or `expand` behind a new axis and `reshape`, or queries
    that are put into groups.
    """

    id = "gqa-tile-vs-interleave"
    bug_class = "grouping"
    stage = "attention"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("onnx/onnx#7274", "wenet-e2e/west#121")
    hints = (
        "Learned from nothing, the model is as good. Would it be with weights from elsewhere?",
        "Which heads are to share keys and values? PROBLEM.md says so.",
        "Number the heads of keys, repeat them, and print the numbers.",
    )
    killed_by = frozenset({"forward"})
    forms = (
        Form(
            "both",
            m.FunctionDef(),
            tiled,
            correct=TURNING,
            buggy=TURNING.replace(
                ".repeat_interleave(self.n_head // self.n_kv_head, dim=1)",
                ".repeat(1, self.n_head // self.n_kv_head, 1, 1)",
            ),
        ),
        Form(
            "values",
            m.FunctionDef(),
            values_tiled,
            correct=TURNING,
            buggy=TURNING.replace(
                "v.repeat_interleave(self.n_head // self.n_kv_head, dim=1)",
                "v.repeat(1, self.n_head // self.n_kv_head, 1, 1)",
            ),
        ),
    )
    untouched = (
        "def spread(k, n):\n    return k.repeat_interleave(n, dim=1)\n",
        "def twice(a):\n    return a.repeat_interleave(2, dim=0), a.repeat_interleave(3, dim=0)\n",
    )


class RopeUnrotatedKey(Mutation):
    """Keys are turned where they go into a cache, and nowhere else.

    What it does: Without a cache, queries that are turned meet keys that are not. With one, what is
    appended is turned.

    Why it is wrong: What a query and a key have to say to each other must depend on how far apart
    they stand, which it does where both are turned. And what is trained is not what is decoded.

    How it shows: The loss falls, since even so positions can be told apart; and the text that is
    generated with caches is nonsense from the first token on.

    How to find it: Read a text with fresh caches and without, and compare the logits.

    Other right fixes: Keys that are turned before they are appended, whether there is a cache or
    not; or appended as they are, and all turned by their positions when they are read.
    """

    id = "rope-unrotated-key"
    bug_class = "cache-contents"
    stage = "cache"
    difficulty = "medium"
    visibility = "decode"
    provenance = ("kvcache-ai/sglang#31",)
    hints = (
        "The loss falls, and what is generated is nonsense at once.",
        "Are the logits of a prompt the same with fresh caches and without?",
        "Follow the keys from their layer to the scores, with a cache and without.",
    )
    killed_by = frozenset({"forward", "cached", "greedy"})
    forms = (
        Form(
            "for-the-cache",
            m.FunctionDef(),
            turned_for_the_cache,
            correct=TURNING,
            buggy=TURNING.replace(
                "k = self.rotate(self.split_heads(self.key(x), self.n_kv_head), past)",
                "k = self.split_heads(self.key(x), self.n_kv_head)",
            ).replace("cache.append(k, v)", "cache.append(self.rotate(k, past), v)"),
        ),
    )
    untouched = (
        "def put(self, cache, k, v):\n    return cache.append(k, v)\n",
        TURNING.replace("k = self.rotate(self", "k = (self").replace(
            "self.n_kv_head), past)", "self.n_kv_head))"
        ),
    )
