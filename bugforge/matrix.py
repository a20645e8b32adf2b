"""The kill matrix: which checks each mutant breaks, for the terminal, as data and as a page."""

import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bugforge.audit import Audit, Pair
from bugforge.errors import UsageError
from bugforge.prose import show_paragraph, show_table
from bugforge.symptom import Symptom


def show_audit(console: Console, audit: Audit) -> None:
    """Show what each bug breaks and how it shows, and what of the catalogue does not hold."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in _columns(audit):
        numeric = column in {"loss", "given back"}
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in _rows(audit):
        table.add_row(*map(Text, row))
    show_table(console, table)
    console.print()
    for line in _summary(audit):
        console.print(Text(line))
    for finding in audit.findings:
        show_paragraph(console, finding, begin="  not so: ")
    console.print("[bold red]Not proved.[/]" if audit.findings else "[bold green]Proved.[/]")


def audit_document(audits: Iterable[Audit]) -> dict[str, Any]:
    """Describe audits, with the pairs that were not told apart."""
    tracks = [_track(audit) for audit in audits]
    return {
        "command": "audit",
        "proved": all(track["proved"] for track in tracks),
        "tracks": tracks,
    }


def refuse_no_page(path: Path) -> None:
    """Raise UsageError where a page cannot be written, before the work that is to fill it."""
    mend = "Name another file for --docs."
    if path.is_dir():
        raise UsageError(f"{path} is a folder, and no page can be written there.", mend)
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise UsageError(f"No page can be written into {path.parent}.", mend)


def write_page(path: Path, audits: Iterable[Audit]) -> None:
    """Write audits as a page of Markdown. Raises UsageError where it cannot be written."""
    try:
        path.write_text("\n".join(map(_page, audits)), encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}.", "Name another file for --docs."
        ) from error


def _page(audit: Audit) -> str:
    columns = _columns(audit)
    head = "| " + " | ".join(columns) + " |\n|" + " --- |" * len(columns)
    bugs = "\n".join("| " + " | ".join(row) + " |" for row in _rows(audit))
    checks = "\n".join(f"| `{check}` | {n} | {only} |" for check, n, only in _worth(audit))
    hidden = [pair for pair in audit.pairs if pair.told != "told apart"]
    pairs = "\n".join(f"| {p.one.name} | {p.other.name} | {p.told} |" for p in hidden)
    parts = [
        f"# The kill matrix of the track {audit.track}, program {audit.program}",
        "\n".join(f"- {line}" for line in [*_summary(audit), *audit.findings]),
        f"{head}\n{bugs}",
        "## What each check is worth",
        f"| check | bugs that break it | and nothing else |\n| --- | --- | --- |\n{checks}",
    ]
    if pairs:
        parts += [
            "## Pairs of which one is not seen",
            f"| one | other | |\n| --- | --- | --- |\n{pairs}",
        ]
    return "\n\n".join(parts) + "\n"


def _columns(audit: Audit) -> tuple[str, ...]:
    trained = () if audit.symptom is None else ("shows as", "loss", "given back")
    return ("bug", *trained, "broken checks")


def _rows(audit: Audit) -> Iterator[tuple[str, ...]]:
    yield ("none", *_shown(audit.symptom), ", ".join(audit.broken))
    for kill in audit.kills:
        shown = _shown(kill.symptom, kill.mutant.kind.visibility)
        yield (kill.mutant.name, *shown, ", ".join(sorted(kill.broken)))


def _shown(symptom: Symptom | None, listed: str = "") -> tuple[str, ...]:
    if symptom is None:
        return ()
    shows = symptom.shows if listed in {"", symptom.shows} else f"{symptom.shows} (not {listed})"
    loss = f"{symptom.loss:.3f}" if math.isfinite(symptom.loss) else "-"
    return shows, loss, f"{symptom.given_back:.0%}"


def _summary(audit: Audit) -> Iterator[str]:
    killed = sum(bool(kill.broken) for kill in audit.kills)
    exactly = sum(kill.broken == kill.mutant.killers for kill in audit.kills)
    yield (
        f"{killed} of {len(audit.kills)} mutants are killed, {exactly} by exactly the checks "
        "that their kinds name."
    )
    if audit.rewritings:
        same = sum(not written.broken for written in audit.rewritings)
        yield f"{same} of {len(audit.rewritings)} rewritten programs keep every check."
    if audit.pairs:
        told = Counter(pair.told for pair in audit.pairs)
        words = ", ".join(f"{count} {how}" for how, count in told.most_common())
        yield f"{len(audit.pairs)} pairs of bugs: {words}."
    left = sum(len(left.kinds) for left in audit.left_in)
    through = sum(len(left.let_through) for left in audit.left_in)
    yield (
        f"{len(audit.left_in)} forged programs: {left - through} of {left} bugs left in alone "
        "are refused."
    )
    if audit.to_write:
        refused = sum(not task.passes for task in audit.to_write)
        solved = sum(not task.broken for task in audit.to_write)
        yield (
            f"{len(audit.to_write)} programs to extend: {refused} are refused as they are given, "
            f"{solved} keep every check when they are solved."
        )


def _worth(audit: Audit) -> Iterator[tuple[str, int, int]]:
    """Count for each check the mutants that break it, and those that break no other."""
    kills = Counter(check for kill in audit.kills for check in kill.broken)
    only = Counter(check for kill in audit.kills for check in kill.broken if len(kill.broken) == 1)
    yield from ((check, count, only[check]) for check, count in kills.most_common())


def _track(audit: Audit) -> dict[str, Any]:
    return {
        "track": audit.track,
        "program": audit.program,
        "proved": not audit.findings,
        "findings": audit.findings,
        "pristine": {"broken": list(audit.broken), "symptom": _symptom(audit.symptom)},
        "mutants": [
            {
                "kind": kill.mutant.kind.id,
                "form": kill.mutant.form.name,
                "site": kill.mutant.site,
                "broken": sorted(kill.broken),
                "named": sorted(kill.mutant.killers),
                "listed": kill.mutant.kind.visibility,
                "symptom": _symptom(kill.symptom),
            }
            for kill in audit.kills
        ],
        "rewritings": [
            {"ways": list(written.ways), "broken": sorted(written.broken)}
            for written in audit.rewritings
        ],
        "pairs": {
            "told_apart": sum(pair.told == "told apart" for pair in audit.pairs),
            "behind_a_crash": [_names(p) for p in audit.pairs if p.told == "behind a crash"],
            "masked": [_names(p) for p in audit.pairs if p.told == "masked"],
            "cancelled": [_names(p) for p in audit.pairs if p.told == "cancelled"],
        },
        "left_in": [
            {
                "options": left.options,
                "kinds": list(left.kinds),
                "let_through": list(left.let_through),
                "whole_let_through": left.whole_let_through,
            }
            for left in audit.left_in
        ],
        "to_write": [
            {"options": task.options, "passes": task.passes, "broken": list(task.broken)}
            for task in audit.to_write
        ],
    }


def _symptom(symptom: Symptom | None) -> dict[str, Any] | None:
    if symptom is None:
        return None
    return {
        "shows": symptom.shows,
        "loss": symptom.loss if math.isfinite(symptom.loss) else None,
        "floor": symptom.floor if math.isfinite(symptom.floor) else None,
        "given_back": symptom.given_back,
    }


def _names(pair: Pair) -> list[str]:
    return [pair.one.name, pair.other.name]
