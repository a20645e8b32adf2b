"""Laws of a model as it is built, before any training."""

import numpy as np

from bugforge.checks import Evidence, Law, facts, tensors
from bugforge.probe import BLOCK, SIZES, VOCAB
from bugforge.recordings import Array


def not_finite(seen: Evidence) -> float:
    """Share of initial weights that are NaN or infinite, fresh memory being full of NaN."""
    weights = np.concatenate([w.ravel() for w in tensors(seen, "construct").values()])
    return float(1 - np.isfinite(weights).mean())


def frozen(seen: Evidence) -> float:
    """Count parameters that no gradient may reach."""
    return sum(not trainable for trainable in facts(seen, "construct")["trainable"].values())


def position_scale(seen: Evidence) -> float:
    """Spread of the position table over that of the token table, both known by their shapes."""
    weights = tensors(seen, "construct").values()
    width = SIZES["n_embd"]
    positions = [w.std() for w in weights if _axes(w) == {BLOCK, width}]
    tokens = [w.std() for w in weights if _axes(w) == {VOCAB, width}]
    return float(max(positions, default=0.0) / max(tokens, default=1.0))


def surprise(seen: Evidence) -> float:
    """Distance of the mean cross-entropy on random tokens from ln V, in nats."""
    losses = []
    for logits in tensors(seen, "initial", "base/").values():
        spread = logits.astype(np.float64)
        norm = np.log(np.exp(spread).sum(-1))
        losses.append(float((norm - spread.mean(-1)).mean()))
    return abs(float(np.mean(losses)) - float(np.log(VOCAB)))


def token_heard(seen: Evidence) -> float:
    """How far other tokens move the logits, over how far other positions do."""
    rounds = tensors(seen, "initial", "base/")
    by_token = [np.abs(rounds[r] - tensors(seen, "initial", "other/")[r]).mean() for r in rounds]
    constant = tensors(seen, "initial", "constant/").values()
    by_position = [np.abs(logits - logits.mean(1, keepdims=True)).mean() for logits in constant]
    loudest = float(np.mean(by_position))
    return float(np.mean(by_token)) / loudest if loudest > 0 else float("inf")


def _axes(weight: Array) -> set[int]:
    return {size for size in weight.shape if size > 1}


CONSTRUCTION = (
    Law(
        "init-finite",
        "embedding",
        "Every weight of a fresh model is a number that somebody chose.",
        ("construct",),
        not_finite,
        at_most=0.0,
    ),
    Law(
        "trainable",
        "embedding",
        "Training may change every parameter of the model.",
        ("construct",),
        frozen,
        at_most=0.0,
    ),
    Law(
        "position-scale",
        "embedding",
        "Positions begin about as large as tokens, so that neither drowns the other.",
        ("construct",),
        position_scale,
        at_most=3.6,
        after=("init-finite",),
    ),
    Law(
        "init-loss",
        "head",
        "A fresh model finds every token about equally likely.",
        ("initial",),
        surprise,
        at_most=0.5,
        after=("init-finite", "finite"),
    ),
    Law(
        "token-heard",
        "embedding",
        "A fresh model answers to which token it reads, and not only to where.",
        ("initial",),
        token_heard,
        at_least=0.3,
        after=("init-finite", "finite"),
    ),
)
