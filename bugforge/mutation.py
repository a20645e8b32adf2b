"""What a kind of bug is: the API that every mutation plugin is written against.

A mutation is a class. Its docstring is the page a learner reads afterwards, its
attributes say where it belongs and what reveals it, and its forms say how it is planted.
Incomplete ones are refused when their module is imported, with the mend.
"""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import libcst as cst
import libcst.matchers as m

from bugforge.tree import descendants, exchanged, having

__all__ = [
    "BugClass",
    "Difficulty",
    "Form",
    "IncompleteMutationError",
    "Mutation",
    "Page",
    "Stage",
    "Visibility",
    "descendants",
    "exchanged",
    "having",
]

Stage = Literal[
    "data",
    "embedding",
    "attention",
    "block",
    "head",
    "loss",
    "optim",
    "loop",
    "eval",
    "sampling",
    "cache",
    "classifier",
    "autograd",
]
BugClass = Literal[
    "label-shift",
    "positions",
    "mask",
    "projection",
    "training-step",
    "typo",
    "cache-positions",
    "cache-mask",
    "cache-contents",
    "cache-life",
    "rotary",
    "grouping",
    "ragged-positions",
    "ragged-mask",
    "ragged-life",
    "class-labels",
    "class-head",
    "class-loss",
    "class-metric",
    "matmul-gradient",
    "matmul-broadcast",
    "matmul-saved",
    "scan-steps",
    "tiles",
    "row-attention",
    "half-precision",
    "row-positions",
    "row-reading",
    "objective",
    "optimizer",
    "schedule",
    "step",
    "leakage",
    "batching",
    "reproducibility",
    "evaluation",
    "metrics",
    "checkpoint",
    "stream",
]
Difficulty = Literal["easy", "medium", "hard"]
Visibility = Literal["crash", "flat", "plateau", "leak", "decode", "invisible"]

STAGES: tuple[str, ...] = get_args(Stage)
BUG_CLASSES: tuple[str, ...] = get_args(BugClass)
DIFFICULTIES: tuple[str, ...] = get_args(Difficulty)
VISIBILITIES: tuple[str, ...] = get_args(Visibility)

ID_SHAPE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")
PROVENANCE_SHAPE = re.compile(r"[\w.-]+/[\w.-]+#\d+|report|measured")
PROVENANCE_WORDS = {
    "report": "told by people who met the exercise",
    "measured": "found by measurement, with no public thread known",
}
HINTS = 3
RUNS = "runs"
"""The check that whatever ends in an error breaks."""

Rewritten = cst.CSTNode | cst.RemovalSentinel | None


class IncompleteMutationError(TypeError):
    """A mutation class that lacks something; the message names it and the mend."""


@dataclass(frozen=True)
class Form:
    """One way to write a kind of bug.

    site: matches every node that might be changed, in any code of that shape.
    mutate: a pure function from such a node to the buggy one, to `cst.RemoveFromParent()`,
        or to None where a closer look shows that the node is no site after all.
    correct, buggy: a module before and after, exactly; the example is the spec and the test.
    inside: a shape that the function around the site must hold somewhere, to tell apart sites
        that look alike (a mask over scores, a mask over logits).
    beside: a shape that the file must hold somewhere, without which nobody could see the bug (a
        mode that is not left, where nothing depends on it).
    killed_by: the checks that fail when this form is planted alone, where they are not those
        of its kind.
    """

    name: str
    site: m.BaseMatcherNode
    mutate: Callable[[Any], Rewritten]  # takes the type of node that site matches
    correct: str
    buggy: str
    inside: m.BaseMatcherNode | None = None
    beside: m.BaseMatcherNode | None = None
    killed_by: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Page:
    """A kind explained: the sections of its docstring, each one paragraph of plain text."""

    title: str
    what: str
    why: str
    symptom: str
    find: str
    other_fixes: str


SECTIONS = {
    "what": "What it does",
    "why": "Why it is wrong",
    "symptom": "How it shows",
    "find": "How to find it",
    "other_fixes": "Other right fixes",
}


