"""Something else is kept for the backward than the operands, or in another way."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import find, index_of, line, render, swap, with_lines
from .parts import FUNCTION, LOADED, OTHERS, SAVED

HOLDING = m.ClassDef(bases=[m.Arg(m.Attribute(attr=m.Name("Function")) | m.Name("Function"))])
"""A class that is a step of torch's graph."""

SAVING = line(m.Expr(SAVED))
SAVE = "ctx.save_for_backward(a, b)"


def _each(
    change: Callable[[cst.BaseExpression], cst.BaseExpression],
) -> Callable[[cst.Call], Rewritten]:
    def changed(saving: cst.Call) -> Rewritten:
        args = [arg.with_changes(value=change(arg.value)) for arg in saving.args]
        return saving.with_changes(args=args)

    return changed


def _cloned(tensor: cst.BaseExpression) -> cst.BaseExpression:
    return cst.Call(func=cst.Attribute(value=tensor, attr=cst.Name("clone")))


def _bare(tensor: cst.BaseExpression) -> cst.BaseExpression:
    return cst.Attribute(value=tensor, attr=cst.Name("data"))


copied = _each(_cloned)
unguarded = _each(_bare)


def exchanged(saving: cst.Call) -> Rewritten:
    """Save the operands the other way round."""
    one, other = saving.args
    args = [one.with_changes(value=other.value), other.with_changes(value=one.value)]
    return saving.with_changes(args=args)


def in_attributes(function: cst.ClassDef) -> Rewritten:
    """Keep both operands in attributes of the context."""
    saved, loaded = find(function, SAVED), find(function, LOADED)
    if len(saved) != 1 or len(loaded) != 1:
        return None
    call, read = saved[0], loaded[0]
    assert isinstance(call, cst.Call)
    assert isinstance(call.func, cst.Attribute)
    assert isinstance(read, cst.Attribute)
    names = [render(arg.value) for arg in call.args]
    if any("." in name for name in names):
        return None
    keeper, reader = render(call.func.value), render(read.value)
    targets = ", ".join(f"{keeper}.{name}" for name in names)
    kept = cst.parse_statement(f"{targets} = {', '.join(names)}\n")
    lines = find(function, SAVING)
    if len(lines) != 1:
        return None
    statement = lines[0]
    assert isinstance(statement, cst.SimpleStatementLine)
    assert isinstance(kept, cst.SimpleStatementLine)
    changed = swap(function, statement, statement.with_changes(body=kept.body))
    again = cst.parse_expression(", ".join(f"{reader}.{name}" for name in names))
    return swap(changed, read, again)


def with_product(function: cst.ClassDef) -> Rewritten:
    """Save the product beside the operands."""
    for block in find(function, m.IndentedBlock()):
        assert isinstance(block, cst.IndentedBlock)
        kinds = [m.matches(statement, SAVING) for statement in block.body]
        if any(kinds) and m.matches(block.body[-1], line(m.Return())):
            return _with_product(function, block)
    return None


def _with_product(function: cst.ClassDef, block: cst.IndentedBlock) -> Rewritten:
    at = index_of(block, SAVING)
    given = find(block.body[-1], m.Return())[0]
    call = find(block.body[at], SAVED)[0]
    loading = find(function, m.Assign(value=LOADED))
    assert isinstance(given, cst.Return)
    assert isinstance(call, cst.Call)
    if given.value is None or at != len(block.body) - 2 or len(loading) != 1:
        return None
    made = [
        cst.parse_statement(f"product = {render(given.value)}\n"),
        cst.parse_statement(f"{render(call)[:-1]}, product)\n"),
        cst.parse_statement("return product\n"),
    ]
    changed = swap(function, block, with_lines(block, at, len(block.body), made))
    read = loading[0]
    assert isinstance(read, cst.Assign)
    target = read.targets[0].target
    assert isinstance(target, cst.Tuple)
    more = [*target.elements, cst.Element(cst.Name("_"))]
    return swap(changed, target, target.with_changes(elements=more))


class SavedWrong(Mutation):
    """The operands are saved the other way round.

    What it does: What the backward takes for the left operand is the right one.

    Why it is wrong: saved_tensors come in the order in which they were saved.

    How it shows: Rectangles stop with shapes that do not fit. Squares go through, with wrong
    gradients.

    How to find it: gradcheck on squares as well as on rectangles; or print the shapes of what is
    saved and of what comes back.

    Other right fixes: Any order that is the same on both sides.
    """

    id = "mm-saved-wrong"
    bug_class = "matmul-saved"
    stage = "autograd"
    difficulty = "easy"
    visibility = "crash"
    provenance = ("linkedin/Liger-Kernel#254", "pytorch/pytorch#104040")
    hints = (
        "Squares go through. Do rectangles?",
        "Print shapes in forward and in backward.",
        "In which order do saved tensors come back?",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "exchanged",
            SAVED,
            exchanged,
            correct=FUNCTION,
            buggy=FUNCTION.replace(SAVE, "ctx.save_for_backward(b, a)"),
        ),
    )
    untouched = OTHERS


