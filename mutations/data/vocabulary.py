"""The vocabulary's two directions do not belong together."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import OWN, find, line, same, swap, with_lines

SET = m.Call(func=m.Name("set"), args=[m.Arg()])
SORTED = m.Call(func=m.Name("sorted"), args=[m.Arg(SET)])
LETTERS = line(m.Assign(targets=[m.AssignTarget(OWN)], value=SORTED))

CORRECT = """class Letters:
    def __init__(self, text):
        self.chars = sorted(set(text))
        self.index = {char: i for i, char in enumerate(self.chars)}
"""


def sorted_later(block: cst.IndentedBlock) -> Rewritten:
    """Sort the letters where they are numbered, and not where they are kept."""
    for i, (kept, numbered) in enumerate(zip(block.body, block.body[1:], strict=False)):
        if not m.matches(kept, LETTERS):
            continue
        assert isinstance(kept, cst.SimpleStatementLine)
        assign = kept.body[0]
        assert isinstance(assign, cst.Assign)
        letters = assign.targets[0].target
        reads = [found for found in find(numbered, OWN) if same(found, letters)]
        if reads:
            listed = swap(kept, find(assign.value, m.Name("sorted"))[0], cst.Name("list"))
            in_order = cst.Call(cst.Name("sorted"), [cst.Arg(letters)])
            assert isinstance(numbered, cst.SimpleStatementLine)
            return with_lines(block, i, i + 2, [listed, swap(numbered, reads[0], in_order)])
    return None


class VocabUnsortedSet(Mutation):
    """Letters are numbered in one order and read back in another.

    What it does: Tokens are given by the sorted letters; the list that decodes them holds the
    letters as the set happened to give them.

    Why it is wrong: A set has no order that one can count on: it changes with each run of Python.
    So a token is written down as another letter than it was read from.

    How it shows: The loss is as it should be. The sample is a riddle, its prompt too, and another
    one each time the program is run.

    How to find it: Encode the text, decode it, and compare.

    Other right fixes: Any order will do, sorted or that of first appearance, as long as both
    directions come from the same list.
    """

    id = "vocab-unsorted-set"
    bug_class = "typo"
    stage = "data"
    difficulty = "medium"
    visibility = "decode"
    provenance = ("measured",)
    hints = (
        "The model may be right about everything that it says.",
        "Run it twice and compare the samples.",
        "Encode a text and decode it: is it the same?",
    )
    killed_by = frozenset({"sample-told"})
    forms = (
        Form(
            "sorted-later",
            m.IndentedBlock(),
            sorted_later,
            correct=CORRECT,
            buggy="""class Letters:
    def __init__(self, text):
        self.chars = list(set(text))
        self.index = {char: i for i, char in enumerate(sorted(self.chars))}
""",
        ),
    )
    untouched = (
        (
            "class Words:\n"
            "    def __init__(self, text):\n"
            "        self.words = sorted(set(text))\n"
            "        self.size = len(text)\n"
        ),
        "def names(rows):\n    kept = sorted(set(rows))\n    return dict(enumerate(kept))\n",
    )
