"""Ways to write how a text becomes batches."""

from bugforge.rewrite import Restructuring, way


class Windows(Restructuring):
    """How windows are cut out of the data."""

    id = "windows"
    ways = (
        way(
            "stacked",
            (
                "data[starts[:, None] + torch.arange(span)]",
                "torch.stack([data[start : start + span] for start in starts])",
            ),
        ),
        way(
            "unfolded",
            ("data[starts[:, None] + torch.arange(span)]", "data.unfold(0, span, 1)[starts]"),
        ),
        way(
            "lifted",
            (
                "data[starts[:, None] + torch.arange(span)]",
                "data[starts.unsqueeze(1) + torch.arange(span)]",
            ),
        ),
    )


class Shift(Restructuring):
    """How a window is cut into inputs and targets."""

    id = "shift"
    ways = (
        way(
            "named",
            (
                "return windows[:, :-1], windows[:, 1:]",
                "inputs, targets = windows[:, :-1], windows[:, 1:]\nreturn inputs, targets",
            ),
        ),
        way(
            "whole-targets",
            (
                "return windows[:, :-1], windows[:, 1:]",
                "inputs = windows[:, :-1]\ntargets = windows[:, 1:]\nreturn inputs, targets",
            ),
        ),
    )


class Edges(Restructuring):
    """How starts beyond an edge are moved onto it."""

    id = "edges"
    ways = (
        way("of-torch", ("starts.clamp(0, last)", "torch.clamp(starts, 0, last)")),
        way("named", ("starts.clamp(0, last)", "starts.clamp(min=0, max=last)")),
    )


class Letters(Restructuring):
    """How letters are numbered."""

    id = "letters"
    ways = (
        way(
            "zipped",
            (
                "{char: i for i, char in enumerate(self.chars)}",
                "dict(zip(self.chars, range(len(self.chars))))",
            ),
        ),
        way(
            "tokens",
            (
                "{char: i for i, char in enumerate(self.chars)}",
                "{char: token for token, char in enumerate(self.chars)}",
            ),
        ),
    )


class Encoding(Restructuring):
    """How a text becomes tokens."""

    id = "encoding"
    subjects = ("language", "pipeline")
    ways = (
        way("typed", ("torch.tensor(any_list)", "torch.tensor(any_list, dtype=torch.long)")),
        way("long", ("torch.tensor(any_list)", "torch.LongTensor(any_list)")),
    )


class Decoding(Restructuring):
    """How tokens become a text."""

    id = "decoding"
    ways = (
        way(
            "listed",
            (
                '"".join(self.chars[token] for token in tokens)',
                '"".join([self.chars[token] for token in tokens])',
            ),
        ),
        way(
            "in-a-loop",
            (
                'return "".join(self.chars[token] for token in tokens)',
                'text = ""\nfor token in tokens:\n    text += self.chars[token]\nreturn text',
            ),
        ),
        way(
            "mapped",
            (
                '"".join(self.chars[token] for token in tokens)',
                '"".join(map(self.chars.__getitem__, tokens))',
            ),
        ),
    )
