"""The attention is cut off from the gradients."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import (
    LAYER_OF_NAME,
    SCORES,
    SOFTMAX,
    assigned,
    find,
    line,
    render,
    softmaxed,
    swap,
    with_lines,
)

ATTENDING = """def forward(self, x):
    q = self.query(x)
    k = self.key(x)
    v = self.value(x)
    att = (q @ k.mT).softmax(-1)
    return self.proj(att @ v)
"""
SPLITTING = """class Attention(nn.Module):
    def split(self, x):
        return x.unflatten(-1, (self.n_head, -1)).transpose(1, 2)

    def forward(self, x):
        q = self.split(self.query(x))
        k = self.split(self.key(x))
        v = self.split(self.value(x))
        att = (q @ k.mT).softmax(-1)
        return self.proj(att @ v)
"""


def unlearned(statement: cst.SimpleStatementLine) -> Rewritten:
    """Detach what the softmax reads."""
    softmax = find(statement, SOFTMAX)[0]
    assert isinstance(softmax, cst.Call)
    scores = softmaxed(softmax)
    if not isinstance(scores, cst.Name):
        return None
    return swap(statement, scores, cst.parse_expression(f"{scores.value}.detach()"))


class DetachAttention(Mutation):
    """The attention scores are cut off from the gradients.

    What it does: The softmax reads a detached copy of the scores.

    Why it is wrong: No gradient flows back into queries and keys, so where a position looks is
    never learned; it stays what chance made it.

    How it shows: The loss falls more slowly and ends a little high, and the sample can still come
    out right.

    How to find it: After one backward pass, list the parameters whose gradient is None.

    Other right fixes: Let the scores go into the softmax as they are; if a copy is needed to look
    at, detach that one.
    """

    id = "detach-attention"
    bug_class = "training-step"
    stage = "attention"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "A part of the model does not learn.",
        "Look at the gradients of the attention, layer by layer.",
        "Somewhere between the scores and the weights the graph is cut.",
    )
    killed_by = frozenset({"gradient-flow", "moves"})
    forms = (
        Form(
            "scores",
            line(assigned(SOFTMAX)),
            unlearned,
            correct="att = q @ k.mT\natt = F.softmax(att, dim=-1)\n",
            buggy="att = q @ k.mT\natt = F.softmax(att.detach(), dim=-1)\n",
            inside=SCORES,
        ),
    )
    untouched = (
        "probs = F.softmax(logits, dim=-1)\n",
        "att = (q @ k.mT).softmax(-1)\n",
    )


MADE = line(assigned(LAYER_OF_NAME | m.Call(args=[m.Arg(LAYER_OF_NAME)])))
"""The line k = self.key(x), or k = self.split_heads(self.key(x))."""

PROJECTIONS = 3

ATTENTION = SCORES | m.Call(func=m.Attribute(attr=m.Name("scaled_dot_product_attention")))

SPLIT_BY = m.Call(func=m.Attribute(value=m.Name("self")), args=[m.Arg(LAYER_OF_NAME)])
"""What a layer gives, handed on to a method: self.split_heads(self.key(x))."""


def without_gradients(function: cst.FunctionDef) -> Rewritten:
    """Make queries, keys and values where nothing is noted for the backward pass."""
    block = function.body
    if not makes_all(function) or not isinstance(block, cst.IndentedBlock):
        return None
    start, *rest = (i for i, own in enumerate(block.body) if m.matches(own, MADE))
    end = start + len(rest) + 1
    if rest != list(range(start + 1, end)):
        return None
    context = cst.With(
        [cst.WithItem(cst.parse_expression("torch.no_grad()"))],
        cst.IndentedBlock(block.body[start:end]),
    )
    return function.with_changes(body=with_lines(block, start, end, [context]))


def decorated(definition: cst.ClassDef) -> Rewritten:
    """Have the method that splits all three note nothing for the backward pass."""
    for function in find(definition, m.FunctionDef()):
        assert isinstance(function, cst.FunctionDef)
        if makes_all(function):
            splits = {splitter(made) for made in find(function, MADE)}
            for method in find(definition, m.FunctionDef(decorators=[])):
                assert isinstance(method, cst.FunctionDef)
                if splits == {method.name.value}:
                    nothing = cst.Decorator(cst.parse_expression("torch.no_grad()"))
                    return swap(definition, method, method.with_changes(decorators=[nothing]))
    return None


def makes_all(function: cst.FunctionDef) -> bool:
    """Whether an attention makes queries, keys and values of one input, in a line each."""
    layers = [find(made, LAYER_OF_NAME)[0] for made in find(function, MADE)]
    read = {render(find(layer, m.Arg())[0]) for layer in layers}
    return len(layers) == PROJECTIONS and len(read) == 1 and bool(find(function, ATTENTION))


def splitter(made: cst.CSTNode) -> str:
    """Name the method that a line hands on to what a layer gives; empty where there is none."""
    for call in find(made, SPLIT_BY):
        assert isinstance(call, cst.Call)
        assert isinstance(call.func, cst.Attribute)
        return call.func.attr.value
    return ""


class NogradAttention(Mutation):
    """Queries, keys and values are made without gradients.

    What it does: The three projections run under torch.no_grad(), or the method does that splits
    what they give into heads.

    Why it is wrong: Nothing that happens there is noted for the backward pass, were it a mere
    change of shape. The projections are never learned, and what comes before them hears nothing of
    the attention's mistakes.

    How it shows: Hardly: the loss falls more slowly and ends a little high, and the sample comes
    out right.

    How to find it: After one backward pass, list the parameters whose gradient is None.

    Other right fixes: no_grad belongs around evaluation and generation, where nothing is learned.
    """

    id = "nograd-attention"
    bug_class = "training-step"
    stage = "attention"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("LunaBlack/KGAT-pytorch#15",)
    hints = (
        "It learns, but not with all that it has.",
        "Which parameters get no gradient, and what have they in common?",
        "Where in the program may gradients be switched off, and where are they?",
    )
    killed_by = frozenset({"gradient-flow", "moves"})
    forms = (
        Form(
            "context",
            m.FunctionDef(),
            without_gradients,
            correct=ATTENDING,
            buggy=(
                "def forward(self, x):\n"
                "    with torch.no_grad():\n"
                "        q = self.query(x)\n"
                "        k = self.key(x)\n"
                "        v = self.value(x)\n"
                "    att = (q @ k.mT).softmax(-1)\n"
                "    return self.proj(att @ v)\n"
            ),
        ),
        Form(
            "decorator",
            m.ClassDef(),
            decorated,
            correct=SPLITTING,
            buggy=SPLITTING.replace("    def split", "    @torch.no_grad()\n    def split"),
        ),
    )
    untouched = (
        "def gate(self, x):\n    a = self.left(x)\n    b = self.right(x)\n    return a @ b.mT\n",
        (
            "def forward(self, x):\n"
            "    q, k, v = self.qkv(x).chunk(3, dim=-1)\n"
            "    att = (q @ k.mT).softmax(-1)\n"
            "    return self.proj(att @ v)\n"
        ),
        SPLITTING.replace("v = self.split(self.value(x))", "v = self.value(x)").replace(
            "        q =", "        x = self.norm(x)\n        q ="
        ),
    )
