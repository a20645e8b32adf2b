"""Caches are made for others, or live too long or too short."""

from textwrap import indent

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import OWN, assigned, find, line, render, swap, target, with_lines
from .parts import FIRST_LENGTH, GENERATING, MAKING

LAST = m.Subscript(
    value=m.Name(),
    slice=[
        m.SubscriptElement(m.Slice(lower=None, upper=None)),
        m.SubscriptElement(m.Slice(lower=m.UnaryOperation(m.Minus(), m.Integer("1")), upper=None)),
    ],
)
"""The newest token alone: idx[:, -1:]."""

STEPPING = m.If(
    test=m.BooleanOperation(right=m.Comparison(left=FIRST_LENGTH)),
    orelse=m.Else(m.IndentedBlock([line(m.Assign(value=LAST))])),
)
"""Fresh caches where there are none or they are full; else the newest token alone."""

BEGINNING = line(m.Assign(targets=[m.AssignTarget(m.Name())], value=m.Name("None")))
"""No caches yet: caches = None."""

STEP = GENERATING.split("range(n):\n")[1].split("        logits")[0]
MODEL = f"""class GPT(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.blocks = make(config)

{indent(GENERATING, "    ")}"""
KEEPING_MODEL = (
    MODEL.replace("        caches = None\n", "")
    .replace(
        "        self.blocks = make(config)\n",
        "        self.blocks = make(config)\n        self.caches = None\n",
    )
    .replace("if caches is None or len(caches", "if self.caches is None or len(self.caches")
    .replace("            caches = [", "            self.caches = [")
    .replace("caches=caches", "caches=self.caches")
)

OTHERS = (
    "def rows(self):\n    return [Row() for _ in self.names]\n",
    GENERATING.replace("len(caches[0])", "count"),
)


def one_for_all(making: cst.ListComp) -> Rewritten:
    """Put one and the same cache into the list, again and again."""
    made, layers = render(making.elt), render(making.for_in.iter)
    if isinstance(making.for_in.iter, cst.Call):
        layers = layers.removeprefix("range(").removesuffix(")")
        return cst.parse_expression(f"[{made}] * {layers}")
    return cst.parse_expression(f"[{made}] * len({layers})")


def everything(reading: cst.Assign) -> Rewritten:
    """Take all tokens."""
    newest = reading.value
    assert isinstance(newest, cst.Subscript)
    return reading.with_changes(value=newest.value)


def two_at_a_time(reading: cst.Assign) -> Rewritten:
    """Take the newest token and the one before it."""
    one = find(reading.value, m.Integer("1"))[0]
    return swap(reading, one, cst.Integer("2"))


def anew(block: cst.IndentedBlock) -> Rewritten:
    """Make caches at each step, and read everything."""
    for i, stepping in enumerate(block.body):
        if m.matches(stepping, STEPPING):
            assert isinstance(stepping, cst.If)
            assert isinstance(stepping.body, cst.IndentedBlock)
            first, *rest = stepping.body.body
            return with_lines(block, i, i + 1, [first.with_changes(leading_lines=[]), *rest])
    return None


def without_limit(choice: cst.BooleanOperation) -> Rewritten:
    """Ask only whether there are caches."""
    return choice.left


def never_dropped(definition: cst.ClassDef) -> Rewritten:
    """Keep the caches with the model, from one call to the next."""
    methods = [s for s in definition.body.body if isinstance(s, cst.FunctionDef)]
    maker = next((f for f in methods if f.name.value == "__init__"), None)
    method = next((f for f in methods if find(f, STEPPING) and find(f, BEGINNING)), None)
    if maker is None or method is None:
        return None
    beginning = find(method, BEGINNING)[0]
    name = target(beginning)
    keywords = {id(arg.keyword) for arg in find(method, m.Arg()) if isinstance(arg, cst.Arg)}
    kept = method
    for use in find(method, m.Name(name)):
        if id(use) not in keywords:
            kept = swap(kept, use, cst.parse_expression(f"self.{name}"))
    dropped = find(kept, line(m.Assign(targets=[m.AssignTarget(OWN)], value=m.Name("None"))))[0]
    lines = [statement for statement in kept.body.body if statement is not dropped]
    kept = kept.with_changes(body=kept.body.with_changes(body=lines))
    made = cst.parse_statement(f"self.{name} = None\n")
    making = maker.with_changes(body=maker.body.with_changes(body=[*maker.body.body, made]))
    return swap(swap(definition, method, kept), maker, making)


class CacheSharedLayers(Mutation):
    """All layers share one cache.

    What it does: The list holds the same cache again and again, once for each layer.

    Why it is wrong: Every layer has keys and values of its own. In one cache those of all layers
    stand behind one another, and each layer finds what others have put there.

    How it shows: The loss is right. Decoding stops with sizes that do not fit.

    How to find it: Print the ids of the caches, or their lengths after the first token.

    Other right fixes: A cache made anew for each layer, in a comprehension or a loop.
    """

    id = "cache-shared-layers"
    bug_class = "cache-life"
    stage = "cache"
    difficulty = "easy"
    visibility = "crash"
    provenance = ("measured",)
    hints = (
        "How many caches are there?",
        "Print how long each is behind the first token.",
        "What does Python put into a list that is multiplied?",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "multiplied",
            MAKING,
            one_for_all,
            correct=GENERATING,
            buggy=GENERATING.replace(
                "[KVCache() for _ in self.blocks]", "[KVCache()] * len(self.blocks)"
            ),
            inside=STEPPING,
        ),
    )
    untouched = OTHERS


