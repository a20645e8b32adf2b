"""Bugs of rows that arrive token by token."""

from bugforge.mutation import Mutation

from .exchange import exchange


class OffsetByOne(Mutation):
    """New tokens are one place too far.

    What it does: The offset is one more than the number of tokens that came.

    Why it is wrong: From the second token on, each has the position of the next.

    How it shows: Training shows nothing; rows that arrive token by token are classified otherwise.

    How to find it: Compare each step with a pass over all that came.

    Other right fixes: The number of tokens kept before the new one is added.
    """

    id = "row-stream-offset-by-one"
    bug_class = "stream"
    stage = "cache"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("report",)
    hints = (
        "Does a row mean the same, however it arrives?",
        "Compare, token by token, with a whole pass.",
        "Which position has the second token?",
    )
    killed_by = frozenset({"streamed"})
    forms = (
        exchange(
            "one more",
            "any_p[0].length if any_p[0] is not None else 0",
            "any_p[0].length + 1 if any_p[0] is not None else 0",
        ),
    )
    untouched = ("n = p.length if p is not None else 0\n",)


class KeysInFront(Mutation):
    """New keys stand in front of old ones.

    What it does: Keys are put together in the other order than values.

    Why it is wrong: Scores then belong to the values of other tokens.

    How it shows: Training shows nothing; rows that arrive token by token are classified by chance.

    How to find it: Compare each step with a pass over all that came.

    Other right fixes: One order for both: what came first stands first.
    """

    id = "row-stream-keys-in-front"
    bug_class = "stream"
    stage = "cache"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("report",)
    hints = (
        "Does a row mean the same, however it arrives?",
        "Compare, token by token, with a whole pass.",
        "In which order do keys stand, and in which values?",
    )
    killed_by = frozenset({"streamed"})
    forms = (
        exchange(
            "keys",
            "torch.cat([self.keys, any_k], dim=any_d)",
            "torch.cat([any_k, self.keys], dim=any_d)",
        ),
    )
    untouched = ("k = torch.cat([keys, k], dim=2)\n",)


class FirstLayerKept(Mutation):
    """The first layer remembers earlier rows.

    What it does: It is left out where the layers forget.

    Why it is wrong: The first layer's keys and values of the row before stay, and new tokens are
    placed behind them.

    How it shows: The first row is right and each one behind it is not; long streams run out of
    positions.

    How to find it: Stream one row twice.

    Other right fixes: Forgetting in every layer, or new pasts.
    """

    id = "row-stream-first-layer-kept"
    bug_class = "stream"
    stage = "cache"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Is the second row classified as it would be first?",
        "Stream the same row twice.",
        "Which layers forget?",
    )
    killed_by = frozenset({"streamed-anew"})
    forms = (
        exchange(
            "first layer",
            "for any_p in self.pasts:\n    any_p.clear()",
            "for any_p in self.pasts[1:]:\n    any_p.clear()",
        ),
    )
    untouched = ("for p in self.pasts:\n    p.close()\n",)
