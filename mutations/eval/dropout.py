"""Something is dropped when nothing should be, or nothing when something should."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import find, line, root, with_lines

DROPOUT = (
    m.Attribute(attr=m.Name("Dropout"))
    | m.Call(func=m.Attribute(attr=m.Name("dropout")))
    | m.Arg(keyword=m.Name("dropout"))
)
"""A layer that drops, a function that does, or a share to drop that is handed on."""

GUARDED = m.Call(
    func=m.Attribute(value=m.Name("F") | m.Attribute(), attr=m.Name("dropout")),
    args=[m.Arg(), m.Arg(), m.Arg(keyword=m.Name("training"))],
)
"""F.dropout(x, p, training=self.training)."""

CORRECT = """class Model(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.drop = nn.Dropout(config.rate)

    def extend(self, x, n):
        before = self.training
        self.eval()
        for _ in range(n):
            x = torch.cat((x, self(x)))
        self.train(before)
        return x


def measure(model, data):
    model.eval()
    total = sum(model(x).item() for x in data)
    model.train()
    return total / len(data)


def fit(model, data):
    model.train()
    for x in data:
        model(x).backward()
"""

OTHERS = (
    "def show(model, x):\n    model.eval()\n    return model(x)\n",
    "def reset(self):\n    self.train()\n    self.steps = 0\n",
)


def set_to(mode: str) -> m.SimpleStatementLine:
    """Match a line that sets a mode: model.eval(), model.train()."""
    return line(m.Expr(m.Call(func=m.Attribute(value=m.Name(), attr=m.Name(mode)), args=[])))


def without_mode(mode: str, *, of_self: bool = False) -> Callable[[cst.IndentedBlock], Rewritten]:
    """Make a mutation that removes the line that sets a mode, where the other is set as well."""

    def mutate(block: cst.IndentedBlock) -> Rewritten:
        for i, statement in enumerate(block.body):
            if m.matches(statement, set_to(mode)) and _other_mode(block, statement, mode):
                is_self = root(find(statement, m.Call())[0]) == "self"
                if is_self is of_self:
                    return with_lines(block, i, i + 1, [])
        return None

    return mutate


def learning_in_eval_mode(block: cst.IndentedBlock) -> Rewritten:
    """Set eval mode in front of a loop, where train mode is meant."""
    for i, statement in enumerate(block.body):
        is_before = any(isinstance(other, cst.For) for other in block.body[i:])
        if (
            m.matches(statement, set_to("train"))
            and is_before
            and not _other_mode(block, statement, "train")
        ):
            name = root(find(statement, m.Call())[0])
            return with_lines(block, i, i + 1, [cst.parse_statement(f"{name}.eval()\n")])
    return None


def _other_mode(block: cst.IndentedBlock, statement: cst.CSTNode, mode: str) -> bool:
    """Whether a block sets the other mode, too, of the same module."""
    name = root(find(statement, m.Call())[0])
    other = m.Call(
        func=m.Attribute(value=m.Name(name), attr=m.Name("train" if mode == "eval" else "eval"))
    )
    return bool(find(block, other))


class DropoutAlwaysOn(Mutation):
    """Attention weights are dropped in every mode.

    What it does: The function that drops is not told whether the model is training, and drops by
    default.

    Why it is wrong: Dropout is noise for learning. In evaluation and sampling it only harms, and
    makes two runs differ.

    How it shows: The loss falls as it should. Evaluations come out worse and never twice the same,
    and a sample may miss.

    How to find it: Put the model into eval mode and call it twice with the same tokens.

    Other right fixes: nn.Dropout, which follows the mode; or training=self.training.
    """

    id = "dropout-always-on"
    bug_class = "typo"
    stage = "eval"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("karpathy/nanoGPT#240", "pytorch/pytorch#124464", "suno-ai/bark#662")
    hints = (
        "Do the same thing twice.",
        "In eval mode, is the model a function of its input?",
        "What does a functional form know of the mode of the module around it?",
    )
    killed_by = frozenset({"dropout-off"})
    hides = frozenset({"eval-mode-missing", "eval-not-restored", "train-in-eval-mode"})
    forms = (
        Form(
            "mode-not-told",
            GUARDED,
            lambda call: call.with_changes(
                args=[*call.args[:1], call.args[1].with_changes(comma=cst.MaybeSentinel.DEFAULT)]
            ),
            correct="weights = F.dropout(weights, p=self.rate, training=self.training)\n",
            buggy="weights = F.dropout(weights, p=self.rate)\n",
        ),
    )
    untouched = (
        "x = self.dropout(x)\n",
        "x = F.dropout(x, 0.1)\n",
    )


class GenTrainMode(Mutation):
    """Generation leaves dropout on.

    What it does: generate remembers the mode and restores it, and never leaves train mode.

    Why it is wrong: Each generated token is chosen by a model from which a part is dropped at
    random.

    How it shows: Not in the loss. What is generated while training goes on differs from run to run,
    and greedy decoding may miss.

    How to find it: In train mode, decode twice from the same prompt at temperature 0.

    Other right fixes: Set eval mode at the start of generate, or around each call of it, and
    restore what was.
    """

    id = "gen-train-mode"
    bug_class = "typo"
    stage = "sampling"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("pytorch/examples#114", "ai2cm/ace#1019")
    hints = (
        "Decode the same prompt twice.",
        "Which mode is the model in while it generates?",
        "What does restoring a mode need before it?",
    )
    killed_by = frozenset({"generates-without-dropout"})
    forms = (
        Form(
            "not-left",
            m.IndentedBlock(),
            without_mode("eval", of_self=True),
            correct=CORRECT,
            buggy=CORRECT.replace("        self.eval()\n", ""),
            beside=DROPOUT,
        ),
    )
    untouched = OTHERS


class EvalModeMissing(Mutation):
    """Evaluation leaves dropout on.

    What it does: evaluate never sets eval mode.

    Why it is wrong: What is measured is a model with holes in it, another one each time.

    How it shows: Evaluations come out too high, and differ between two calls on the same data.
    Learning is not touched.

    How to find it: Evaluate twice in a row and compare.

    Other right fixes: Set eval mode before anything is measured, and train mode afterwards.
    """

    id = "eval-mode-missing"
    bug_class = "training-step"
    stage = "eval"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("pliang279/MultiBench#26", "wolny/pytorch-3dunet#53")
    hints = (
        "The model learns well. Is it measured well?",
        "Evaluate twice in a row on the same data.",
        "What differs between learning and measuring, besides the gradients?",
    )
    killed_by = frozenset({"evaluation"})
    hides = frozenset({"eval-average-wrong"})
    forms = (
        Form(
            "not-set",
            m.IndentedBlock(),
            without_mode("eval"),
            correct=CORRECT,
            buggy=CORRECT.replace("    model.eval()\n", ""),
            beside=DROPOUT,
        ),
    )
    untouched = OTHERS


class EvalNotRestored(Mutation):
    """Evaluation leaves the model in eval mode.

    What it does: After the first evaluation nothing is dropped any more, and training goes on so.

    Why it is wrong: Dropout was meant for the whole training; from then on it is over.

    How it shows: The training loss drops right behind the first evaluation, which looks like
    progress.

    How to find it: Print the model's mode at each step.

    Other right fixes: Set train mode at the end of evaluate, or at the beginning of each step.
    """

    id = "eval-not-restored"
    bug_class = "training-step"
    stage = "eval"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("huggingface/lerobot#3668", "wkentaro/pytorch-fcn#57", "fartashf/vsepp#4")
    hints = (
        "Something changes in the course of the training.",
        "Look at the loss on both sides of an evaluation.",
        "In which mode does an evaluation leave the model?",
    )
    killed_by = frozenset({"learns-with-dropout"})
    forms = (
        Form(
            "not-set-back",
            m.IndentedBlock(),
            without_mode("train"),
            correct=CORRECT,
            buggy=CORRECT.replace("in data)\n    model.train()\n", "in data)\n"),
            beside=DROPOUT,
        ),
    )
    untouched = OTHERS


class TrainInEvalMode(Mutation):
    """Training begins in eval mode.

    What it does: Eval mode is set before the loop, so that nothing is dropped until the first
    evaluation sets the mode again.

    Why it is wrong: Dropout is there for learning, and this is where it is switched off.

    How it shows: The loss looks better than it should at first.

    How to find it: Print the model's mode in the first step, or compare its loss on one batch in
    either mode.

    Other right fixes: Set train mode before the loop; a fresh model is in it anyway.
    """

    id = "train-in-eval-mode"
    bug_class = "training-step"
    stage = "loop"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("fartashf/vsepp#4",)
    hints = (
        "Learning is better than it should be.",
        "Take one step on one batch twice, from the same weights.",
        "Which mode is the model in while it learns?",
    )
    killed_by = frozenset({"learns-with-dropout"})
    forms = (
        Form(
            "wrong-mode",
            m.IndentedBlock(),
            learning_in_eval_mode,
            correct=CORRECT,
            buggy=CORRECT.replace("    model.train()\n    for", "    model.eval()\n    for"),
            beside=DROPOUT,
        ),
    )
    untouched = OTHERS
