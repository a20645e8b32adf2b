"""The mask does not know what stands before a chunk."""

from itertools import pairwise

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import find, line, swap, without_idle
from .parts import APPENDING, ATTENDING, BEHIND_AND_SEEN, LENGTH, new_alone

MASKED = line(
    m.Assign(
        targets=[m.AssignTarget(m.Name())],
        value=m.Call(
            func=m.Attribute(attr=m.Name("masked_fill")),
            args=[m.Arg(m.UnaryOperation(expression=BEHIND_AND_SEEN)), m.ZeroOrMore()],
        ),
    )
)
"""Scores that are masked: att = att.masked_fill(~self.mask[past : past + T, : S], ...)."""

WITHOUT_PAST = ATTENDING.replace("        past = 0\n", "").replace(
    "            past = len(cache)\n", ""
)
TABLE = "~self.mask[past : past + T, : k.size(2)]"


def from_the_top(function: cst.FunctionDef) -> Rewritten:
    """Take the rows of the first positions."""
    return _with_rows_from_zero(function, square=False)


def ordinary(function: cst.FunctionDef) -> Rewritten:
    """Take the square for so many positions, as without a cache."""
    return _with_rows_from_zero(function, square=True)


def _with_rows_from_zero(function: cst.FunctionDef, *, square: bool) -> Rewritten:
    masks = find(function, BEHIND_AND_SEEN)
    if not masks or not find(function, APPENDING):
        return None
    mask = masks[0]
    assert isinstance(mask, cst.Subscript)
    rows, columns = (element.slice for element in mask.slice)
    assert isinstance(rows, cst.Slice)
    assert isinstance(rows.lower, cst.Name)
    new = new_alone(rows)
    function = swap(function, rows, new)
    if square:
        function = swap(function, columns, new.deep_clone())
    return without_idle(function, rows.lower.value)


def only_without(masking: cst.SimpleStatementLine) -> Rewritten:
    """Mask where there is no cache."""
    test = cst.parse_expression("cache is None")
    body = cst.IndentedBlock([masking.with_changes(leading_lines=[])])
    return cst.If(test, body, leading_lines=masking.leading_lines)


def counted_late(block: cst.IndentedBlock) -> Rewritten:
    """Ask how long the cache is behind the appending."""
    lines = list(block.body)
    for i, (counting, appending) in enumerate(pairwise(lines)):
        if find(counting, LENGTH) and find(appending, APPENDING):
            lines[i : i + 2] = [appending, counting]
            return block.with_changes(body=lines)
    return None


class CacheMaskTopLeft(Mutation):
    """The mask behind a cache is that of the first positions.

    What it does: The rows of the causal mask are taken from its top, as many as tokens are read,
    whatever stands before them.

    Why it is wrong: The row of a position says what that position may see. The first row sees the
    first position alone: a token that is read behind ten others sees one of them, and not itself.

    How it shows: The prompt is read rightly and its next token is right; every later one is chosen
    by a model that sees hardly anything.

    How to find it: Read one token behind a cache and print its weights of attention.

    Other right fixes: Rows from the cache's length on, the last rows of the square for all that was
    read, or a comparison of positions made on the fly.
    """

    id = "cache-mask-top-left"
    bug_class = "cache-mask"
    stage = "cache"
    difficulty = "medium"
    visibility = "decode"
    provenance = ("pytorch/pytorch#103082", "pytorch/pytorch#144858")
    hints = (
        "How much does a token see that is read behind a cache?",
        "Print the weights of attention of a token that is read alone.",
        "Which rows of the mask belong to the new positions?",
    )
    killed_by = frozenset({"cached", "greedy"})
    forms = (
        Form(
            "from-the-top",
            m.FunctionDef(),
            from_the_top,
            correct=ATTENDING,
            buggy=WITHOUT_PAST.replace(TABLE, "~self.mask[:T, : k.size(2)]"),
        ),
    )
    untouched = (ATTENDING.replace(".append(", ".read("), "kept = self.kept[a : a + n, 1:]\n")


