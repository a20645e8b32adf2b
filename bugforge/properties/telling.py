"""What any classifier is held to: its losses, and what is told of how many are right."""

from bugforge.checks import Evidence, facts


def wrong_losses(instrument: str, seen: Evidence) -> float:
    """How far a loss of forward lies from what it should be, at the most, as a share of it."""
    if not all(facts(seen, instrument, "nothing/").values()):
        return float("inf")
    told, expected = (facts(seen, instrument, f"{part}/") for part in ("loss", "expected"))
    return float(max(abs(told[n] - expected[n]) / abs(expected[n]) for n in expected))


def told_accuracy_apart(instrument: str, seen: Evidence) -> float:
    """How far the share that `accuracy` tells lies from the one there is."""
    told, right = (facts(seen, instrument, f"{part}/") for part in ("told", "right"))
    return float(max(abs(told[name] - right[name]) for name in right))


def graphs_kept(instrument: str, seen: Evidence) -> float:
    """Count the modes in which a model is measured with gradients."""
    return float(sum(facts(seen, instrument, "graph/").values()))


def modes_lost(instrument: str, seen: Evidence) -> float:
    """Count the modes that measuring does not restore."""
    return float(sum(not kept for kept in facts(seen, instrument, "restored/").values()))
