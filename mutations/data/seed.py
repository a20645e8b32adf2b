"""The seed does not decide all that is drawn."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import find, line, uses, with_lines

SEEDED = m.Call(
    func=m.Attribute(value=m.Name("torch"), attr=m.Name("manual_seed")),
    args=[m.Arg(m.Name())],
)

CORRECT = """def train(text, seed):
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed)
    model = build(text)
    losses = []
    for _ in range(100):
        losses.append(learn(model, draw(text, rng)))
    return model, losses
"""


def unseeded(block: cst.IndentedBlock) -> Rewritten:
    """Remove the seed of what torch draws, where it is used for something else, too."""
    found = _seeding(block)
    if found is None or uses(block, _seed(block.body[found])) == 1:
        return None
    return with_lines(block, found, found + 1, [])


def _seeding(block: cst.IndentedBlock) -> int | None:
    """Give the index of the only line that seeds torch, where a loop stands in the same block."""
    found = [
        i for i, statement in enumerate(block.body) if m.matches(statement, line(m.Expr(SEEDED)))
    ]
    loops = any(isinstance(statement, cst.For) for statement in block.body)
    return found[0] if len(found) == 1 and loops else None


def _seed(statement: cst.CSTNode) -> str:
    call = find(statement, SEEDED)[0]
    assert isinstance(call, cst.Call)
    seed = call.args[0].value
    assert isinstance(seed, cst.Name)
    return seed.value


class SeedNotSet(Mutation):
    """The seed does not decide how the weights begin.

    What it does: torch's own generator is never seeded; only the batches follow the seed.

    Why it is wrong: The first weights are drawn from that generator. Two runs of one seed begin
    with different models, and no result can be had again.

    How it shows: Nothing is amiss in a single run. Two runs print different losses.

    How to find it: Train twice with the same seed and compare the first loss.

    Other right fixes: Seed before anything is drawn; or give what draws the weights a generator
    that is seeded.
    """

    id = "seed-not-set"
    bug_class = "typo"
    stage = "data"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("TensorAuto/OpenTau#498",)
    hints = (
        "One run will not show it.",
        "Run it twice and compare the first loss, to the last digit.",
        "The batches follow the seed. What else is drawn?",
    )
    killed_by = frozenset({"seeded"})
    forms = (
        Form(
            "removed",
            m.IndentedBlock(),
            unseeded,
            correct=CORRECT,
            buggy=CORRECT.replace("    torch.manual_seed(seed)\n", ""),
        ),
    )
    untouched = (
        "def fresh(seed):\n    torch.manual_seed(seed)\n    return build(seed)\n",
        (
            "def shuffled(rows, seed):\n"
            "    rng = torch.Generator().manual_seed(seed)\n"
            "    for row in rows:\n"
            "        mix(row, rng)\n"
        ),
    )
