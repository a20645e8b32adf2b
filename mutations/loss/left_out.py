"""The loss leaves out what should be learned."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation

from .parts import CORRECT, OTHERS, Loss, rescored


def scored_at(place: str, flat: str = "") -> Callable[[Loss], cst.Call]:
    """Make a mutation that scores some places only; flat: how what is left becomes one axis."""

    def rescore(loss: Loss) -> cst.Call:
        logits, targets = (f"{name.value}[:, {place}]" for name in (loss.logits, loss.targets))
        return loss.of(f"{logits}{flat and '.flatten(0, 1)'}", f"{targets}{flat}")

    return rescore


def filled(loss: Loss) -> cst.Call:
    """Replace the targets of token 0 by the number that the loss ignores."""
    targets = loss.targets.value
    return loss.made_of(targets=f"{targets}.masked_fill({targets} == 0, -100)")


class LossLastPosOnly(Mutation):
    """Only the last position is scored.

    What it does: The loss looks at the prediction that a whole window leads to, and at no other.

    Why it is wrong: A window of T tokens teaches T predictions, with a past of 1, 2 up to T
    tokens. Those with a short past are never learned, and a sample begins with a short prompt.

    How it shows: The loss is low, lower than is possible with a short past, and the sample is
    garbage from its first token on.

    How to find it: Print the gradient of the logits: it must not be zero at any position.

    Other right fixes: Score all positions, flattened or with the classes on the second axis.
    """

    id = "loss-last-pos-only"
    bug_class = "label-shift"
    stage = "loss"
    difficulty = "medium"
    visibility = "leak"
    provenance = ("measured",)
    hints = (
        "The loss is better than the sample by far. What is it the loss of?",
        "How many predictions does one batch teach?",
        "Print the shapes that the cross-entropy gets.",
    )
    killed_by = frozenset({"objective"})
    hides = frozenset(
        {"eval-average-wrong", "eval-mode-missing", "eval-not-restored", "train-in-eval-mode"}
    )
    forms = (
        Form(
            "picked",
            m.FunctionDef(),
            rescored(scored_at("-1")),
            correct=CORRECT,
            buggy=CORRECT.replace("logits.flatten(0, 1)", "logits[:, -1]").replace(
                "targets.flatten()", "targets[:, -1]"
            ),
        ),
        Form(
            "sliced",
            m.FunctionDef(),
            rescored(scored_at("-1:", ".flatten()")),
            correct=CORRECT,
            buggy=CORRECT.replace("logits.", "logits[:, -1:].").replace(
                "targets.", "targets[:, -1:]."
            ),
        ),
    )
    untouched = OTHERS


class IgnoreIndexWrong(Mutation):
    """The loss ignores a token that is one of the text's.

    What it does: Targets of one token are left out of the loss, as if that token were padding.

    Why it is wrong: There is no padding here: every token of the vocabulary comes from the text.
    One that is never a target is never learned, and never written.

    How it shows: The loss looks healthy; the sample is right up to the place where the token
    should come.

    How to find it: Change a target to the first, and to the last token of the vocabulary: each time
    the loss must change.

    Other right fixes: No ignore_index; or one that is no token, such as -100, which is the default.
    """

    id = "ignore-index-wrong"
    bug_class = "label-shift"
    stage = "loss"
    difficulty = "medium"
    visibility = "decode"
    provenance = ("huggingface/transformers#2759",)
    hints = (
        "Which token is missing from every sample?",
        "Does every target of a batch count?",
        "Which token has the number that the loss leaves out?",
    )
    killed_by = frozenset({"objective"})
    hides = frozenset(
        {"eval-average-wrong", "eval-mode-missing", "eval-not-restored", "train-in-eval-mode"}
    )
    forms = (
        Form(
            "first",
            m.FunctionDef(),
            rescored(lambda loss: loss.told("ignore_index=0")),
            correct=CORRECT,
            buggy=CORRECT.replace("flatten())", "flatten(), ignore_index=0)"),
        ),
        Form(
            "last",
            m.FunctionDef(),
            rescored(lambda loss: loss.told(f"ignore_index={loss.logits.value}.size(-1) - 1")),
            correct=CORRECT,
            buggy=CORRECT.replace(
                "    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())\n",
                (
                    "    loss = F.cross_entropy(\n"
                    "        logits.flatten(0, 1),\n"
                    "        targets.flatten(),\n"
                    "        ignore_index=logits.size(-1) - 1,\n"
                    "    )\n"
                ),
            ),
        ),
        Form(
            "filled",
            m.FunctionDef(),
            rescored(filled),
            correct=CORRECT,
            buggy=CORRECT.replace("targets.", "targets.masked_fill(targets == 0, -100)."),
        ),
    )
    untouched = OTHERS