class Mutation:
    """One kind of bug. Subclass it and give every attribute below.

    id: the kind's name, such as `mask-fill-zero`.
    bug_class: the family a learner knows it by. stage: the part of the program it sits in.
    difficulty: how hard it is to find. visibility: what the loss and the sample show of it.
    provenance: threads where it was met, as `owner/repo#number`; or `report` (told by people
        who met the exercise) or `measured` (no public thread is known).
    hints: three, from vague to exact; the last may name the construct but not the line.
    killed_by: the checks that fail when it is planted alone.
    hides: ids of kinds that no check can see while this one stands.
    forms: the ways to write it. untouched: modules that look alike and must be left alone.
    """

    id: ClassVar[str]
    bug_class: ClassVar[BugClass]
    stage: ClassVar[Stage]
    difficulty: ClassVar[Difficulty]
    visibility: ClassVar[Visibility]
    provenance: ClassVar[tuple[str, ...]]
    hints: ClassVar[tuple[str, str, str]]
    killed_by: ClassVar[frozenset[str]]
    hides: ClassVar[frozenset[str]] = frozenset()
    forms: ClassVar[tuple[Form, ...]]
    untouched: ClassVar[tuple[str, ...]]
    page: ClassVar[Page]

    @classmethod
    def killers(cls, form: Form) -> frozenset[str]:
        """Name the checks that fail when a form of this kind is planted alone."""
        return form.killed_by or cls.killed_by

    @classmethod
    def crashes(cls) -> bool:
        """Whether any form ends in an error, for the learner or for a check."""
        return any(RUNS in cls.killers(form) for form in cls.forms)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name in Mutation.__annotations__:
            if name not in ("page", "hides") and not hasattr(cls, name):
                raise _incomplete(cls, f"has no {name}", f"set {name} in the class body")
        _check_words(cls)
        cls.page = parse_page(cls)


def parse_page(cls: type[Mutation]) -> Page:
    """Read a mutation's docstring: a title line, then one labelled paragraph per section."""
    title, *paragraphs = (
        " ".join(paragraph.split())
        for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(cls.__doc__ or ""))
    )
    sections = {}
    for key, label in SECTIONS.items():
        texts = [p.removeprefix(f"{label}: ") for p in paragraphs if p.startswith(f"{label}: ")]
        if len(texts) != 1:
            raise _incomplete(
                cls,
                f"has {len(texts)} paragraphs '{label}: ...' in its docstring",
                "write exactly one",
            )
        sections[key] = texts[0]
    if len(paragraphs) != len(SECTIONS) or not title:
        raise _incomplete(cls, "has other paragraphs in its docstring", "keep to the labelled ones")
    return Page(title=title.rstrip("."), **sections)


def _check_words(cls: type[Mutation]) -> None:
    choices = {
        "bug_class": BUG_CLASSES,
        "stage": STAGES,
        "difficulty": DIFFICULTIES,
        "visibility": VISIBILITIES,
    }
    for name, words in choices.items():
        if getattr(cls, name) not in words:
            raise _incomplete(
                cls, f"has {name} {getattr(cls, name)!r}", f"use one of {', '.join(words)}"
            )
    if not ID_SHAPE.fullmatch(cls.id):
        raise _incomplete(cls, f"has the id {cls.id!r}", "use words joined by hyphens")
    if len(cls.hints) != HINTS:
        raise _incomplete(cls, f"has {len(cls.hints)} hints", f"give {HINTS}, from vague to exact")
    if not cls.forms or not cls.killed_by:
        raise _incomplete(cls, "has no form or no check that kills it", "give at least one")
    if not cls.provenance or not all(PROVENANCE_SHAPE.fullmatch(p) for p in cls.provenance):
        raise _incomplete(
            cls,
            f"has the provenance {cls.provenance!r}",
            "use owner/repo#number, 'report' or 'measured'",
        )


def _incomplete(cls: type[Mutation], what: str, mend: str) -> IncompleteMutationError:
    return IncompleteMutationError(f"{cls.__module__}.{cls.__qualname__} {what}: {mend}.")
