"""Laws of generate, against the model's own logits."""

from collections.abc import Mapping

import numpy as np

from bugforge.checks import Evidence, Law, facts, tensors
from bugforge.probe import DRAWN_ON, SAMPLINGS
from bugforge.recordings import Array

CLEAR = 1e-3
"""Two logits nearer than this, as a share of the spread of all, may exchange by rounding."""


def wrong_tokens(seen: Evidence) -> float:
    """Share of greedy continuations that are not the likeliest next tokens, one by one, where each
    was clearly the likeliest.
    """
    return unlike(seen, "decode", "greedy/")


def wrongly_drawn(seen: Evidence) -> float:
    """Total variation between pairs of tokens drawn by default, one behind the other, and what the
    model's own logits say; or the share of continuations, drawn from the likeliest token alone,
    that are not greedy ones, where that is more.
    """
    return max(
        unlike(seen, "decode", "drawn/"),
        *(_pairs_apart(seen, row) for row in tensors(seen, "decode", "prompt/")),
    )


def unlike(seen: Evidence, instrument: str, prefix: str) -> float:
    """Share of clear continuations that are other tokens than were expected."""
    grown = tensors(seen, instrument, prefix)
    expected = tensors(seen, instrument, "expected/")
    clear = tensors(seen, instrument, "clear/")
    others = [
        not np.array_equal(mine, theirs)
        for name in grown
        for mine, theirs, choice in zip(grown[name], expected[name], clear[name], strict=True)
        if choice > CLEAR
    ]
    return float(np.mean(others)) if others else 0.0


def _pairs_apart(seen: Evidence, row: str) -> float:
    """Total variation of two tokens drawn behind one prompt; 1 where the prompt is lost."""
    prompt, drawn, first, second = (
        seen["decode"].tensors[f"{name}/{row}"]
        for name in ("prompt", "two drawn", "first logits", "second logits")
    )
    if drawn.shape[1:] != (prompt.size + 2,) or (drawn[:, : prompt.size] != prompt).any():
        return 1.0
    shares = np.stack([_distribution(logits) for logits in second.astype(np.float64)])
    counts = np.zeros_like(shares)
    np.add.at(counts, (drawn[:, -2], drawn[:, -1]), 1)
    return _variation(counts, _distribution(first.astype(np.float64))[:, None] * shares)


def own_spread(seen: Evidence) -> float:
    """Total variation between sampled tokens and what the model's own logits say, of the first that
    are drawn behind a prompt and of the last of several.
    """
    recorded = tensors(seen, "decode")
    return max(wrong_spread(recorded, recorded), _last_apart(recorded))


def _last_apart(recorded: Mapping[str, Array]) -> float:
    """Total variation of the last of several drawn tokens, each behind another text: of how often
    the likeliest was drawn, the second, and so on. It is 1 where one was drawn that is not kept.
    """
    logits, drawn = recorded["last logits"].astype(np.float64), recorded["last drawn"]
    own = np.take_along_axis(logits, drawn[:, None], axis=1)
    least = np.sort(logits, axis=1)[:, -int(DRAWN_ON["top_k"])]
    if (own[:, 0] < least - CLEAR).any():
        return 1.0
    shares = np.stack([_distribution(row, **DRAWN_ON) for row in logits])
    ranks = (logits > own).sum(axis=1)
    counts = np.bincount(ranks, minlength=logits.shape[1])
    return _variation(counts, np.sort(shares, axis=1)[:, ::-1].mean(axis=0))


def wrong_spread(drawn: Mapping[str, Array], from_: Mapping[str, Array]) -> float:
    """Total variation between the counts (V,) of tokens and the logits (V,) in another recording
    of decoding, over every way to draw and every row.
    """
    return max(
        _variation(counts, _distribution(logits.astype(np.float64), **SAMPLINGS[name]))
        for name in SAMPLINGS
        for counts, logits in zip(drawn[f"counts/{name}"], from_[f"logits/{name}"], strict=True)
    )


def forgotten_mode(seen: Evidence) -> float:
    """Count what generating does not leave as it was, of five things: the mode, in both modes, the
    tokens it is given, and whether gradients are kept, where they are and where not.
    """
    return sum(not restored for restored in facts(seen, "decode", "restored/").values())


def drawn_alike(seen: Evidence) -> float:
    """Whether many rows, drawn again, are all the same."""
    return float(facts(seen, "decode")["drawn again alike"])


def _distribution(logits: Array, temperature: float = 1.0, top_k: float | None = None) -> Array:
    kept = int(min(top_k or logits.size, logits.size))
    scaled = np.where(logits >= np.sort(logits)[-kept], logits / temperature, -np.inf)
    weights = np.exp(scaled - scaled.max())
    shares: Array = weights / weights.sum()
    return shares


def _variation(counts: Array, distribution: Array) -> float:
    if counts.shape != distribution.shape:
        return 1.0
    return float(np.abs(counts / counts.sum() - distribution).sum() / 2)


DECODING = (
    Law(
        "greedy",
        "sampling",
        "At temperature 0, generate appends the likeliest next token, again and again.",
        ("decode",),
        wrong_tokens,
        at_most=0.0,
        after=("shape", "finite"),
    ),
    Law(
        "sampling",
        "sampling",
        "Temperature and top_k shape the distribution that tokens are drawn from.",
        ("decode",),
        own_spread,
        at_most=0.08,
        after=("greedy",),
    ),
    Law(
        "drawn-in-turn",
        "sampling",
        "Drawn tokens are appended one by one, each by the text so far.",
        ("decode",),
        wrongly_drawn,
        at_most=0.12,
        after=("greedy", "sampling"),
    ),
    Law(
        "drawn-anew",
        "sampling",
        "Asked again, generate draws again: it has no seed of its own.",
        ("decode",),
        drawn_alike,
        at_most=0.0,
        after=("greedy", "sampling"),
    ),
    Law(
        "mode-restored",
        "sampling",
        "Generating leaves the model in the mode it was in, and all else as it was.",
        ("decode",),
        forgotten_mode,
        at_most=0.0,
    ),
)
