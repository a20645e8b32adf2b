"""Bugs of the optimizer and its groups."""

from bugforge.mutation import Mutation

from .exchange import exchange


class NormsDecay(Mutation):
    """Biases and norms decay after all.

    What it does: Their group does not say that it decays by nothing, and AdamW decays by 0.01 of
    itself.

    Why it is wrong: A norm's weight that is drawn to zero scales the stream down, and a bias has
    nothing to be kept small for.

    How it shows: Nothing shows in short trainings.

    How to find it: Print the groups of the optimizer.

    Other right fixes: A decay of 0 for this group.
    """

    id = "row-norms-decay"
    bug_class = "optimizer"
    stage = "optim"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("report",)
    hints = (
        "Which parameters should decay?",
        "Print each group with its settings.",
        "What does AdamW take for what it is not told?",
    )
    killed_by = frozenset({"decayed"})
    forms = (
        exchange(
            "left to AdamW",
            '{"params": any_v, "weight_decay": 0.0}',
            '{"params": any_v}',
        ),
    )
    untouched = ('g = {"params": v, "lr": 0.0}\n',)


class DecayLeftOut(Mutation):
    """The weight decay of the configuration is not passed on.

    What it does: The group of matrices does not say how it decays.

    Why it is wrong: AdamW takes 0.01 then, whatever the configuration says.

    How it shows: Nothing shows in short trainings.

    How to find it: Set a large decay, and see whether anything changes.

    Other right fixes: Passing it in the group, or to the optimizer.
    """

    id = "row-decay-not-passed"
    bug_class = "optimizer"
    stage = "optim"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Does every field of the configuration do something?",
        "Print each group with its settings.",
        "What does AdamW take for what it is not told?",
    )
    killed_by = frozenset({"decayed"})
    forms = (
        exchange(
            "left to AdamW",
            '{"params": any_v, "weight_decay": any_c.weight_decay}',
            '{"params": any_v}',
        ),
    )
    untouched = ('g = {"params": v, "weight_decay": rate}\n',)


class AdamNotW(Mutation):
    """Adam decays by the gradient.

    What it does: The optimizer is Adam, where decay is added to the gradients.

    Why it is wrong: Adam divides it by the size of each gradient, so that what is rarely taught
    decays most. AdamW keeps the two apart.

    How it shows: Learning is somewhat worse.

    How to find it: Compare three steps with those of AdamW.

    Other right fixes: AdamW, or decay by hand apart from the gradients.
    """

    id = "row-adam-not-w"
    bug_class = "optimizer"
    stage = "optim"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Is the optimizer the one that PROBLEM.md names?",
        "Compare a few steps with what PROBLEM.md says.",
        "One letter.",
    )
    killed_by = frozenset({"row-updates"})
    forms = (
        exchange(
            "Adam",
            "torch.optim.AdamW(any_g, lr=any_r)",
            "torch.optim.Adam(any_g, lr=any_r)",
        ),
    )
    untouched = ("o = torch.optim.SGD(g, lr=r)\n",)
