"""Rows give their labels away, or are learned though they are held out."""

from bugforge.mutation import Mutation

from .exchange import exchange


class QuestionTells(Mutation):
    """The question tells the answer.

    What it does: The last token is made of the label, and not of the key that is asked for.

    Why it is wrong: Whoever reads that token needs no other; on rows whose label is not known it
    cannot be made.

    How it shows: The loss of the classes falls to that of the noise at once, accuracy is the best
    there is, and rows from elsewhere are classified by chance.

    How to find it: Look whether one token alone tells the label.

    Other right fixes: A question made of the asked key.
    """

    id = "row-label-in-question"
    bug_class = "leakage"
    stage = "data"
    difficulty = "medium"
    visibility = "leak"
    provenance = ("report",)
    hints = (
        "Is it too good to be true?",
        "Train on rows of which only the last token is left.",
        "Of what is the question made?",
    )
    killed_by = frozenset({"drawn-rows"})
    forms = (
        exchange(
            "made of the label",
            "torch.cat([any_a + any_w, any_q + any_k])",
            "torch.cat([any_a + any_w, any_q + label[None]])",
        ),
    )
    untouched = ("t = torch.cat([w, k])\n",)


class AsksLast(Mutation):
    """The key of the last write is asked for, always.

    What it does: No key is drawn.

    Why it is wrong: The answer then stands at one place, and no key need be compared. Held-out
    rows are drawn in the same way, and tell nothing of it.

    How it shows: Accuracy is the best there is, very early; rows drawn as PROBLEM.md says are
    classified badly.

    How to find it: Count how often the question asks for the last write's key.

    Other right fixes: A key drawn as PROBLEM.md says.
    """

    id = "row-last-write-asked"
    bug_class = "leakage"
    stage = "data"
    difficulty = "hard"
    visibility = "leak"
    provenance = ("measured",)
    hints = (
        "Would it do as well on rows that somebody else drew?",
        "Count how often each place holds the answer.",
        "Which keys are asked for?",
    )
    killed_by = frozenset({"drawn-rows"})
    forms = (
        exchange(
            "the last",
            "any_k[torch.randint(any_n, (1,), generator=any_g)]",
            "any_k[-1:]",
        ),
    )
    untouched = ("k = keys[torch.randint(n, (2,), generator=g)]\n",)


class HalvesOverlap(Mutation):
    """Rows are learned that are held out.

    What it does: What is held out is taken from the other end of the order, which is learned.

    Why it is wrong: Metrics then tell how well rows are remembered; and a share of all rows is
    used for nothing.

    How it shows: Held-out metrics follow the training loss.

    How to find it: Take both halves as sets: they must have nothing in common, and all together.

    Other right fixes: Two parts of one order that meet and do not overlap.
    """

    id = "row-halves-overlap"
    bug_class = "leakage"
    stage = "data"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("report",)
    hints = (
        "Do held-out rows tell anything?",
        "Look for rows that are in both halves.",
        "Which part of the order is which half?",
    )
    killed_by = frozenset({"halves"})
    forms = (
        exchange(
            "same end",
            "any_o[:any_n]",
            "any_o[-any_n:]",
        ),
    )
    untouched = ("o[n:]\n",)
