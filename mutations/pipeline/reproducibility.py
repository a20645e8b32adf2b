"""Seeds do not decide what is drawn."""

from bugforge.mutation import Mutation

from .exchange import exchange


class GeneratorBySystem(Mutation):
    """Rows are drawn by another seed each time.

    What it does: The generator is seeded by the system, which seeds everything else anew as well.

    Why it is wrong: Nobody can get the same result again, not even to find a bug.

    How it shows: Two runs with one seed give other losses.

    How to find it: Train twice with one seed and compare.

    Other right fixes: The seed that was given, in each generator that is used.
    """

    id = "row-generator-unseeded"
    bug_class = "reproducibility"
    stage = "loop"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("report",)
    hints = (
        "Do two runs with one seed agree?",
        "Compare the first loss of two runs.",
        "Where does each generator's seed come from?",
    )
    killed_by = frozenset({"seeds"})
    hides = frozenset({"row-generator-not-saved", "row-optimizer-not-saved"})
    forms = (
        exchange(
            "by the system",
            "torch.Generator().manual_seed(any_s)",
            "torch.Generator().manual_seed(torch.seed())",
        ),
    )
    untouched = ("g = torch.Generator()\n",)


class WeightsBySystem(Mutation):
    """First weights do not come from the seed.

    What it does: Only the rows' generator is seeded.

    Why it is wrong: Weights and dropout are drawn from torch's own, which stands wherever it was
    left.

    How it shows: Two runs in one process with one seed give other losses.

    How to find it: Train twice in one process with one seed.

    Other right fixes: `torch.manual_seed` before the model is made.
    """

    id = "row-weights-unseeded"
    bug_class = "reproducibility"
    stage = "loop"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("report",)
    hints = (
        "Do two runs with one seed agree?",
        "Train twice in the same process.",
        "Which generator draws the weights?",
    )
    killed_by = frozenset({"seeds"})
    hides = frozenset({"row-generator-not-saved", "row-optimizer-not-saved"})
    forms = (
        exchange(
            "not seeded",
            "torch.manual_seed(any_s)",
            "",
            around="def train(s):\n    ...\n    return model(s)\n",
        ),
    )
    untouched = ("seed(s)\n",)


class NoiseUnseeded(Mutation):
    """Noise is drawn by another generator.

    What it does: Which labels are noise comes from torch's own generator.

    Why it is wrong: The rows of a seed are then other ones, wherever something else was drawn
    before.

    How it shows: Held-out rows of two runs differ in some labels.

    How to find it: Draw rows twice with one seed, and something else in between.

    Other right fixes: The generator that is handed in, for all that is drawn.
    """

    id = "row-noise-unseeded"
    bug_class = "reproducibility"
    stage = "data"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Does one seed always give the same rows?",
        "Draw the same rows twice in one process, and compare labels.",
        "Which draws have no generator?",
    )
    killed_by = frozenset({"seeds"})
    forms = (
        exchange(
            "no generator",
            "torch.rand(1, generator=any_g) < any_n",
            "torch.rand(1) < any_n",
        ),
    )
    untouched = ("x = torch.rand(2, generator=g) < n\n",)
