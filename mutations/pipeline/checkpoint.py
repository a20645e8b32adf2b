"""Checkpoints do not hold what a training goes on from."""

from bugforge.mutation import Mutation

from .exchange import exchange


class OptimizerLost(Mutation):
    """Checkpoints leave the optimizer out.

    What it does: Its moments and its count of steps are not kept.

    Why it is wrong: A training that goes on begins with empty moments, whose first steps are as
    long as the rate.

    How it shows: The loss jumps where training goes on.

    How to find it: Stop after an epoch, go on, and compare with a training that never stopped.

    Other right fixes: Keeping the state of all that has one.
    """

    id = "row-optimizer-not-saved"
    bug_class = "checkpoint"
    stage = "loop"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Does a training go on as if it had never stopped?",
        "Stop and go on, and compare weights in the end.",
        "Name all that has a state.",
    )
    killed_by = frozenset({"resumed"})
    forms = (
        exchange(
            "not named",
            '("model", "optimizer", any_a, any_b)',
            '("model", any_a, any_b)',
        ),
    )
    untouched = ('p = ("model", "optimizer")\n',)


class OwnGeneratorLost(Mutation):
    """The wrong generator is kept.

    What it does: In the place of the rows' generator stands the state of torch's own.

    Why it is wrong: What comes back is a generator that stands elsewhere: batches are others than
    they would have been.

    How it shows: Nothing shows but that a training that goes on ends elsewhere.

    How to find it: Stop after an epoch, go on, and compare batches.

    Other right fixes: The state of each generator that is drawn from.
    """

    id = "row-generator-not-saved"
    bug_class = "checkpoint"
    stage = "loop"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Does a training go on as if it had never stopped?",
        "Compare the first batch after going on.",
        "Which generators are drawn from on the way?",
    )
    killed_by = frozenset({"resumed"})
    forms = (
        exchange(
            "torch's own",
            "[any_s.generator.get_state(), torch.get_rng_state()]",
            "[torch.get_rng_state(), torch.get_rng_state()]",
        ),
    )
    untouched = ("g = [s.get_state()]\n",)
