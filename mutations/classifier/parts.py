"""Shapes of code that kinds of the stage classifier look for, and the code of their examples."""

import libcst as cst
import libcst.matchers as m

from ..patterns import CROSS_ENTROPY, LAYER_OF_NAME, assigned, line

ODD = m.BinaryOperation(left=m.Name(), operator=m.Modulo(), right=m.Integer("2"))
"""Whether tokens are odd: inputs % 2."""

LABELLED = m.IfExp(body=ODD, orelse=m.Name("None"))
"""Classes where there are some: inputs % 2 if config.n_classes else None."""

JOINED = m.IfExp(
    body=m.Name(), orelse=m.BinaryOperation(left=m.Name(), operator=m.Add(), right=m.Name())
)
"""One loss, or the sum of both: class_loss if loss is None else loss + class_loss."""

CLASS_LOSS = line(assigned(CROSS_ENTROPY))

TOLD_APART = m.Comparison(
    left=m.Call(func=m.Attribute(value=m.Name(), attr=m.Name("argmax"))),
    comparisons=[m.ComparisonTarget(operator=m.Equal(), comparator=ODD)],
)
"""Which tokens are classified rightly: class_logits.argmax(dim=-1) == idx % 2."""

THREE = m.Return(m.Tuple([m.Element(), m.Element(), m.Element(m.Name())]))
"""Forward gives the logits of classes last."""

CLASSIFYING = line(assigned(LAYER_OF_NAME))

READING = """class GPT(nn.Module):
    def forward(self, idx, targets=None, labels=None):
        x = self.blocks(self.tok_emb(idx))
        hidden = self.ln_f(x)
        logits = self.head(hidden)
        loss = None
        if targets is not None:
            loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        class_logits = self.classifier(hidden)
        if labels is not None:
            class_loss = F.cross_entropy(class_logits.flatten(0, 1), labels.flatten())
            loss = class_loss if loss is None else loss + class_loss
        return logits, loss, class_logits
"""

STEPPING = """def train_step(model, optimizer, batch, config):
    inputs, targets = (part.to(config.device) for part in batch)
    labels = inputs % 2 if config.n_classes else None
    _, loss, *_ = model(inputs, targets, labels)
    return loss
"""

MEASURING = """@torch.no_grad()
def accuracy(model, idx):
    was_training = model.training
    model.eval()
    _, _, class_logits = model(idx)
    model.train(was_training)
    return (class_logits.argmax(dim=-1) == idx % 2).float().mean().item()
"""

OTHERS = (
    "def forward(self, x):\n    hidden = self.norm(x)\n    return self.head(hidden)\n",
    "def parity(numbers):\n    return [number % 2 for number in numbers]\n",
    "def step(loss, more):\n    total = loss + more\n    return total if total > 0 else None\n",
)


def classifying(function: cst.FunctionDef) -> cst.Call | None:
    """Give the call of the layer that makes what forward gives last: self.classifier(hidden)."""
    for statement in function.body.body:
        if not m.matches(statement, line(THREE)):
            continue
        given = m.findall(statement, m.Element(m.Name()))[-1]
        assert isinstance(given, cst.Element)
        assert isinstance(given.value, cst.Name)
        shape = m.Assign(targets=[m.AssignTarget(m.Name(given.value.value))], value=LAYER_OF_NAME)
        for made in m.findall(function, shape):
            assert isinstance(made, cst.Assign)
            assert isinstance(made.value, cst.Call)
            return made.value
    return None