class CacheMaskNotOffset(Mutation):
    """A chunk behind a cache is masked as if nothing stood before it.

    What it does: The mask is the square for the chunk's own length, as it is without a cache.

    Why it is wrong: A chunk's queries meet the keys of all that was read. The square has a column
    for each of the chunk's own tokens and none for those before.

    How it shows: Generating is right: the prompt has nothing before it, and the square for a single
    token hides nothing. A chunk of several tokens behind a cache stops with sizes that do not fit.

    How to find it: Read a text in two chunks of several tokens.

    Other right fixes: Rows from the cache's length on and a column for every key; or a comparison
    of positions made on the fly.
    """

    id = "cache-mask-not-offset"
    bug_class = "cache-mask"
    stage = "cache"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("pytorch/pytorch#108108",)
    hints = (
        "It writes well. What else should caches be able to do?",
        "Read a text in chunks of several tokens.",
        "How many columns must the mask have behind a cache?",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "ordinary",
            m.FunctionDef(),
            ordinary,
            correct=ATTENDING,
            buggy=WITHOUT_PAST.replace(TABLE, "~self.mask[:T, :T]"),
        ),
    )
    untouched = (ATTENDING.replace(".append(", ".read("), "kept = self.kept[a : a + n, 1:]\n")


class CacheMaskSkipped(Mutation):
    """Nothing is masked where there is a cache.

    What it does: Scores are masked only where attention has no cache.

    Why it is wrong: A single new token may see everything, and needs no mask. A prompt, or any
    chunk of several tokens, does: its tokens see those behind them, and what they leave in the
    cache is not what they left there in training.

    How it shows: The loss is right, and mostly so is the sample of what was learned by heart; the
    logits are others from the first token on.

    How to find it: Compare the logits of a prompt that is read with fresh caches and without.

    Other right fixes: A mask always; or one wherever more than one token is read.
    """

    id = "cache-mask-skipped"
    bug_class = "cache-mask"
    stage = "cache"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("Mikyx-1/TinyLLM#17",)
    hints = (
        "It learned the text, and does not always write it.",
        "Compare the logits of the prompt, read with fresh caches and without.",
        "When does a chunk need no mask: where there is a cache, or where it is one token long?",
    )
    killed_by = frozenset({"cached", "greedy"})
    hides = frozenset({"cache-order-both"})
    forms = (
        Form(
            "only-without",
            MASKED,
            only_without,
            correct=ATTENDING,
            buggy=ATTENDING.replace(
                f'        att = att.masked_fill({TABLE}, float("-inf"))\n',
                "        if cache is None:\n"
                f'            att = att.masked_fill({TABLE}, float("-inf"))\n',
            ),
            inside=m.Param(name=m.Name("cache")),
        ),
    )
    untouched = (
        ATTENDING.replace("cache=None", "memory=None"),
        ATTENDING.replace(TABLE, "~self.mask[:T, :T]"),
    )


class CacheOffsetAfterAppend(Mutation):
    """The cache's length is asked for behind the appending.

    What it does: What stands before a chunk is counted when the chunk is among it already.

    Why it is wrong: The mask's rows are those of positions farther on by the length of the chunk,
    which may see all of it: nothing is hidden within a prompt. Near the end of the context there
    are no such rows.

    How it shows: The loss is right. Where the context fills up, it stops with sizes that do not
    fit; before that the sample may be right, and the logits are not.

    How to find it: Print what stands before the first chunk; it should be nothing.

    Other right fixes: The length asked for before appending; or what is there now less what is new.
    """

    id = "cache-offset-after-append"
    bug_class = "cache-mask"
    stage = "cache"
    difficulty = "medium"
    visibility = "crash"
    provenance = ("ml-explore/mlx-lm#1702", "ml-explore/mlx-lm#1699")
    hints = (
        "How much stands before the first chunk?",
        "Print it for the prompt, and for the token behind it.",
        "When is the cache asked for its length?",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "late",
            m.IndentedBlock(),
            counted_late,
            correct=ATTENDING,
            buggy=ATTENDING.replace(
                "            past = len(cache)\n            k, v = cache.append(k, v)\n",
                "            k, v = cache.append(k, v)\n            past = len(cache)\n",
            ),
            inside=APPENDING,
        ),
    )
    untouched = (
        "def add(items, item):\n    items.append(item)\n    return len(items)\n",
        "def add(items, item):\n    items = [*items, item]\n    return items\n",
    )
