"""Laws of padded rows: each is computed as if it stood alone."""

from bugforge.checks import Evidence, Law, facts, tensors
from bugforge.distance import apart
from bugforge.properties.decoding import unlike


def padded_apart(seen: Evidence) -> float:
    """How far the logits of padded rows lie from those of each row alone, padding aside."""
    alone = tensors(seen, "ragged", "alone/")
    return max(
        apart(logits, alone[name.partition("/")[0]])
        for name, logits in tensors(seen, "ragged", "ragged/").items()
    )


def other_tokens(seen: Evidence) -> float:
    """Share of the continuations of padded prompts that are others than of each alone, where the
    choice of tokens was clear.
    """
    return unlike(seen, "ragged", "grown/")


def cost_of_padding(seen: Evidence) -> float:
    """How many times more operations padding makes of generating; or how many times fewer there
    are than the rows take alone, without padding: what is fewer was not counted.
    """
    counts = facts(seen, "ragged", "operations/").values()
    return max(
        float(max(told["padded"] / told["without"], told["alone"] / told["padded"]))
        for told in counts
    )


RAGGED = (
    Law(
        "ragged",
        "cache",
        "A row that is padded on the left gets the logits that it gets alone, behind caches, too.",
        ("ragged",),
        padded_apart,
        at_most=1e-4,
        after=("shape", "finite", "causality"),
    ),
    Law(
        "ragged-greedy",
        "cache",
        "Prompts of unlike length, padded on the left, are continued as each is alone.",
        ("ragged",),
        other_tokens,
        at_most=0.0,
    ),
    Law(
        "ragged-cost",
        "cache",
        "With padding, too, a token that is generated costs one token's work.",
        ("ragged",),
        cost_of_padding,
        at_most=1.5,
    ),
)
