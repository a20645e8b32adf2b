"""The contract of plugins, clause by clause: what every mutation and every rewrite promises.

`bugforge dev test` asks the clauses of one plugin; the repository's tests ask the same ones of
every plugin that is built in.
"""

import ast
import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from typing import Generic, ParamSpec

import numpy as np

from bugforge.audit import Kill, of_kill
from bugforge.checks import Evidence, Reading
from bugforge.edits import apply_edits
from bugforge.layout import LINE_LENGTH
from bugforge.linter import EVERYTHING, PLAIN, Linter, Programs
from bugforge.mutants import Mutant, mutants
from bugforge.mutation import Form, Mutation
from bugforge.rewrite import Rewrite, Way
from bugforge.surgery import parse, sites
from bugforge.template import rewritten
from bugforge.variant import Variant, written

P = ParamSpec("P")
MOST_LINES = 8
"""Lines that a bug takes out and puts in, together."""

PROMISED = {
    "forward": ["self", "idx", "targets"],
    "generate": ["self", "idx", "max_new_tokens", "temperature", "top_k"],
    "train": ["text", "config", "seed"],
    "sample": ["model", "vocabulary", "prompt", "max_new_tokens"],
    "main": [],
}
"""Functions that PROBLEM.md names, with the names of their parameters."""

parsed = cache(parse)  # every form asks the correct program for its sites


@dataclass(frozen=True)
class Clause(Generic[P]):
    """One promise: its law, the mend where it is broken, and what gives a sentence on each fault.

    Called, it gives all faults.
    """

    law: str
    mend: str
    find: Callable[P, Iterable[str]]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> list[str]:
        """Say what does not hold; nothing where all does."""
        return list(self.find(*args, **kwargs))


def clause(mend: str) -> Callable[[Callable[P, Iterable[str]]], Clause[P]]:
    """Make a function that finds faults a clause; its docstring is the law."""

    def made(find: Callable[P, Iterable[str]]) -> Clause[P]:
        return Clause(" ".join(inspect.getdoc(find).split()), mend, find)  # type: ignore[union-attr]

    return made


@clause("Change the example, or what the form's site and mutate do.")
def example_mutates(form: Form) -> Iterator[str]:
    """Each form turns its correct example into its buggy one, to the letter."""
    planted = _planted(form.correct, form)
    if planted is None:
        yield f"{form.name} finds no site in its correct example."
    elif planted != form.buggy:
        yield f"{form.name}: {_difference(planted, form.buggy)}"


@clause("Let the form's site match less, or take from untouched what is a site after all.")
def lookalikes_stay(kind: type[Mutation], form: Form) -> Iterator[str]:
    """No form finds a site in what must stay untouched."""
    for number, text in enumerate(kind.untouched, start=1):
        if _planted(text, form) is not None:
            yield f"{form.name} finds a site in number {number} of untouched."


@clause("See that site matches code of `bugforge/reference`, and let mutate change less of it.")
def site_found(form: Form, pristine: Mapping[str, str]) -> Iterator[str]:
    """Each form has a site in the correct program, and is a small change of whole lines there, of
    at most eight in and out, that compiles.
    """
    found = [site for name, text in pristine.items() for site in sites(parsed(name, text), form)]
    if not found:
        yield f"{form.name} finds no site."
    for number, site in enumerate(found, start=1):
        edits = site.plant()
        where = f"{form.name} at site {number}"
        changed = sum(len(edit.old) + len(edit.new) for edit in edits)
        if not edits:
            yield f"{where} changes nothing."
        if changed > MOST_LINES:
            yield f"{where} changes {changed} lines."
        for name, text in apply_edits(pristine, edits).items():
            yield from (f"{where}: {fault}" for fault in _uncompiled(name, text))


@clause("Write the buggy code so that it reads as tidy as the correct one.")
def unseen_by_linters(linter: Linter, pristine: Mapping[str, str], bugs: Programs) -> Iterator[str]:
    """No linter finds more in the program with the bug, and its layout is as clean."""
    programs = {**bugs, "no bug": pristine}
    findings = linter.findings(programs, EVERYTHING)
    for name, found in findings.items():
        for what in found - findings["no bug"]:
            yield f"{name}: ruff finds {what}."
    for name, file in linter.untidy(programs):
        yield f"{name}: ruff would lay out {file} otherwise."


@clause("Name in killed_by the checks that break; a form may name its own.")
def named_checks_break(mutant: Mutant, broken: frozenset[str]) -> Iterator[str]:
    """Planted alone, each form breaks exactly the checks that it names, at every site."""
    if broken != mutant.killers:
        yield of_kill(Kill(mutant, broken, None))


@clause("Change the example, or the code of the pairs.")
def example_rewritten(way: Way) -> Iterator[str]:
    """Each way turns its example into the other, to the letter."""
    found = rewritten(way.before, way.pairs, way.holder)
    if found is None:
        yield f"{way.name} finds no place in its example."
    elif found.text != way.after:
        yield f"{way.name}: {_difference(found.text, way.after)}"


