"""Bugs of the loss of classes and tokens."""

from bugforge.mutation import Mutation

from .exchange import exchange


class NotShifted(Mutation):
    """Tokens are to predict themselves.

    What it does: Logits and tokens of the same places are compared.

    Why it is wrong: Each place has read its own token, so that nothing has to be predicted, and
    nothing is learned from it.

    How it shows: The loss falls quickly by a third, and classes are learned more slowly.

    How to find it: Give logits that are sure of the next tokens: the loss must be near nothing.

    Other right fixes: Any shift by one of either side.
    """

    id = "row-targets-not-shifted"
    bug_class = "objective"
    stage = "loss"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("report",)
    hints = (
        "Is each token predicted from what came before it?",
        "Give logits that are right, and see what the loss is.",
        "Which places of logits and of tokens meet?",
    )
    killed_by = frozenset({"row-objective"})
    forms = (
        exchange(
            "same places",
            "any_l, any_r = any_g[:, :-1], any_t[:, 1:]",
            "any_l, any_r = any_g[:, :-1], any_t[:, :-1]",
        ),
        exchange(
            "wrong way",
            "any_l, any_r = any_g[:, :-1], any_t[:, 1:]",
            "any_l, any_r = any_g[:, 1:], any_t[:, :-1]",
        ),
    )
    untouched = ("a, b = g[:, :-1], t[1:]\n",)


class PaddingLearned(Mutation):
    """Padding counts in the loss.

    What it does: Places that are filled up are predicted and counted as well.

    Why it is wrong: Short rows have most of them, so that much of what is learned is that padding
    follows padding; and the loss depends on the batch.

    How it shows: The loss is not what it should be, in batches of unlike lengths only.

    How to find it: Add columns of padding to a batch: its loss must stay.

    Other right fixes: `ignore_index`, a mask, or only real places picked.
    """

    id = "row-padding-learned"
    bug_class = "objective"
    stage = "loss"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("report",)
    hints = (
        "Does the loss of a batch depend on how far it is filled up?",
        "Add padding to a batch, and compare losses.",
        "Which places are summed, and by how many is that divided?",
    )
    killed_by = frozenset({"row-objective"})
    forms = (
        exchange(
            "not ignored",
            'F.cross_entropy(any_a, any_b, ignore_index=any_p, reduction="sum")',
            'F.cross_entropy(any_a, any_b, reduction="sum")',
        ),
        exchange(
            "divided by all",
            "any_s / (any_t != any_p).sum()",
            "any_s / any_t.numel()",
        ),
    )
    untouched = ("loss = F.cross_entropy(a, b)\n",)


class WeighedOtherwise(Mutation):
    """The weight stands at the wrong loss.

    What it does: The loss of the classes is weighed down, and that of tokens is whole.

    Why it is wrong: The classes are what is asked for; next tokens are beside that, and most of
    them cannot be predicted.

    How it shows: The classes are learned more slowly.

    How to find it: Take a weight of 0: what is left must be the loss of the classes.

    Other right fixes: Any sum in which the weight is that of the tokens.
    """

    id = "row-loss-weighed-otherwise"
    bug_class = "objective"
    stage = "loss"
    difficulty = "easy"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Which of the two losses is the one that counts?",
        "Set the weight to nothing, and see what is left.",
        "What is multiplied by the weight?",
    )
    killed_by = frozenset({"row-objective"})
    forms = (
        exchange(
            "the other",
            "return any_c + any_w * any_t",
            "return any_w * any_c + any_t",
        ),
    )
    untouched = ("loss = c + w * t\n",)
