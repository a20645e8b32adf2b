"""New tokens behind a cache get the positions of others."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import find, swap, without_idle
from .parts import BEHIND, FIRST_LENGTH, PLACED, READING, new_alone


def from_zero(function: cst.FunctionDef) -> Rewritten:
    """Take as many rows from the top."""
    placed = find(function, PLACED)
    if not placed or not find(function, FIRST_LENGTH):
        return None
    behind = find(placed[0], BEHIND)[0]
    assert isinstance(behind, cst.Slice)
    assert isinstance(behind.lower, cst.Name)
    return without_idle(swap(function, behind, new_alone(behind)), behind.lower.value)


def layers_counted(choice: cst.IfExp) -> Rewritten:
    """Count the caches, and not what the first holds."""
    first = find(choice, m.Subscript())[0]
    assert isinstance(first, cst.Subscript)
    return swap(choice, first, first.value)


class CachePosNotOffset(Mutation):
    """New tokens behind a cache count their positions from zero.

    What it does: The rows of the position table are those of the chunk's own length, whatever the
    caches hold already.

    Why it is wrong: A token that is read behind others stands behind them. With the position of
    the first it looks, to every later query, as if it stood at the beginning.

    How it shows: Training and decoding without caches are right. With caches the first new token is
    right, and the text falls apart from the second on.

    How to find it: Read a text once whole and once in two chunks, and compare the logits of the
    second.

    Other right fixes: A slice from the cache's length on, an arange that begins there, or positions
    handed in by the caller.
    """

    id = "cache-pos-not-offset"
    bug_class = "cache-positions"
    stage = "cache"
    difficulty = "medium"
    visibility = "decode"
    provenance = ("ml-explore/mlx-lm#93", "huggingface/transformers#15751")
    hints = (
        "Without caches the same prompt is continued rightly.",
        "Read a text in two chunks. From which token on are the logits others?",
        "Which position does a token have that is read alone, behind ten others?",
    )
    killed_by = frozenset({"cached", "greedy"})
    forms = (
        Form(
            "from-zero",
            m.FunctionDef(),
            from_zero,
            correct=READING,
            buggy=READING.replace("[past : past + idx.size(1)]", "[: idx.size(1)]").replace(
                "    past = 0 if caches is None else len(caches[0])\n", ""
            ),
        ),
    )
    untouched = (
        "rows = self.table[first : first + n]\n",
        READING.replace("past + idx", "start + idx").replace("self.pos", "pos"),
    )


class CachePosWrong(Mutation):
    """Positions behind a cache are counted from the number of layers.

    What it does: What was read is taken to be as long as the list of caches, which has one for
    each layer, and not as what one of them holds.

    Why it is wrong: The number of layers says nothing about the text. Every chunk, the prompt
    among them, is placed as if so many tokens stood before it.

    How it shows: The loss is right. Where caches are in use the table of positions comes to its end
    too early, and it stops with sizes that do not fit.

    How to find it: Print the position of the first token of each chunk.

    Other right fixes: The length of any one cache.
    """

    id = "cache-pos-wrong"
    bug_class = "cache-positions"
    stage = "cache"
    difficulty = "medium"
    visibility = "crash"
    provenance = ("skyzh/tiny-llm#46", "NVIDIA/TransformerEngine#536")
    hints = (
        "Where does the model think that a chunk begins?",
        "Print the position of the first token that is read with fresh caches.",
        "Of what is the length taken there?",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "layers",
            m.IfExp(orelse=FIRST_LENGTH),
            layers_counted,
            correct=READING,
            buggy=READING.replace("len(caches[0])", "len(caches)"),
        ),
    )
    untouched = (
        "def most(rows):\n    return 0 if rows is None else len(rows)\n",
        "size = 0 if rows is None else max(rows[0])\n",
    )