@clause("See that the way fits code of `bugforge/reference`, and that nothing else uses its names.")
def place_found(
    choice: str, files: Mapping[str, str], pristine: Mapping[str, str]
) -> Iterator[str]:
    """Each way alone changes the correct program, into code that compiles and has no line of more
    than 100 characters.
    """
    if files == pristine:
        yield f"{choice} finds no place."
    for name, text in files.items():
        yield from (f"{choice}: {fault}" for fault in _uncompiled(name, text))
        for number, line in enumerate(text.splitlines(), start=1):
            if len(line) > LINE_LENGTH:
                yield f"{choice} makes {name}, line {number} too long: {len(line)} characters."


@clause("Leave GPT, forward, generate, train, sample and main with their parameters.")
def promised_names_stay(program: str, files: Mapping[str, str]) -> Iterator[str]:
    """What PROBLEM.md promises to be there is there, under its name."""
    model, train = (ast.parse(files[name]) for name in ("model.py", "train.py"))
    gpt = [node for node in model.body if isinstance(node, ast.ClassDef) and node.name == "GPT"]
    if len(gpt) != 1:
        yield f"{program} has no class GPT."
        return
    arguments = {
        node.name: [argument.arg for argument in node.args.args]
        for node in (*gpt[0].body, *train.body)
        if isinstance(node, ast.FunctionDef)
    }
    for name, wanted in PROMISED.items():
        if arguments.get(name) != wanted:
            yield f"{program} has no function {name}({', '.join(wanted)})."


@clause("Let it depend on nothing but the text that it is given.")
def written_again(
    variant: Variant, reference: Mapping[str, str], rewrites: Iterable[type[Rewrite]]
) -> Iterator[str]:
    """The ways that a variant names lead to the same program."""
    if written(reference, rewrites, variant.text, variant.ways) != variant.files:
        yield f"The ways {', '.join(variant.ways)} lead to another program."


@clause("Write the code of the pairs as the formatter would, and leave no name idle.")
def tidy(linter: Linter, programs: Programs) -> Iterator[str]:
    """A program that is written so has no unused name, no undefined one, and a formatter's
    layout.
    """
    for name, found in linter.findings(programs, PLAIN).items():
        for what in found:
            yield f"{name}: ruff finds {what}."
    for name, file in linter.untidy(programs):
        yield f"{name}: ruff would lay out {file} otherwise."


@clause("Write what computes the same; a rewrite is no bug.")
def laws_kept(program: str, readings: Mapping[str, Reading]) -> Iterator[str]:
    """A program that is written so keeps every law, and compares with the correct one."""
    for reading in readings.values():
        if reading.kept is False:
            yield f"{program} breaks {reading.check}: {reading.value} (bound {reading.bound})."
        elif not reading.kept:
            yield f"{program} leaves it open whether it keeps {reading.check}: {reading.why}."


@clause("Say exact=False of the way.")
def bits_stay(program: str, seen: Evidence, pristine: Evidence) -> Iterator[str]:
    """Ways that are said to be exact give the same logits, or products, to the bit."""
    # Of a language model logits are enough; only an attempt is also tried with other weights.
    asked = (
        {"forward": ("given", "large")} if "forward" in pristine else dict.fromkeys(pristine, "")
    )
    for instrument, prefix in asked.items():
        wanted = pristine[instrument].tensors
        for name, given in seen[instrument].tensors.items():
            if name.startswith(prefix) and not np.array_equal(given, wanted[name]):
                yield f"{program} gives other bits ({name})."


@clause("Write code in which the bug is still one, or leave that place as it is.")
def bugs_stay(program: str, mutant: Mutant, broken: frozenset[str]) -> Iterator[str]:
    """A bug breaks the same checks in a program that is written so."""
    yield from (f"{program}: {fault}" for fault in named_checks_break(mutant, broken))


@clause("Choose names, or words, that no mutation looks at.")
def sites_stay(program: str, found: Counter[str], pristine: Counter[str]) -> Iterator[str]:
    """Whatever things are called, every form finds as many sites as in the correct program."""
    for name in found | pristine:
        if found[name] != pristine[name]:
            yield f"{program} has {found[name]} sites for {name}, and not {pristine[name]}."


def sites_by_form(files: Mapping[str, str], kinds: Iterable[type[Mutation]]) -> Counter[str]:
    """Count the sites that a program has for each form, by its name."""
    return Counter(f"{mutant.kind.id} {mutant.form.name}" for mutant in mutants(files, kinds))


def _planted(text: str, form: Form) -> str | None:
    """Plant a form at its first site in a module, if it has one."""
    found = next(iter(sites(parse("example.py", text), form)), None)
    if found is None:
        return None
    return apply_edits({"example.py": text}, found.plant())["example.py"]


def _uncompiled(name: str, text: str) -> Iterator[str]:
    try:
        compile(text, name, "exec")
    except SyntaxError as error:
        yield f"{name}, line {error.lineno} does not compile: {error.msg}."


def _difference(made: str, wanted: str) -> str:
    """Say where two texts first differ."""
    ours, theirs = made.splitlines(keepends=True), wanted.splitlines(keepends=True)
    for tag, start, end, at, until in SequenceMatcher(None, ours, theirs).get_opcodes():
        if tag != "equal":
            return (
                f"in line {start + 1} it makes {''.join(ours[start:end])!r}, where the example "
                f"says {''.join(theirs[at:until])!r}."
            )
    return ""
