"""The catalogue as pages of Markdown: one that lists every kind, and one for each."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from bugforge.catalogue import Catalogue
from bugforge.errors import UsageError
from bugforge.experiments import INNER, Experiment, experiment_of, experiments
from bugforge.left_out import left_out
from bugforge.mutation import PROVENANCE_WORDS, SECTIONS, Form, Mutation

FOLDER = "kinds"
"""Where the pages of kinds stand, beside the one that lists them."""

NOTICE = (
    "> Spoilers: who wants to find the bugs for themselves reads this afterwards.\n"
    ">\n"
    "> Written by `bugforge list --docs DIR`."
)

LEFT_OUT = (
    "Known from elsewhere, and not planted. Bugs of a cache and of a classifier belong to other "
    "tracks, and are not told one by one."
)


def pages(catalogue: Catalogue) -> dict[str, str]:
    """Write every page; text by path."""
    known = experiments()
    kinds = {
        f"{FOLDER}/{id_}.md": _page(kind, catalogue.origins[id_], experiment_of(kind, known))
        for id_, kind in catalogue.kinds.items()
    }
    return {"catalogue.md": _index(catalogue), **kinds}


def write_pages(catalogue: Catalogue, folder: Path) -> None:
    """Write the pages into a folder. Raises UsageError where they cannot be written."""
    try:
        for name, text in pages(catalogue).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{error.filename or folder} cannot be written: {error.strerror}.",
            "Name another folder for --docs.",
        ) from error


def _index(catalogue: Catalogue) -> str:
    kinds = catalogue.kinds.values()
    forms = sum(len(kind.forms) for kind in kinds)
    parts = ["# Every kind of bug", NOTICE, f"{len(kinds)} kinds, in {forms} forms."]
    for stage, group in groupby(kinds, key=lambda kind: kind.stage):
        rows = [
            f"| [{kind.id}]({FOLDER}/{kind.id}.md) | {kind.page.title} | {kind.bug_class} | "
            f"{kind.difficulty} | {kind.visibility} | {len(kind.forms)} |"
            for kind in group
        ]
        head = "| kind | what it is | class | difficulty | shows as | forms |\n|" + " --- |" * 6
        parts += [f"## {stage}", "\n".join([head, *rows])]
    return "\n\n".join([*parts, "## Left out", LEFT_OUT, _not_planted(catalogue)]) + "\n"


def _not_planted(catalogue: Catalogue) -> str:
    rows = [
        f"| {kind.id} | {kind.stage} | {kind.title} | {kind.why} |"
        for kind in left_out()
        if kind.id not in catalogue.kinds  # a plugin may bring it
    ]
    return "\n".join(
        ["| kind | stage | what it is | why it is not planted |", "|" + " --- |" * 4, *rows]
    )


def _page(kind: type[Mutation], origin: str, experiment: Experiment | None) -> str:
    parts = [f"# {kind.id}", NOTICE, f"{kind.page.title}.", _facts(kind, origin)]
    for name, label in SECTIONS.items():
        parts += [f"## {label}", getattr(kind.page, name)]
    if experiment:
        parts += ["## An experiment", *_experiment(kind, experiment)]
    parts.append("## Forms")
    parts += [_form(kind, form) for form in kind.forms]
    hints = (f"{number}. {hint}" for number, hint in enumerate(kind.hints, start=1))
    parts += ["## Hints", "\n".join(hints)]
    return "\n\n".join(parts) + "\n"


def _facts(kind: type[Mutation], origin: str) -> str:
    facts = {
        "class": kind.bug_class,
        "stage": kind.stage,
        "difficulty": kind.difficulty,
        "shows as": kind.visibility,
        "where it was met": ", ".join(_provenance(kind)),
        "hides": ", ".join(f"[{id_}]({id_}.md)" for id_ in sorted(kind.hides)),
        "from": "" if origin == "bugforge" else origin,
    }
    return "\n".join(f"- {name}: {words}" for name, words in facts.items() if words)


def _provenance(kind: type[Mutation]) -> Iterator[str]:
    for source in kind.provenance:
        repository, _, number = source.partition("#")
        address = f"https://github.com/{repository}/issues/{number}"
        yield f"[{source}]({address})" if number else PROVENANCE_WORDS[source]


def _experiment(kind: type[Mutation], experiment: Experiment) -> Iterator[str]:
    yield f"{experiment.title}."
    yield f"```python\n{experiment.code}```"
    yield experiment.see
    if experiment.inner:
        yield INNER
    yield f"See it run: `bugforge demo {kind.id}`"


def _form(kind: type[Mutation], form: Form) -> str:
    checks = ", ".join(f"`{check}`" for check in sorted(kind.killers(form)))
    changes = _marked("-", form.correct) + _marked("+", form.buggy)
    return f"**{form.name}** breaks {checks}.\n\n```diff\n{changes}```"


def _marked(mark: str, code: str) -> str:
    return "".join(f"{mark}{line}\n" for line in code.splitlines())