class CopiesSaved(Mutation):
    """Copies of the operands are saved.

    What it does: Both operands are cloned before they are saved.

    Why it is wrong: The graph holds twice the memory that it needs. And it holds numbers that the
    operands may not have any more: a change in between goes unnoticed.

    How it shows: Gradients are right. Memory is not.

    How to find it: torch.autograd.graph.saved_tensors_hooks shows what is saved; compare where it
    lies with where the operands do.

    Other right fixes: Saving the operands themselves, or views of them.
    """

    id = "mm-saved-copies"
    bug_class = "matmul-saved"
    stage = "autograd"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "All gradients are right. What do they cost?",
        "How much memory does the graph hold between forward and backward?",
        "What is saved lies elsewhere than the operands.",
    )
    killed_by = frozenset({"saved-operands", "saved-guarded"})
    forms = (
        Form(
            "clones",
            SAVED,
            copied,
            correct=FUNCTION,
            buggy=FUNCTION.replace(SAVE, "ctx.save_for_backward(a.clone(), b.clone())"),
        ),
    )
    untouched = OTHERS


class SavedInAttributes(Mutation):
    """The operands are kept in attributes, and not saved.

    What it does: Forward writes both tensors onto the context, from where backward takes them.

    Why it is wrong: save_for_backward is what notices that a tensor was changed in place, lets go
    of it behind the backward, and lets hooks move it elsewhere. An attribute does none of that.

    How it shows: Gradients are right until somebody changes an operand in place; then they are
    wrong, and nothing is said.

    How to find it: Change an operand between forward and backward: torch should refuse to go back.

    Other right fixes: ctx.save_for_backward and ctx.saved_tensors.
    """

    id = "mm-saved-on-ctx"
    bug_class = "matmul-saved"
    stage = "autograd"
    difficulty = "easy"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "All gradients are right. Change an operand in place before going back.",
        "How do tensors get from forward to backward?",
        "Attributes of the context are for what is no tensor.",
    )
    killed_by = frozenset({"saved-operands", "saved-nowhere-else", "saved-guarded"})
    forms = (
        Form(
            "attributes",
            HOLDING,
            in_attributes,
            correct=FUNCTION,
            buggy=FUNCTION.replace(SAVE, "ctx.a, ctx.b = a, b").replace(
                "= ctx.saved_tensors", "= ctx.a, ctx.b"
            ),
        ),
    )
    untouched = OTHERS


class SavedUnguarded(Mutation):
    """What is saved has no counter of versions in common with the operands.

    What it does: The operands' .data is saved.

    Why it is wrong: .data has the same memory and another counter of versions. A change in place
    changes what is saved, and is not noticed.

    How it shows: Gradients are right until somebody changes an operand in place; then they are
    wrong, and nothing is said.

    How to find it: Change an operand between forward and backward: torch should refuse to go back.

    Other right fixes: Saving the operands themselves; detach() has their counter.
    """

    id = "mm-saved-unguarded"
    bug_class = "matmul-saved"
    stage = "autograd"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "All gradients are right, and no memory is wasted.",
        "Change an operand in place before going back.",
        "What counts how often a tensor was changed, and which tensors share it?",
    )
    killed_by = frozenset({"saved-guarded"})
    forms = (
        Form(
            "data",
            SAVED,
            unguarded,
            correct=FUNCTION,
            buggy=FUNCTION.replace(SAVE, "ctx.save_for_backward(a.data, b.data)"),
        ),
    )
    untouched = OTHERS


class ProductSaved(Mutation):
    """The product is saved, too.

    What it does: Beside the operands the graph keeps their product until the backward.

    Why it is wrong: No gradient needs it: dL/dA = G B^T and dL/dB = A^T G. Where many rows meet
    many columns, it is by far the largest of the three.

    How it shows: Gradients are right. Memory is not.

    How to find it: torch.autograd.graph.saved_tensors_hooks shows what is saved.

    Other right fixes: Saving the two operands alone.
    """

    id = "mm-saved-product"
    bug_class = "matmul-saved"
    stage = "autograd"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "All gradients are right. What do they cost?",
        "Which tensors does the backward need? Which does it have?",
        "One of the saved tensors is never used.",
    )
    killed_by = frozenset({"saved-operands"})
    forms = (
        Form(
            "three",
            HOLDING,
            with_product,
            correct=FUNCTION,
            buggy=FUNCTION.replace(
                f"        {SAVE}\n        return a @ b\n",
                "        product = a @ b\n"
                "        ctx.save_for_backward(a, b, product)\n"
                "        return product\n",
            ).replace("a, b = ctx.saved", "a, b, _ = ctx.saved"),
        ),
    )
    untouched = OTHERS
