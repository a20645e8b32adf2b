"""A cache does not hold what was put into it."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import find, line, render, swap
from .parts import APPENDING, ATTENDING, CACHE

JOINING = m.Call(
    func=m.Attribute(attr=m.Name("cat")),
    args=[m.Arg(m.Tuple([m.Element(m.Attribute()), m.Element(m.Name())])), m.ZeroOrMore()],
)
"""What is kept, and behind it what is new: torch.cat((self.k, k), dim=2)."""

KEEPING = line(
    m.Assign(
        targets=[m.AssignTarget(m.Tuple([m.Element(m.Attribute()), m.Element(m.Attribute())]))],
        value=m.Tuple([m.Element(m.Name()), m.Element(m.Name())]),
    )
)
"""Both tensors kept: self.k, self.v = k, v."""

STORING = m.FunctionDef(body=m.IndentedBlock([m.ZeroOrMore(), KEEPING, m.ZeroOrMore()]))
"""A method that joins what is new to what is kept, and keeps it."""

HELD = m.Comparison(comparisons=[m.ComparisonTarget(m.IsNot(), m.Name("None"))])
"""Whether there is something: cache is not None."""


def over_heads(method: cst.FunctionDef) -> Rewritten:
    """Join along the axis before that of time."""
    joinings = find(method, JOINING)
    for joining in joinings:
        assert isinstance(joining, cst.Call)
        axes = find(joining, m.Arg(m.Integer("2")))
        if not axes:
            return None
        heads = axes[-1].with_changes(value=cst.Integer("1"))
        method = swap(method, joining, swap(joining, axes[-1], heads))
    return method if joinings else None


def kept_once(method: cst.FunctionDef) -> Rewritten:
    """Keep only what comes first."""
    if not find(method, JOINING):
        return None
    keeping = find(method, KEEPING)[0]
    assert isinstance(keeping, cst.SimpleStatementLine)
    first = find(keeping, m.Attribute())[0]
    test = cst.parse_expression(f"{render(first)} is None")
    return swap(method, keeping, cst.If(test, cst.IndentedBlock([keeping])))


def keys_twice(keeping: cst.SimpleStatementLine) -> Rewritten:
    """Keep the keys in place of the values."""
    assign = keeping.body[0]
    assert isinstance(assign, cst.Assign)
    assert isinstance(assign.value, cst.Tuple)
    keys, values = (element.value for element in assign.value.elements)
    return swap(keeping, values, keys.deep_clone())


def keys_in_front(method: cst.FunctionDef) -> Rewritten:
    """Put new keys before those that are kept; values stay behind."""
    joinings = find(method, JOINING)
    return _turned(method, joinings[0]) if joinings else None


def both_in_front(method: cst.FunctionDef) -> Rewritten:
    """Put new keys and values before those that are kept."""
    joinings = find(method, JOINING)
    for joining in joinings:
        method = _turned(method, joining)
    return method if joinings else None


def _turned(method: cst.FunctionDef, joining: cst.CSTNode) -> cst.FunctionDef:
    pair = find(joining, m.Tuple())[0]
    assert isinstance(pair, cst.Tuple)
    kept, new = pair.elements
    turned = [kept.with_changes(value=new.value), new.with_changes(value=kept.value)]
    return swap(method, pair, pair.with_changes(elements=turned))


def by_truth(test: cst.Comparison) -> Rewritten:
    """Ask whether it counts as true."""
    return test.left


class CacheCatDim(Mutation):
    """New keys and values are joined along the heads.

    What it does: The cache joins tensors (B, nh, T, hs) on axis 1: it gets more heads, and not
    more positions.

    Why it is wrong: A cache grows in time. Queries have as many heads as before, and find no keys
    for the heads that are too many.

    How it shows: The prompt is read, and the next token stops with sizes that do not fit.

    How to find it: Print the shape of what the cache gives back for the second token.

    Other right fixes: Axis 2 or -2 of (B, nh, T, hs); the axis of time, wherever it stands.
    """

    id = "cache-cat-dim"
    bug_class = "cache-contents"
    stage = "cache"
    difficulty = "easy"
    visibility = "crash"
    provenance = ("foundation-model-stack/foundation-model-stack#20", "mosaicml/llm-foundry#210")
    hints = (
        "At which token does it stop?",
        "Print the shapes in the cache before and after.",
        "Along which axis does a text grow?",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "heads",
            STORING,
            over_heads,
            correct=CACHE,
            buggy=CACHE.replace("dim=2", "dim=1"),
        ),
    )
    untouched = (
        CACHE.replace("dim=2", "dim=-2"),
        "def keep(self, k, v):\n    self.k, self.v = k, v\n",
    )


class CacheNotAppended(Mutation):
    """The cache keeps what came first, and nothing that comes later.

    What it does: Keys and values are kept only where nothing was kept before. Later ones are
    joined to those for the moment, and forgotten.

    Why it is wrong: Each new token sees the prompt and itself, and none of those between.

    How it shows: The loss is right; the first new tokens are too, and then the sample goes round in
    circles.

    How to find it: Print the cache's length after each token.

    Other right fixes: What was joined is kept, each time.
    """

    id = "cache-not-appended"
    bug_class = "cache-contents"
    stage = "cache"
    difficulty = "easy"
    visibility = "decode"
    provenance = ("measured",)
    hints = (
        "What does the third new token see?",
        "Print the cache's length after each token.",
        "When is what was joined kept?",
    )
    killed_by = frozenset({"cache-append", "cached", "cache-length", "greedy"})
    forms = (
        Form(
            "once",
            STORING,
            kept_once,
            correct=CACHE,
            buggy=CACHE.replace(
                "        self.k, self.v = k, v\n",
                "        if self.k is None:\n            self.k, self.v = k, v\n",
            ),
        ),
    )
    untouched = ("def keep(self, k, v):\n    self.k, self.v = k, v\n",)


class CacheKvMixed(Mutation):
    """The cache keeps keys as values.

    What it does: What is kept as values are the keys.

    Why it is wrong: What a position has to say is its value. From the second chunk on, all that
    came before answers with what it was to be found by.

    How it shows: The loss is right and the first new token too; then the sample is nonsense.

    How to find it: Compare what the cache holds with what was given to it.

    Other right fixes: Each tensor kept under its own name.
    """

    id = "cache-kv-mixed"
    bug_class = "cache-contents"
    stage = "cache"
    difficulty = "medium"
    visibility = "decode"
    provenance = ("awslabs/sockeye#731",)
    hints = (
        "The first new token is right. What is another for the second?",
        "Compare what the cache holds with what was put in.",
        "Are its two tensors two?",
    )
    killed_by = frozenset({"cache-append", "cached", "greedy"})
    forms = (
        Form(
            "kept",
            KEEPING,
            keys_twice,
            correct=CACHE,
            buggy=CACHE.replace("self.k, self.v = k, v", "self.k, self.v = k, k"),
            inside=JOINING,
        ),
    )
    untouched = ("def put(self, x, y):\n    self.x, self.y = x, y\n",)


class CacheOrderKeysOnly(Mutation):
    """New keys go before the old ones, new values behind.

    What it does: The cache puts new keys in front of those that it has, and new values behind.

    Why it is wrong: A position is found by its key and answers with its value. When the two stand
    in unlike order, one position answers for another.

    How it shows: The loss is right and the first new token too; then the sample is nonsense.

    How to find it: Put numbered keys and values into a cache, and look at what comes out.

    Other right fixes: Both behind. (Both in front is right for single tokens alone.)
    """

    id = "cache-order-k-only"
    bug_class = "cache-contents"
    stage = "cache"
    difficulty = "medium"
    visibility = "decode"
    provenance = ("measured",)
    hints = (
        "Does each key still have its own value?",
        "Put numbered keys and values into a cache, and look at what comes out.",
        "On which side does new come to old?",
    )
    killed_by = frozenset({"cache-append", "cached", "greedy"})
    forms = (
        Form(
            "keys",
            STORING,
            keys_in_front,
            correct=CACHE,
            buggy=CACHE.replace("(self.k, k)", "(k, self.k)"),
        ),
    )
    untouched = ("def keep(self, k, v):\n    self.k, self.v = k, v\n",)


class CacheOrderBoth(Mutation):
    """New keys and values go before the old ones.

    What it does: The cache puts what is new in front of what it has, keys and values alike.

    Why it is wrong: The softmax does not ask in which order keys stand, and for single tokens,
    which see everything, nothing changes. A chunk of several has a mask, and that counts positions
    from the front.

    How it shows: Not where one token is read at a time: loss and sample are right.

    How to find it: Read a text in two chunks of several tokens, and compare the logits of the
    second with those of the text read at once.

    Other right fixes: What is new behind what was there; or in front, and turned round when it is
    read.
    """

    id = "cache-order-both"
    bug_class = "cache-contents"
    stage = "cache"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "It writes well. What else should caches be able to do?",
        "Read a text in two chunks of several tokens.",
        "In which order do the keys stand, and in which order does the mask count them?",
    )
    killed_by = frozenset({"cache-append", "cached"})
    forms = (
        Form(
            "both",
            STORING,
            both_in_front,
            correct=CACHE,
            buggy=CACHE.replace("(self.k, k)", "(k, self.k)").replace("(self.v, v)", "(v, self.v)"),
        ),
    )
    untouched = ("def keep(self, k, v):\n    self.k, self.v = k, v\n",)


class CacheEmptyIsFalse(Mutation):
    """An empty cache counts as none.

    What it does: Attention asks whether its cache is true. A cache says how long it is, and what
    is of no length is false.

    Why it is wrong: An empty cache is never written, and so it stays empty for ever.

    How it shows: The loss is right and so is the first new token. Every later one is chosen by a
    model that sees a single token.

    How to find it: Print the cache's length after the prompt.

    Other right fixes: `cache is not None`.
    """

    id = "cache-empty-is-false"
    bug_class = "cache-contents"
    stage = "cache"
    difficulty = "hard"
    visibility = "decode"
    provenance = ("measured",)
    hints = (
        "What is in the cache behind the prompt?",
        "Print its length after each token.",
        "When does Python take an object for false?",
    )
    killed_by = frozenset({"cached", "cache-length", "greedy"})
    hides = frozenset(
        {
            "cache-limit-forgotten",
            "cache-mask-not-offset",
            "cache-mask-top-left",
            "cache-pos-not-offset",
            "cache-shared-layers",
            "rope-offset-cache",
        }
    )
    forms = (
        Form(
            "truth",
            HELD,
            by_truth,
            correct=ATTENDING,
            buggy=ATTENDING.replace("if cache is not None", "if cache"),
            inside=APPENDING,
        ),
    )
    untouched = (ATTENDING.replace(".append(", ".read("), CACHE)
