"""Ways to write what comes after the last block."""

from bugforge.rewrite import Restructuring, way

LOSS = "F.cross_entropy(logits.flatten(0, 1), targets.flatten())"
GPT = """\
class GPT(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.head = nn.Linear(config.n_embd, config.vocab_size, bias=False)

    def forward(self, x, targets):
        logits = self.head(x)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())
"""
EITHER = "if targets is None:\n    return logits, None\nloss = any_loss\nreturn logits, loss\n"


class Logits(Restructuring):
    """How the stream becomes logits."""

    id = "logits"
    ways = (
        way(
            "two-lines",
            ("logits = self.head(self.ln_f(x))", "x = self.ln_f(x)\nlogits = self.head(x)"),
        ),
    )


class Loss(Restructuring):
    """How logits and targets are laid out for the loss."""

    id = "loss"
    ways = (
        way(
            "viewed",
            (LOSS, "F.cross_entropy(logits.view(-1, logits.size(-1)), targets.reshape(-1))"),
        ),
        way(
            "classes-second",
            (LOSS, "F.cross_entropy(logits.transpose(1, 2), targets)"),
            exact=False,
            decoy=(
                "`cross_entropy` wants the classes on the second axis of what has more than two, "
                "so that logits (B, T, V) are turned to (B, V, T)."
            ),
        ),
        way(
            "a-module",
            (
                "self.head = any_head",
                "self.head = any_head\nself.criterion = nn.CrossEntropyLoss()",
            ),
            (LOSS, "self.criterion(logits.flatten(0, 1), targets.flatten())"),
            example=(
                GPT,
                GPT.replace("F.cross_entropy", "self.criterion").replace(
                    "bias=False)\n",
                    "bias=False)\n        self.criterion = nn.CrossEntropyLoss()\n",
                ),
            ),
        ),
        way(
            "reshaped",
            (LOSS, "F.cross_entropy(logits.reshape(-1, logits.size(-1)), targets.reshape(-1))"),
        ),
    )


class Targets(Restructuring):
    """What forward does where there are no targets."""

    id = "targets"
    ways = (
        way(
            "none-at-first",
            (
                EITHER,
                "loss = None\nif targets is not None:\n    loss = any_loss\nreturn logits, loss\n",
            ),
        ),
        way(
            "returned",
            (EITHER, "if targets is None:\n    return logits, None\nreturn logits, any_loss\n"),
        ),
    )
