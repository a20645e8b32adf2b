"""From recordings to readings: every law and every comparison, in order."""

from collections.abc import Iterable

from bugforge.checks import Evidence, Law, Reading
from bugforge.comparison import COMPARISONS, Comparison
from bugforge.mutation import RUNS
from bugforge.properties import LAWS

ORDER = (
    "shape",
    "finite",
    "parameters",
    "init-finite",
    "trainable",
    "position-scale",
    "init-loss",
    "token-heard",
    "causality",
    "sees-past",
    "sees-itself",
    "order",
    "position",
    "batch-independence",
    "prefix-consistency",
    "eval-deterministic",
    "forward",
    "windows",
    "objective",
    "steps-taken",
    "loss-of-targets",
    "gradient",
    "fresh-gradient",
    "moves",
    "gradient-flow",
    "update",
    "losses",
    "one-optimizer",
    "training-moves",
    "one-rate",
    "schedule",
    "seeded",
    "greedy",
    "sampling",
    "drawn-in-turn",
    "drawn-anew",
    "decoding",
    "sample-greedy",
    "sample-told",
    "mode-restored",
    "beginning",
    "dropout-off",
    "dropout",
    "places-dropped",
    "weights-dropped",
    "generates-without-dropout",
    "learns-with-dropout",
    "evaluations",
    "evaluates-held-out",
    "evaluation",
    "cached",
    "cache-length",
    "cache-append",
    "caches-apart",
    "cached-cost",
    "prompt-cost",
    "prompt-at-once",
    "cached-once",
    "ragged",
    "ragged-greedy",
    "ragged-cost",
    "classifier-off",
    "classifier-parameters",
    "language-unchanged",
    "classes",
    "losses-given",
    "classes-teach",
    "generates-with-classes",
    "joint-loss",
    "joint-gradient",
    "joint-clipped",
    "trained-alike",
    "accuracy-told",
    "accuracy-mode",
    "accuracy-graph-free",
    "main-classifies",
    "classes-learned",
    "language-learned",
    "rows-shape",
    "rows-parameters",
    "padding-kept-out",
    "rows",
    "rows-losses",
    "rows-teach",
    "rows-accuracy",
    "rows-mode",
    "rows-graph-free",
    "rows-training",
    "rows-fields",
    "rows-steps",
    "rows-moves",
    "rows-gradient",
    "rows-learned",
    "product-shapes",
    "products",
    "operands-kept",
    "backward-shapes",
    "backward",
    "product-gradients",
    "given-kept",
    "gradcheck",
    "own-function",
    "saved-operands",
    "saved-nowhere-else",
    "saved-guarded",
    "scan-count",
    "scan-states",
    "scan-additions",
    "prefix-sums",
    "tiles-kept",
    "tile-products",
    "tiled-product",
    "tiles-scanned",
    "drawn-rows",
    "halves",
    "halves-drawn",
    "batches-whole",
    "batches-shuffled",
    "batch-labels",
    "batch-padding",
    "padding-unread",
    "later-unread",
    "row-logits",
    "half",
    "later-unread-ever",
    "row-objective",
    "decayed",
    "rates-kept",
    "row-gradients",
    "row-updates",
    "half-gradients",
    "half-used",
    "faint-gradients",
    "main-runs",
    "half-rates",
    "seeds",
    "training-told",
    "resumed",
    "saved-each-epoch",
    "scale-resumed",
    "mode-kept",
    "drops",
    "graph-free",
    "predictions",
    "metrics",
    "train-mode",
    "epochs-learned",
    "losses-of-steps",
    "held-out-judged",
    "streamed",
    "streamed-anew",
    "streamed-once",
    "stream-graph-free",
)
"""Every law and comparison, none before one that it depends on."""


def judge(seen: Evidence, pristine: Evidence) -> dict[str, Reading]:
    """Hold a program's recordings to every check; readings by name, in order."""
    readings = {RUNS: runs(seen, pristine)}
    for check in checks(pristine):
        readings[check.name] = (
            check.judge(seen, readings)
            if isinstance(check, Law)
            else check.judge(seen, pristine, readings)
        )
    return readings


def runs(seen: Evidence, pristine: Evidence) -> Reading:
    """Count the instruments that ended in an exception."""
    crashed = [name for name in pristine if name not in seen or seen[name].crash is not None]
    return Reading(
        RUNS,
        "loop",
        "The program imports, and does all that it is asked for without an error.",
        not crashed,
        float(len(crashed)),
        0.0,
    )


def checks(instruments: Iterable[str]) -> list[Law | Comparison]:
    """Give every law and comparison of what some instruments record, each after those that it
    depends on.
    """
    by_name: dict[str, Law | Comparison] = {c.name: c for c in (*LAWS, *COMPARISONS)}
    return [by_name[name] for name in ORDER if set(by_name[name].needs) <= set(instruments)]
