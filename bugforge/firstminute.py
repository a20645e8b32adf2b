"""The first minute, as people read it: what to do next, and what is wrong with the set-up.

It imports little, so that it can tell of a set-up in which much is broken.
"""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.text import Text

from bugforge.doctor import Finding, is_well
from bugforge.nextstep import Situation, State
from bugforge.prose import show_paragraph

MARKS = {"well": ("ok", "green"), "mind": ("mind", "yellow"), "fault": ("FAULT", "bold red")}
ABOUT = 16
NAMED = 3
ROOM = 24
"""Columns that words need beside a command; else they stand below it."""

FOUND: dict[State, str] = {
    "none": "There is no workspace here yet: a program with bugs for you to find.",
    "unusable": "There is a workspace here, and it cannot be used.",
    "unchecked": "{where} has not been checked yet. Its task stands in PROBLEM.md.",
    "running": "You are at work on {where}, and have not checked it yet.",
    "paused": "The clock of {where} is paused.",
    "failed": "{where} did not pass its last check.",
    "passed": "{where} has passed. Well done.",
    "revealed": "The answers of {where} have been revealed.",
}


def show_next(console: Console, found: Situation) -> None:
    """Say what was found, and what can be done from there."""
    where = ""
    if found.workspace:
        where = f"{found.workspace.root.name} (track {found.workspace.manifest.track})"
    show_paragraph(console, FOUND[found.state].format(where=where), begin="")
    if found.workspace and (lost := found.workspace.lost()):
        show_paragraph(console, lost, begin="Journal: ")
    if found.wrong:
        show_paragraph(console, f"{found.wrong.what} {found.wrong.mend}", begin="")
    if found.others:
        names = [path.name for path in found.others]
        more = [*names[:NAMED], *(["..."] if len(names) > NAMED else [])]
        show_paragraph(console, ", ".join(more), begin="More workspaces here: ")
    console.print()
    steps = found.steps()
    width = max(len(found.line(step)) for step in steps)
    for step in steps:
        begin = f"  {found.line(step):{width}}  "
        if len(begin) > console.width - ROOM:
            console.print(Text(begin.rstrip(), style="bold"), soft_wrap=True)
            begin = " " * 6
        show_paragraph(console, step.does, begin=begin, style="bold", styled=len(begin))
    console.print()
    console.print(Text("bugforge --help names every command."), style="dim")


def show_finding(console: Console, finding: Finding) -> None:
    """Show one finding, with its mark, and its mend below."""
    mark, _ = MARKS[finding.state]
    begin = f"{mark:5}  {finding.about:{ABOUT}}  "
    show_paragraph(console, finding.what, begin=begin, style=MARKS[finding.state][1])
    if finding.mend:
        show_paragraph(console, finding.mend, begin=f"{'':{len(begin)}}mend: ")


def show_conclusion(console: Console, findings: list[Finding]) -> None:
    """Say what the findings come to."""
    faults = sum(finding.state == "fault" for finding in findings)
    minds = sum(finding.state == "mind" for finding in findings)
    if faults:
        words = "[bold red]Not all is well.[/] Mend what is marked FAULT, and ask again."
    elif minds:
        words = "[bold green]It works.[/] What is marked mind is not as good as it might be."
    else:
        words = "[bold green]All is well.[/]"
    console.print(words, highlight=False)


def doctor_document(findings: Iterable[Finding]) -> dict[str, Any]:
    """Describe what was found."""
    told = list(findings)
    return {
        "command": "doctor",
        "well": is_well(told),
        "findings": [asdict(finding) for finding in told],
    }
