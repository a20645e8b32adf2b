"""Laws of what a training pipeline predicts, and of the metrics that it tells."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bugforge.checks import Evidence, Law, facts, tensors
from bugforge.distance import apart
from bugforge.recordings import Array

MODES = ("train", "eval")


def graphs_kept(seen: Evidence) -> float:
    """Count the predictions, of two, that keep a graph."""
    return float(sum(facts(seen, "pipeline-evaluation", "graph/").values()))


def modes_lost(seen: Evidence) -> float:
    """Count the modes, of two, that predicting does not leave a model in."""
    return float(sum(not kept for kept in facts(seen, "pipeline-evaluation", "kept/").values()))


def metrics_apart(seen: Evidence) -> float:
    """How far metrics that are told lie from those of the same scores, worked out anew."""
    told = facts(seen, "pipeline-evaluation", "told/")
    scores, truth = (tensors(seen, "pipeline-evaluation", n) for n in ("scores/", "truth/"))
    return max(
        abs(float(told[name][metric]) - value)
        for name in told
        for metric, value in measures(scores[name], truth[name]).items()
    )


def measures(scores: Array, labels: Array) -> dict[str, float]:
    """Work out accuracy, macro F1 and macro ROC-AUC, each class against the rest, of scores
    (N, classes).
    """
    predicted, classes = scores.argmax(axis=1), range(scores.shape[1])
    exps = np.exp(scores.astype(np.float64) - scores.max(axis=1, keepdims=True))
    shares = exps / exps.sum(axis=1, keepdims=True)
    return {
        "accuracy": float(np.mean(predicted == labels)),
        "f1": float(np.mean([_f1(predicted == c, labels == c) for c in classes])),
        "auc": float(np.mean([_auc(shares[:, c], labels == c) for c in classes])),
    }


def _f1(said: Array, true: Array) -> float:
    hits, all_ = int((said & true).sum()), int(said.sum() + true.sum())
    return 2 * hits / all_ if all_ else 0.0


def _auc(scores: Array, true: Array) -> float:
    """Share of pairs of one of the class and one of the rest that scores put right."""
    gaps = scores[true][:, None] - scores[~true][None, :]
    return float(np.mean((gaps > 0) + 0.5 * (gaps == 0)))


METRICS = (
    Law(
        "mode-kept",
        "eval",
        "Predicting leaves the model in the mode that it was in.",
        ("pipeline-evaluation",),
        modes_lost,
        at_most=0.0,
    ),
    Law(
        "drops",
        "classifier",
        "In train mode some is dropped, where `dropout` asks for it.",
        ("pipeline-evaluation",),
        lambda seen: float(not facts(seen, "pipeline-evaluation")["drops"]),
        at_most=0.0,
    ),
    Law(
        "graph-free",
        "eval",
        "Behind what is predicted no graph is kept.",
        ("pipeline-evaluation",),
        graphs_kept,
        at_most=0.0,
    ),
    Law(
        "metrics",
        "eval",
        "Accuracy, F1 and ROC-AUC are those that PROBLEM.md states.",
        ("pipeline-evaluation",),
        metrics_apart,
        at_most=1e-4,
    ),
)


def predictions_apart(seen: Evidence, pristine: Evidence) -> float:
    """How far the logits that are predicted of rows lie apart, and infinite where labels differ."""
    mine, theirs = (tensors(e, "pipeline-evaluation") for e in (seen, pristine))
    if any(not np.array_equal(mine[f"{m}/labels"], theirs[f"{m}/labels"]) for m in MODES):
        return float("inf")
    return max(apart(mine[f"{m}/logits"], theirs[f"{m}/logits"]) for m in MODES)


def told_alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two programs tell the same metrics."""
    return all(
        abs(one[name][metric] - value) <= 1e-4  # noqa: PLR2004  # the bound of `metrics`
        for name, told in other.items()
        for metric, value in told.items()
    )