class CacheNotReset(Mutation):
    """Caches outlive the text that they were made for.

    What it does: The model keeps its caches from one call of generate to the next.

    Why it is wrong: A second prompt is taken for what follows the first text. It is not even read:
    of it only the last token is.

    How it shows: The first sample is right. A second one goes on with the first, or stops where
    there are more rows than before.

    How to find it: Generate twice.

    Other right fixes: Caches made at each call; or emptied there.
    """

    id = "cache-not-reset"
    bug_class = "cache-life"
    stage = "cache"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("Lightning-AI/litgpt#1596", "casper-hansen/AutoAWQ#170")
    hints = (
        "The first sample is right. And the next?",
        "Generate from one prompt, and then from another.",
        "How long do the caches live?",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "kept",
            m.ClassDef(),
            never_dropped,
            correct=MODEL,
            buggy=KEEPING_MODEL,
        ),
    )
    untouched = (
        MODEL.replace("len(caches[0])", "count"),
        "class Plan:\n    def __init__(self):\n        self.steps = None\n",
    )


class CacheRebuilt(Mutation):
    """Caches are made anew for each token.

    What it does: At each step generate makes fresh caches and reads all of the text into them.

    Why it is wrong: Nothing is saved. Each token costs as much as the whole text, as it does
    without caches, and the appending besides.

    How it shows: Loss and sample are right. It is as slow as before.

    How to find it: Count how many tokens the model reads at each step, or time long texts.

    Other right fixes: Caches made at the beginning, and where the context is full.
    """

    id = "cache-rebuilt"
    bug_class = "cache-life"
    stage = "cache"
    difficulty = "easy"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Everything is right. Is it also quick?",
        "Print how many tokens the model reads at each step.",
        "How often are caches made?",
    )
    killed_by = frozenset({"cached-cost"})
    forms = (
        Form(
            "each-step",
            m.IndentedBlock(),
            anew,
            correct=GENERATING,
            buggy=GENERATING.replace(
                STEP,
                "        caches = [KVCache() for _ in self.blocks]\n"
                "        context = idx[:, -self.block_size :]\n",
            ),
            inside=STEPPING,
        ),
    )
    untouched = OTHERS


class CacheLimitForgotten(Mutation):
    """Nobody asks whether the caches are full.

    What it does: Caches are made once, and appended to without end.

    Why it is wrong: There are positions for block_size tokens and no more. What is longer must be
    read anew, by its last tokens.

    How it shows: The loss is right, and the sample stops where the context is full, with sizes that
    do not fit.

    How to find it: Generate more than block_size tokens.

    Other right fixes: Fresh caches whenever those that there are hold block_size positions.
    """

    id = "cache-limit-forgotten"
    bug_class = "cache-life"
    stage = "cache"
    difficulty = "easy"
    visibility = "crash"
    provenance = ("measured",)
    hints = (
        "How long is the text when it stops?",
        "Generate more than block_size tokens.",
        "What becomes of a cache that is full?",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "made-once",
            m.BooleanOperation(right=m.Comparison(left=FIRST_LENGTH)),
            without_limit,
            correct=GENERATING,
            buggy=GENERATING.replace(" or len(caches[0]) == self.block_size", ""),
        ),
    )
    untouched = OTHERS


class CacheTokenTwice(Mutation):
    """Each token is read twice.

    What it does: Behind the caches the model is given the last two tokens, the first of which it
    has read already.

    Why it is wrong: The caches hold every token twice, the second time a position too far on, and
    are full in half the time.

    How it shows: The loss is right and the first new token too; then the caches fill twice as fast
    as the text grows, and it stops with sizes that do not fit.

    How to find it: Compare the length of the caches with that of the text.

    Other right fixes: Only what the caches have not seen.
    """

    id = "cache-last-token-twice"
    bug_class = "cache-life"
    stage = "cache"
    difficulty = "medium"
    visibility = "crash"
    provenance = ("ml-explore/mlx-lm#1039",)
    hints = (
        "How much has been read when three tokens are new?",
        "Compare the length of the caches with that of the text.",
        "Which tokens have the caches not seen?",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "two",
            assigned(LAST),
            two_at_a_time,
            correct=GENERATING,
            buggy=GENERATING.replace("idx[:, -1:]", "idx[:, -2:]"),
            inside=STEPPING,
        ),
    )
    untouched = (
        *OTHERS,
        GENERATING.replace("context = idx[:, -1:]", "context = few(idx[:, -1:])"),
    )


class CachePromptRefed(Mutation):
    """The whole text is read again behind the caches.

    What it does: At each step the model is given all tokens, though the caches hold all but the
    last.

    Why it is wrong: What is in the caches is appended to them once more, at positions that follow
    it. They are full at once.

    How it shows: The first new token is right; then there are no positions left, and it stops with
    sizes that do not fit.

    How to find it: Print how many tokens the model reads at each step.

    Other right fixes: The newest token alone.
    """

    id = "cache-full-prompt-refed"
    bug_class = "cache-life"
    stage = "cache"
    difficulty = "easy"
    visibility = "crash"
    provenance = ("huggingface/transformers#1749",)
    hints = (
        "How many positions does it ask for?",
        "Print how many tokens the model reads at each step.",
        "What of the text have the caches not seen?",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "all",
            assigned(LAST),
            everything,
            correct=GENERATING,
            buggy=GENERATING.replace("context = idx[:, -1:]", "context = idx"),
            inside=STEPPING,
        ),
    )
    untouched = (
        *OTHERS,
        GENERATING.replace("context = idx[:, -1:]", "context = few(idx[:, -1:])"),
    )
