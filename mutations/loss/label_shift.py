"""The loss compares logits with the wrong tokens."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import CROSS_ENTROPY, LAYER_OF_NAME, find, render, root, swap, uses

FLAT = m.Call(
    func=m.Attribute(value=m.Name(), attr=m.Name("flatten") | m.Name("reshape") | m.Name("view")),
)
FLAT_CROSS_ENTROPY = m.Call(
    func=m.Attribute(attr=m.Name("cross_entropy")),
    args=[m.Arg(FLAT), m.Arg(FLAT), m.ZeroOrMore()],
)
"""A cross-entropy over all positions of all rows."""

CLASSIFIER = "loss = F.cross_entropy(scores, labels)\n"


def on_inputs(function: cst.FunctionDef) -> Rewritten:
    """Score the logits against the tokens that they were made from."""
    losses = find(function, CROSS_ENTROPY)
    optional = {param.name.value for param in function.params.params if param.default is not None}
    given = {param.name.value for param in function.params.params} - optional
    embedded = [
        root(call.args[0].value)
        for call in find(function, LAYER_OF_NAME)
        if isinstance(call, cst.Call) and root(call.args[0].value) in given
    ]
    if len(losses) != 1 or not embedded:
        return None
    loss = losses[0]
    assert isinstance(loss, cst.Call)
    targets = root(loss.args[1].value)
    if targets not in optional or uses(function.body, targets) <= 1:
        return None
    name = find(loss.args[1].value, m.Name(targets))[0]
    return swap(function, name, cst.Name(embedded[0]))


def sliced_again(call: cst.Call) -> Rewritten:
    """Shift logits and targets against each other along the time, before they are flattened."""
    logits, targets = (arg.value for arg in call.args[:2])
    assert isinstance(logits, cst.Call)
    assert isinstance(targets, cst.Call)
    if find(call, m.Attribute(attr=m.Name("view"))):
        return None  # a view of a slice is an error
    call = swap(call, logits, of_slice(logits, ":, :-1"))
    return swap(call, targets, of_slice(targets, ":, 1:"))


def of_slice(flattening: cst.Call, indices: str) -> cst.Call:
    """Flatten a slice of what is flattened."""
    assert isinstance(flattening.func, cst.Attribute)
    tensor = flattening.func.value
    return swap(flattening, tensor, cst.parse_expression(f"{render(tensor)}[{indices}]"))


def shifted_flat(call: cst.Call) -> Rewritten:
    """Shift logits and targets against each other after they are flattened."""
    logits, targets = (arg.value for arg in call.args[:2])
    call = swap(call, logits, cst.parse_expression(f"{render(logits)}[:-1]"))
    return swap(call, targets, cst.parse_expression(f"{render(targets)}[1:]"))


class ShiftNone(Mutation):
    """The loss scores the logits against the input tokens themselves.

    What it does: The position of token t is rewarded for giving token t, not token t + 1; the
    targets that come in are only asked whether they are there.

    Why it is wrong: The right answer is the token just read, so the model learns to repeat its
    input.

    How it shows: The loss falls to zero within some dozen steps, even on random tokens, and the
    sample repeats one character.

    How to find it: Give the loss tokens at random: no honest model gets below ln V on them.

    Other right fixes: Score against the targets, which are one token ahead already; or drop them
    and shift here, logits without the last position and tokens without the first.
    """

    id = "shift-none"
    bug_class = "label-shift"
    stage = "loss"
    difficulty = "medium"
    visibility = "leak"
    provenance = ("huggingface/transformers#404", "macrocosm-os/pretraining#64", "report")
    hints = (
        "It solves its task perfectly. Which task?",
        "Train it on random tokens for a few steps and watch the loss.",
        "Say in words what the loss compares the logits with.",
    )
    killed_by = frozenset({"objective"})
    hides = frozenset(
        {"eval-average-wrong", "eval-mode-missing", "eval-not-restored", "train-in-eval-mode"}
    )
    forms = (
        Form(
            "inputs",
            m.FunctionDef(),
            on_inputs,
            correct=(
                "def forward(self, idx, targets=None):\n"
                "    logits = self.lm(idx)\n"
                "    if targets is None:\n"
                "        return logits\n"
                "    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())\n"
            ),
            buggy=(
                "def forward(self, idx, targets=None):\n"
                "    logits = self.lm(idx)\n"
                "    if targets is None:\n"
                "        return logits\n"
                "    return F.cross_entropy(logits.flatten(0, 1), idx.flatten())\n"
            ),
        ),
    )
    untouched = (
        CLASSIFIER,
        "def loss(self, image, labels):\n    return F.cross_entropy(self.net(image), labels)\n",
    )


class ShiftDouble(Mutation):
    """The loss shifts targets that are shifted already.

    What it does: The targets come one token ahead, and the loss moves them once more: position t
    learns token t + 2.

    Why it is wrong: A shift belongs in one place, in the data or in the loss. Together they skip
    a token.

    How it shows: The loss looks healthy from beginning to end; only the sample is garbage, since
    it leaves out every second token.

    How to find it: Compute the cross-entropy of the logits and the targets of one batch yourself
    and compare it with the loss that comes back.

    Other right fixes: Keep the shift in the data and none in the loss, or the reverse.
    """

    id = "shift-double"
    bug_class = "label-shift"
    stage = "loss"
    difficulty = "hard"
    visibility = "decode"
    provenance = (
        "huggingface/transformers#47394",
        "huggingface/transformers#46898",
        "huggingface/transformers#37830",
    )
    hints = (
        "The loss is honest work, and still the sample is wrong.",
        "Follow one token from the text to the place where it is a target.",
        "Count how often the labels are shifted on their way.",
    )
    killed_by = frozenset({"objective"})
    hides = frozenset(
        {"eval-average-wrong", "eval-mode-missing", "eval-not-restored", "train-in-eval-mode"}
    )
    forms = (
        Form(
            "slices",
            FLAT_CROSS_ENTROPY,
            sliced_again,
            correct="loss = F.cross_entropy(z.flatten(0, 1), y.flatten())\n",
            buggy="loss = F.cross_entropy(z[:, :-1].flatten(0, 1), y[:, 1:].flatten())\n",
        ),
        Form(
            "flat",
            FLAT_CROSS_ENTROPY,
            shifted_flat,
            correct="loss = F.cross_entropy(logits.reshape(-1, V), targets.reshape(-1))\n",
            buggy="loss = F.cross_entropy(logits.reshape(-1, V)[:-1], targets.reshape(-1)[1:])\n",
        ),
    )
    untouched = (
        CLASSIFIER,
        "loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), idx[:, 1:].flatten())\n",
    )
