"""A debrief told to people in a terminal, and as a document."""

import math
import re
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bugforge.clock import spoken
from bugforge.courses import Course, Moment
from bugforge.debrief import ENDS, HOW_TIME_IS_SHARED, Debrief, formula
from bugforge.errors import WorkspaceError
from bugforge.prose import show_paragraph, show_table
from bugforge.recordings import plain
from bugforge.standing import score_document, show_left, show_score, standing_document
from bugforge.workspace import Workspace


def show_short(console: Console, workspace: Workspace) -> None:
    """Say, once a practice has ended, how to look back on it."""
    try:
        stands = workspace.standing()
    except WorkspaceError:
        return
    if stands.ended:
        words = "`bugforge report` tells when each bug fell, the score, and what to practise next."
        show_paragraph(console, words, begin="Debrief: ")


def show_report(console: Console, debrief: Debrief) -> None:
    """Tell of a whole practice: score, what happened, each bug, and what to practise next."""
    manifest, stands = debrief.manifest, debrief.stands
    console.rule(f"[bold]Debrief[/]: {manifest.track}", align="left", characters="-")
    console.print(f"{stands.state.capitalize()}.", highlight=False)
    show_left(console, manifest, stands)
    show_score(console, manifest, stands)
    console.rule("[bold]Timeline[/]", align="left", characters="-")
    for number, moment in enumerate(debrief.moments):
        begin = f"{spoken(moment.line.seconds):>8}  " if stands.began else "  "
        show_paragraph(console, _happened(debrief, number, moment), begin=begin)
    if debrief.courses:
        console.rule("[bold]Bugs[/]", align="left", characters="-")
        show_table(console, _table(debrief))
        if debrief.untold:
            words = "When each bug fell could not be found out here: "
            show_paragraph(console, words + plain(debrief.untold), begin="")
        elif not stands.began:
            show_paragraph(console, "The clock was never started, so there are no times.", begin="")
        else:
            show_paragraph(console, HOW_TIME_IS_SHARED, begin="")
        for course in debrief.courses:
            words = _went(course, is_timed=stands.began)
            show_paragraph(console, words, begin=f"  bug {course.bug.number}: ")
    console.rule("[bold]What to practise next[/]", align="left", characters="-")
    for one in debrief.advice:
        show_paragraph(console, one.words, begin="  ")
        for command in one.commands:
            console.print(Text(f"    {command}"), soft_wrap=True)
    console.rule("[bold]How the score is made[/]", align="left", characters="-")
    for part in filter(None, re.split(r"\n(?! )", formula())):  # its lines go on indented
        show_paragraph(console, " ".join(part.split()), begin="  ")
    show_paragraph(console, "bugforge report --html FILE writes all of it as a page.", begin="")


def _happened(debrief: Debrief, number: int, moment: Moment) -> str:
    line = moment.line
    words = [f"{line.name} {line.number}" if line.number else line.name]
    if line.result:
        words.append(plain(line.result))
    if moment.revealed:
        words.append(_bugs(moment.revealed))
    if line.losses:
        words.append(f"loss {line.losses[0]:.2f} to {line.losses[-1]:.2f}")
    if fell := debrief.fell(number):
        words.append(f"mended: {_bugs(fell)}")
    return ", ".join(words)


def _bugs(numbers: list[int] | tuple[int, ...]) -> str:
    return f"{'bug' if len(numbers) == 1 else 'bugs'} {', '.join(map(str, numbers))}"


def _table(debrief: Debrief) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("bug", justify="right")
    table.add_column("kind", overflow="fold")
    table.add_column("class")
    table.add_column("end")
    for name in ("done with", "time", "hints"):
        table.add_column(name, justify="right")
    for course in debrief.courses:
        bug = course.bug
        at, spent = "", ""
        if debrief.stands.began:
            at = "never" if course.closed is None else spoken(course.at)
            spent = spoken(course.spent)
        told = (bug.kind, bug.bug_class, ENDS[course.end], at, spent)
        table.add_row(str(bug.number), *told, str(course.hints))
    return table


def _went(course: Course, *, is_timed: bool) -> str:
    if course.end != "fixed" or not is_timed:
        return f"{course.bug.title}."
    return f"{course.bug.title}. It fell between {spoken(course.since)} and {spoken(course.at)}."


def report_document(workspace: Workspace, debrief: Debrief) -> dict[str, Any]:
    """Describe a debrief."""
    return {
        **standing_document("report", workspace, debrief.stands),
        "score": score_document(debrief.manifest, debrief.stands),
        "formula": formula(),
        "events": [
            {
                "event": moment.line.name,
                "seconds_used": round(moment.line.seconds, 1),
                "run": moment.line.number,
                "result": moment.line.result,
                "losses": [_number(loss) for loss in moment.line.losses],
                "sample": moment.sample,
                "bugs": [
                    {"number": number, "state": state}
                    for number, state in sorted(moment.states.items())
                ],
                "fell": debrief.fell(index),
                "revealed": list(moment.revealed),
            }
            for index, moment in enumerate(debrief.moments)
        ],
        "bugs": [_course(course) for course in debrief.courses],
        "untold": debrief.untold,
        "correct_losses": [_number(loss) for loss in debrief.found.losses],
        "next": [{"words": one.words, "commands": list(one.commands)} for one in debrief.advice],
    }


def _course(course: Course) -> dict[str, Any]:
    bug = course.bug
    return {
        "number": bug.number,
        "kind": bug.kind,
        "class": bug.bug_class,
        "stage": bug.stage,
        "end": course.end,
        "last_seen": round(course.since, 1),
        "done_with": None if course.closed is None else round(course.at, 1),
        "seconds": round(course.spent, 1),
        "hints": course.hints,
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
