"""Bugs of the rate's rise and fall."""

from bugforge.mutation import Mutation

from .exchange import exchange


class NoWarmUp(Mutation):
    """The rate begins at its highest.

    What it does: While it should rise, it is as high as it ever gets.

    Why it is wrong: At first Adam's steps are as long as the rate whatever the gradient. With six
    layers of post-norm, a few of these at full length lead to where nothing is learned any more.

    How it shows: The loss stays where chance is, on nearly every seed.

    How to find it: Print the rate of the first steps.

    Other right fixes: A rise over the steps that the configuration names.
    """

    id = "row-warm-up-missing"
    bug_class = "schedule"
    stage = "optim"
    difficulty = "medium"
    visibility = "flat"
    provenance = ("report",)
    hints = (
        "How do the first steps differ from later ones?",
        "Print the rate of each of the first steps.",
        "Should the first step be as long as any?",
    )
    killed_by = frozenset({"rates-kept"})
    forms = (
        exchange(
            "none",
            "return (any_s + 1) / any_w",
            "return 1.0",
            around="def share(s, w):\n    ...\n",
        ),
    )
    untouched = ("rate = (s + 1) / w\n",)


class FromZero(Mutation):
    """The first step has no rate.

    What it does: The rise begins at nothing.

    Why it is wrong: The first batch is learned by nobody, and the rate is late by one step all the
    way up.

    How it shows: Nothing shows but the first step.

    How to find it: Print the rate of the first step.

    Other right fixes: A rise that begins with one part of the whole.
    """

    id = "row-first-step-idle"
    bug_class = "schedule"
    stage = "optim"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("karpathy/nanoGPT#578",)
    hints = (
        "Does every step learn?",
        "Print the rate of the first step.",
        "With which number does the rise begin?",
    )
    killed_by = frozenset({"rates-kept"})
    forms = (
        exchange(
            "from zero",
            "return (any_s + 1) / any_w",
            "return any_s / any_w",
            around="def share(s, w):\n    ...\n",
        ),
    )
    untouched = ("rate = (s + 1) / w\n",)


class NeverStepped(Mutation):
    """The schedule never moves.

    What it does: It is made, and not told that steps are taken.

    Why it is wrong: The rate stays what it is at the first step, a small part of what it should
    be.

    How it shows: The loss falls very slowly.

    How to find it: Print the rate on the way.

    Other right fixes: A step of the schedule behind each of the optimizer, or rates set by hand.
    """

    id = "row-schedule-idle"
    bug_class = "schedule"
    stage = "loop"
    difficulty = "easy"
    visibility = "flat"
    provenance = ("measured",)
    hints = (
        "Does the rate move?",
        "Print the rate at the beginning and in the middle.",
        "Who tells the schedule that a step was taken?",
    )
    killed_by = frozenset({"rates-kept"})
    forms = (
        exchange(
            "not stepped",
            "any_s.schedule.step()",
            "",
            around="def learn(s):\n    ...\n    return s.loss\n",
        ),
    )
    untouched = ("s.step()\n",)
