"""The loss takes its logarithms of the wrong numbers."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation

from ..patterns import render
from .parts import CORRECT, OTHERS, TURNED_CORRECT, Loss, in_two_steps, rescored


def probabilities(loss: Loss) -> cst.Call:
    """Give the softmax of the logits."""
    call = cst.parse_expression(f"F.softmax({loss.logits.value}, dim=-1)")
    assert isinstance(call, cst.Call)
    return call


def over_tokens(loss: Loss) -> cst.Call:
    """Normalise over the first axis: over all tokens at once, where they are flat."""
    return likelihood(loss, f"F.log_softmax({render(loss.laid_out)}, dim=0)")


def over_positions(loss: Loss) -> cst.Call:
    """Normalise over the positions of a row."""
    if loss.is_turned:
        return likelihood(loss, f"F.log_softmax({render(loss.laid_out)}, dim=-1)")
    normalised = loss.made_of(f"F.log_softmax({loss.logits.value}, dim=1)")
    return likelihood(loss, render(normalised.args[0].value))


def likelihood(loss: Loss, log_probs: str) -> cst.Call:
    """Give the negative log-likelihood of the targets."""
    scored = loss.of(log_probs, render(loss.wanted))
    return scored.with_changes(func=cst.parse_expression("F.nll_loss"))


class CeOnSoftmax(Mutation):
    """The loss gets probabilities where it expects logits.

    What it does: The softmax of the logits is given to cross_entropy, which takes the softmax of
    what it gets.

    Why it is wrong: Numbers between 0 and 1 are all but equal to a softmax: the likeliest token can
    never get more than e times the share of another, so that the loss stays high even where every
    prediction is certain. And where the inner softmax is sure of itself it hands on no gradient.

    How it shows: The loss starts at ln V, as it should, and falls only a little: never below
    ln(1 + (V - 1) / e). The sample is garbage.

    How to find it: Give the loss logits that are right: a large number at each target. It must come
    to zero.

    Other right fixes: cross_entropy of the logits; or nll_loss of their log_softmax.
    """

    id = "ce-on-softmax"
    bug_class = "typo"
    stage = "loss"
    difficulty = "medium"
    visibility = "plateau"
    provenance = ("Lightning-Universe/lightning-bolts#654", "ariecattan/SciCo#2")
    hints = (
        "How low could the loss come, if every prediction were right and certain?",
        "Give the loss a perfect answer and look at what it says.",
        "What does cross_entropy do to its input before anything else?",
    )
    killed_by = frozenset({"objective"})
    hides = frozenset(
        {"eval-mode-missing", "eval-not-restored", "train-in-eval-mode", "xy-misaligned"}
    )
    forms = (
        Form(
            "function",
            m.FunctionDef(),
            rescored(lambda loss: loss.made_of(render(probabilities(loss)))),
            correct=CORRECT,
            buggy=CORRECT.replace("logits.f", "F.softmax(logits, dim=-1).f"),
        ),
        Form(
            "method",
            m.FunctionDef(),
            rescored(lambda loss: loss.made_of(f"{loss.logits.value}.softmax(dim=-1)")),
            correct=TURNED_CORRECT,
            buggy=TURNED_CORRECT.replace("logits.t", "logits.softmax(dim=-1).t"),
        ),
        Form(
            "line",
            m.FunctionDef(),
            in_two_steps("probs", probabilities, lambda loss: loss.made_of("probs")),
            correct=CORRECT,
            buggy=CORRECT.replace(
                "    loss = F.cross_entropy(logits.",
                "    probs = F.softmax(logits, dim=-1)\n    loss = F.cross_entropy(probs.",
            ),
        ),
    )
    untouched = OTHERS


class CeSoftmaxWrongDim(Mutation):
    """The loss normalises over the wrong axis.

    What it does: The log_softmax that the loss is made of runs over the tokens of the batch, or
    over the positions of a row, instead of over the vocabulary.

    Why it is wrong: The loss should ask how likely the target is among all tokens that could stand
    in its place. Here it asks how much likelier it is here than elsewhere.

    How it shows: The first loss is the logarithm of another number than V: of how many tokens there
    are on that axis. It stays far too high, though the sample comes back, wholly or for the most
    part.

    How to find it: Exponentiate what nll_loss gets and add it up over the vocabulary: the sum must
    be 1 at every position.

    Other right fixes: cross_entropy of the logits; or log_softmax over the axis of the classes,
    which is the last, or the second where the loss gets (B, V, T).
    """

    id = "ce-softmax-wrong-dim"
    bug_class = "typo"
    stage = "loss"
    difficulty = "medium"
    visibility = "plateau"
    provenance = ("DonkeyShot21/UNO#4",)
    hints = (
        "Compare the first loss with the one that pure guessing gives.",
        "Of what number is it the logarithm?",
        "Whose probabilities add up to 1?",
    )
    killed_by = frozenset({"objective"})
    hides = frozenset(
        {"eval-mode-missing", "eval-not-restored", "train-in-eval-mode", "xy-misaligned"}
    )
    forms = (
        Form(
            "tokens",
            m.FunctionDef(),
            rescored(over_tokens),
            correct=CORRECT,
            buggy=CORRECT.replace(
                "F.cross_entropy(logits.flatten(0, 1),",
                "F.nll_loss(F.log_softmax(logits.flatten(0, 1), dim=0),",
            ),
        ),
        Form(
            "positions",
            m.FunctionDef(),
            rescored(over_positions),
            correct=CORRECT,
            buggy=CORRECT.replace(
                "F.cross_entropy(logits.", "F.nll_loss(F.log_softmax(logits, dim=1)."
            ),
        ),
    )
    untouched = OTHERS
