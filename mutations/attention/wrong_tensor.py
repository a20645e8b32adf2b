"""One tensor of the attention is taken for another."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import find, render, same, swap, uses
from .parts import WEIGHTED, Roles, factors, maker, roles

HEAD = "def forward(self, x):\n"
MADE = "    q = self.query(x)\n    k = self.key(x)\n    v = self.value(x)\n"
TAIL = (
    "    att = (q @ k.mT) / math.sqrt(k.size(-1))\n"
    "    att = att.softmax(-1)\n"
    "    y = att @ v\n"
    "    return self.proj(y)\n"
)
CORRECT = HEAD + MADE + TAIL
GATE = "def gate(self, x):\n    a = self.left(x)\n    b = self.right(x)\n    return a @ b.mT\n"


def made_by(
    tensor: Callable[[Roles], str], other: Callable[[Roles], str]
) -> Callable[[cst.FunctionDef], Rewritten]:
    """Make a mutation that computes one of the three with the layer of another, or with another's
    part of what one layer makes.
    """

    def mutate(function: cst.FunctionDef) -> Rewritten:
        found = roles(function)
        if found is None:
            return None
        own, wrong = maker(function, tensor(found)), maker(function, other(found))
        if own is None or wrong is None or type(own) is not type(wrong) or same(own, wrong):
            return None
        return swap(function, own, wrong.deep_clone())

    return mutate


def query_of(found: Roles) -> str:
    """Name the queries."""
    return found.query


def key_of(found: Roles) -> str:
    """Name the keys."""
    return found.key


def value_of(found: Roles) -> str:
    """Name the values."""
    return found.value


def queries_twice(function: cst.FunctionDef) -> Rewritten:
    """Multiply the queries by themselves, where the keys are in use elsewhere too."""
    found = roles(function)
    if found is None or uses(function, found.key) <= 1:
        return None
    key = find(factors(found.scores)[1], m.Name(found.key))[0]
    return swap(function, key, cst.Name(found.query))


class TypoQForK(Mutation):
    """Queries and keys come from the same projection.

    What it does: The layer of one is used for both, or the queries are multiplied by themselves,
    and the other layer has no say.

    Why it is wrong: What a position looks for and what it offers become the same thing, so that
    scores are symmetric: if a likes b, b likes a.

    How it shows: Not in the loss nor in the sample. Only one projection gets no gradient, or no
    use.

    How to find it: List the parameters without a gradient after one backward pass.

    Other right fixes: None but giving queries and keys a projection each; which of the two layers
    makes which is a matter of names, unless weights are loaded.
    """

    id = "typo-q-for-k"
    bug_class = "typo"
    stage = "attention"
    difficulty = "hard"
    visibility = "invisible"
    provenance = (
        "Khaliladib11/Transformer-from-scratch#1",
        "huggingface/diffusers#13533",
        "report",
    )
    hints = (
        "The curves are nearly those of a correct model.",
        "Ask every parameter for its gradient.",
        "Read the three projections of the attention letter by letter, and what follows them.",
    )
    killed_by = frozenset({"forward", "moves"})
    hides = frozenset({"mask-fill-not-low-enough"})
    forms = (
        Form(
            "key-from-query",
            m.FunctionDef(),
            made_by(key_of, query_of),
            correct=CORRECT,
            buggy=CORRECT.replace("k = self.key(x)", "k = self.query(x)"),
        ),
        Form(
            "query-from-key",
            m.FunctionDef(),
            made_by(query_of, key_of),
            correct=CORRECT,
            buggy=CORRECT.replace("q = self.query(x)", "q = self.key(x)"),
        ),
        Form(
            "scores",
            m.FunctionDef(),
            queries_twice,
            correct=CORRECT,
            buggy=CORRECT.replace("q @ k.mT", "q @ q.mT"),
        ),
    )
    untouched = (GATE,)


class TypoKForV(Mutation):
    """The values come from the projection of the keys or of the queries.

    What it does: What is gathered is made by the same layer as what is compared; the layer of
    the values is never called.

    Why it is wrong: One projection must serve two ends: to be found, and to carry the content.

    How it shows: Not in the loss, which a small model brings down all the same. The layer of the
    values never moves.

    How to find it: Compare the parameters before and after a training step, or list those
    without a gradient.

    Other right fixes: Give the values their own projection of the input.
    """

    id = "typo-k-for-v"
    bug_class = "typo"
    stage = "attention"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("awslabs/sockeye#731",)
    hints = (
        "It learns, it writes, and yet a part of it sleeps.",
        "Which weights are the same before and after training?",
        "Check which layer makes what the attention weights are multiplied with.",
    )
    killed_by = frozenset({"forward", "moves"})
    forms = (
        Form(
            "from-key",
            m.FunctionDef(),
            made_by(value_of, key_of),
            correct=CORRECT,
            buggy=CORRECT.replace("v = self.value(x)", "v = self.key(x)"),
        ),
        Form(
            "from-query",
            m.FunctionDef(),
            made_by(value_of, query_of),
            correct=CORRECT,
            buggy=CORRECT.replace("v = self.value(x)", "v = self.query(x)"),
        ),
    )
    untouched = (GATE,)


def turned(function: cst.FunctionDef) -> Rewritten:
    """Exchange the axes of the weights before they meet the values."""
    found = roles(function)
    if found is None:
        return None
    weights, _ = factors(find(function, WEIGHTED)[0])
    if not isinstance(weights, cst.Name | cst.Call):
        return None
    text = f"{render(weights)}.transpose(-2, -1)"
    return swap(function, weights, cst.parse_expression(text))


class AttnWeightsTransposed(Mutation):
    """The attention weights are transposed before they meet the values.

    What it does: Position i gathers from j with the weight that j gave to i.

    Why it is wrong: The mask hides the future for each query. Turned round, it hides the past,
    and what comes later flows in.

    How it shows: The loss falls to nearly nothing, and the sample is garbage.

    How to find it: Change a late token: early logits move. Then compute one output row from the
    weights by hand.

    Other right fixes: Weights of shape (T queries, T keys) times values of shape (T keys, hs),
    as a matrix product or an einsum.
    """

    id = "attn-weights-transposed"
    bug_class = "typo"
    stage = "attention"
    difficulty = "medium"
    visibility = "leak"
    provenance = ("heykeetae/Self-Attention-GAN#11",)
    hints = (
        "The loss is too good to be true.",
        "The mask is right, and still the future comes through.",
        "In which order do the axes of the weights meet the values?",
    )
    killed_by = frozenset({"causality", "forward", "prefix-consistency"})
    forms = (
        Form(
            "turned",
            m.FunctionDef(),
            turned,
            correct=CORRECT,
            buggy=CORRECT.replace("att @ v", "att.transpose(-2, -1) @ v"),
        ),
    )
    untouched = (GATE, "def mix(att, v):\n    return att @ v\n")
