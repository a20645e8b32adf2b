"""Weights begin otherwise than they were meant to, or are two where one was meant."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import find, line, render
from .parts import TIE

ENDING = m.Call(
    func=m.Attribute(m.Name(), m.Name("endswith")),
    args=[m.Arg(m.SimpleString(m.MatchRegex(r"""["'][a-z]\w*\.weight["']""")))],
)
"""name.endswith("proj.weight")"""

DRAWN = m.Call(func=m.Attribute(attr=m.Name(m.MatchRegex(r"(normal|trunc_normal)_"))))

BOTH = m.Call(
    func=m.Name("isinstance"),
    args=[
        m.Arg(m.Name()),
        m.Arg(
            m.Tuple(
                [
                    m.Element(m.Attribute(attr=m.Name("Linear"))),
                    m.Element(m.Attribute(attr=m.Name("Embedding"))),
                ]
            )
        ),
    ],
)
"""isinstance(module, (nn.Linear, nn.Embedding))"""

TIED = """class Model(nn.Module):
    def __init__(self, n, width):
        super().__init__()
        self.table = nn.Embedding(n, width)
        self.out = nn.Linear(width, n, bias=False)
        self.apply(self.begin)
        self.out.weight = self.table.weight
        for name, parameter in self.named_parameters():
            if name.endswith("last.weight"):
                nn.init.normal_(parameter, std=0.01)

    def begin(self, layer):
        if isinstance(layer, (nn.Linear, nn.Embedding)):
            nn.init.normal_(layer.weight, std=0.02)
"""


def cloned(statement: cst.SimpleStatementLine) -> Rewritten:
    """Give the head a copy of the table."""
    assign = cst.ensure_type(statement.body[0], cst.Assign)
    copy = cst.parse_expression(f"nn.Parameter({render(assign.value)}.clone())")
    return statement.with_changes(body=[assign.with_changes(value=copy)])


def never_ending(call: cst.Call) -> Rewritten:
    """Look for a name that no parameter has."""
    end = cst.ensure_type(call.args[0].value, cst.SimpleString)
    quote, name = end.value[0], end.value[1:]
    return call.with_changes(
        args=[call.args[0].with_changes(value=end.with_changes(value=f"{quote}c_{name}"))]
    )


def begun_again(block: cst.IndentedBlock) -> Rewritten:
    """Begin all weights behind the loop that begins some of them otherwise."""
    applied = [
        i
        for i, s in enumerate(block.body)
        if m.matches(s, line(m.Expr(m.Call(func=m.Attribute(m.Name("self"), m.Name("apply"))))))
    ]
    loops = [
        i
        for i, s in enumerate(block.body)
        if isinstance(s, cst.For) and find(s, ENDING) and find(s, DRAWN)
    ]
    if len(applied) != 1 or len(loops) != 1 or applied[0] > loops[0]:
        return None
    lines = list(block.body)
    lines.insert(loops[0], lines.pop(applied[0]))
    return block.with_changes(body=lines)


def linear_only(call: cst.Call) -> Rewritten:
    """Leave tables as they were made."""
    pair = cst.ensure_type(call.args[1].value, cst.Tuple)
    return call.with_changes(
        args=[call.args[0], call.args[1].with_changes(value=pair.elements[0].value)]
    )


class TieBroken(Mutation):
    """The head is not tied to the table of tokens.

    What it does: The head has a weight of its own, or a copy of the table, which goes its own way
    from the first step on.

    Why it is wrong: One table was to serve both ends. Now there are two, and the model has more
    parameters than it should.

    How it shows: Not in loss and sample.

    How to find it: Ask whether the two weights are one object, or count the parameters.

    Other right fixes: Assign the one parameter to the other layer, or multiply by the table.
    """

    id = "tie-broken"
    bug_class = "projection"
    stage = "head"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("huggingface/accelerate#1204",)
    hints = (
        "Loss and sample look right; the parameters don't.",
        "Count the parameters.",
        "Are the two ends of the model still one object?",
    )
    killed_by = frozenset({"parameters"})
    forms = (
        Form(
            "not-tied",
            TIE,
            lambda _: cst.RemoveFromParent(),
            correct=TIED,
            buggy=TIED.replace("        self.out.weight = self.table.weight\n", ""),
        ),
        Form(
            "copied",
            TIE,
            cloned,
            correct=TIED,
            buggy=TIED.replace("= self.table.weight", "= nn.Parameter(self.table.weight.clone())"),
        ),
    )
    untouched = ("class Copy:\n    def load(self, other):\n        self.weight = other.weight\n",)


class TiedEmbStd1(Mutation):
    """The table of tokens begins fifty times too large, and the head with it.

    What it does: Only linear layers are begun anew. The table keeps the numbers that nn.Embedding
    was born with, of a standard deviation of 1, and the head, being tied to it, has them, too.

    Why it is wrong: Logits begin huge, so that the model is certain of the wrong token, and
    positions drown.

    How it shows: The first loss lies far above the logarithm of the size of the vocabulary.

    How to find it: Look at the very first loss, and at the spread of every weight at the start.

    Other right fixes: Begin tables and linear layers alike.
    """

    id = "tied-emb-std-1"
    bug_class = "projection"
    stage = "head"
    difficulty = "medium"
    visibility = "plateau"
    provenance = ("pytorch/pytorch#3121",)
    hints = (
        "The first loss says it.",
        "How sure should a fresh model be of anything?",
        "Print the spread of every weight before training.",
    )
    killed_by = frozenset({"beginning", "init-loss"})
    hides = frozenset({"pe-init-huge-std", "pe-init-too-large"})
    forms = (
        Form(
            "linear-only",
            BOTH,
            linear_only,
            correct=TIED,
            buggy=TIED.replace("(nn.Linear, nn.Embedding)", "nn.Linear"),
            beside=TIE,
        ),
    )
    untouched = (TIED.replace("        self.out.weight = self.table.weight\n", ""),)


class ResidualInitScaleMissing(Mutation):
    """The projections that add to the stream begin as large as all other weights.

    What it does: The loop that begins them smaller finds none by the name that it looks for, or all
    weights are begun anew behind it.

    Why it is wrong: Each layer adds to the stream, so it grows with the depth unless what is added
    is small.

    How it shows: Not in loss and sample, and hardly anywhere in so shallow a model.

    How to find it: Print the spread of every weight of a fresh model by its name.

    Other right fixes: Begin these weights with a spread divided by the root of twice the depth.
    """

    id = "residual-init-scale-missing"
    bug_class = "projection"
    stage = "head"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("huggingface/transformers#47458", "karpathy/llama2.c#579")
    hints = (
        "Nothing that it learns shows it.",
        "Print the spread of every weight of a fresh model.",
        "Does everything that is meant to be begun otherwise come out otherwise?",
    )
    killed_by = frozenset({"beginning"})
    forms = (
        Form(
            "never-found",
            ENDING,
            never_ending,
            correct=TIED,
            buggy=TIED.replace('"last.weight"', '"c_last.weight"'),
            inside=DRAWN,
        ),
        Form(
            "begun-again",
            m.IndentedBlock(),
            begun_again,
            correct=TIED.replace("        self.out.weight = self.table.weight\n", ""),
            buggy=TIED.replace("        self.out.weight = self.table.weight\n", "")
            .replace("        self.apply(self.begin)\n", "")
            .replace("std=0.01)\n", "std=0.01)\n        self.apply(self.begin)\n"),
        ),
    )
    untouched = ('def pick(name):\n    return name.endswith("last.weight")\n',)
