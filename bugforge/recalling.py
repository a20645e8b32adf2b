"""The learner's history, told to people, as documents and as tables."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bugforge.clock import spoken
from bugforge.curve import draw_trend
from bugforge.prose import many, show_paragraph, show_table
from bugforge.rounds import SHORT_ID, Met, Round
from bugforge.tallying import Stats, Tally

WIDTH_OF_FOLDER = 14
NOTHING = "Nothing is kept yet; a round is, once its check passes or its bugs are revealed."


def show_stats(console: Console, stats: Stats) -> None:
    """Show classes by success and time, with their trends.

    How many kinds are due is told, and not which: they may be in a workspace that is not done yet.
    """
    if not stats.rounds:
        console.print(NOTHING, highlight=False)
        return
    show_paragraph(
        console,
        f"{many(stats.rounds, 'round')} on {many(stats.days, 'day')}, {stats.passed} passed; "
        f"{spoken(stats.seconds)} on the clock.",
        begin="",
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("class", no_wrap=True)
    for column in ("met", "fixed"):
        table.add_column(column, justify="right")
    table.add_column("trend", no_wrap=True)
    table.add_column("time", justify="right")
    table.add_column("trend", no_wrap=True)
    table.add_column("hints", justify="right")
    ascii_only = console.options.ascii_only
    for tally in stats.tallies:
        table.add_row(*_cells(tally, ascii_only=ascii_only))
    if stats.tallies:
        show_table(console, table)
        words = "Time is the median of a bug that you fixed; trends run from the first to the last."
        show_paragraph(console, words, begin="")
    if stats.due:
        kinds = "1 kind is" if stats.due == 1 else f"{stats.due} kinds are"
        console.print(f"{kinds} due again: bugforge new --weak", highlight=False)


def _cells(tally: Tally, *, ascii_only: bool) -> list[str]:
    usual = tally.usual_seconds
    return [
        tally.bug_class,
        str(len(tally.fixed)),
        f"{tally.success:.0%}",
        draw_trend(tally.trend, top=1.0, ascii_only=ascii_only),
        "" if usual is None else spoken(usual),
        draw_trend(tally.seconds, top=max(tally.seconds, default=0.0), ascii_only=ascii_only),
        str(tally.hints),
    ]


def show_history(console: Console, rounds: Sequence[Round], more: int) -> None:
    """List rounds, newest first. more: how many others are kept."""
    if not rounds:
        console.print(NOTHING, highlight=False)
        return
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("ended", no_wrap=True)
    table.add_column("folder", no_wrap=True, max_width=WIDTH_OF_FOLDER)
    for column in ("track", "fixed"):
        table.add_column(column, no_wrap=True)
    for column in ("time", "runs", "hints", "score"):
        table.add_column(column, justify="right")
    for round_ in rounds:
        table.add_row(
            f"{datetime.fromtimestamp(round_.ended).astimezone():%Y-%m-%d}",
            # What a name lacks is not marked: no console lacks the mark for that, but some do.
            Text(round_.folder or round_.workspace[:SHORT_ID], overflow="crop"),
            Text(round_.track),
            f"{round_.fixed} of {len(round_.bugs)}" if round_.bugs else round_.outcome,
            "" if round_.seconds is None else spoken(round_.seconds),
            str(round_.runs),
            str(round_.hints),
            "" if round_.score is None else f"{round_.score:.0f}",
        )
    show_table(console, table)
    if more:
        console.print(f"{more} more: bugforge history --limit 0", highlight=False)


def show_forgotten(console: Console, rounds: Sequence[Round]) -> None:
    """Say what was taken away."""
    words = f"{many(len(rounds), 'round')}, {many(_bugs(rounds), 'bug')}." if rounds else "nothing."
    show_paragraph(console, words, begin="Forgotten: ")


def question(rounds: Sequence[Round]) -> str:
    """Ask whether rounds are to be taken away."""
    return f"Forget {many(len(rounds), 'round')} with {many(_bugs(rounds), 'bug')}?"


def _bugs(rounds: Sequence[Round]) -> int:
    return sum(len(round_.bugs) for round_ in rounds)


def stats_document(stats: Stats) -> dict[str, Any]:
    """Describe what rounds come to."""
    return {
        "command": "stats",
        "rounds": stats.rounds,
        "passed": stats.passed,
        "days": stats.days,
        "seconds": round(stats.seconds, 1),
        "kinds_due": stats.due,
        "classes": [
            {
                "class": tally.bug_class,
                "met": len(tally.fixed),
                "fixed": sum(tally.fixed),
                "success": round(tally.success, 4),
                "median_seconds": tally.usual_seconds,
                "hints": tally.hints,
                "outcomes": ["fixed" if fixed else "revealed" for fixed in tally.fixed],
                "seconds": list(tally.seconds),
            }
            for tally in stats.tallies
        ],
    }


def rounds_document(command: str, rounds: Sequence[Round]) -> dict[str, Any]:
    """Describe rounds, in the order given."""
    return {"command": command, "rounds": [_round(round_) for round_ in rounds]}


def _round(round_: Round) -> dict[str, Any]:
    return {
        **{name: value for name, value in asdict(round_).items() if name != "bugs"},
        **{name: _time(getattr(round_, name)) for name in ("made", "started", "ended")},
        "bugs": [_bug(bug) for bug in round_.bugs],
    }


def _bug(bug: Met) -> dict[str, Any]:
    return {"class" if name == "bug_class" else name: value for name, value in asdict(bug).items()}


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def csv_text(rounds: Sequence[Round]) -> str:
    """Write rounds as a table with a row for each bug, or one for a round without bugs."""
    own = [field.name for field in fields(Round) if field.name != "bugs"]
    columns = [*own, *(f"bug_{name.removeprefix('bug_')}" for name in _names(Met))]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for round_ in rounds:
        told = _round(round_)
        begin = [told[name] for name in own]
        for bug in told["bugs"] or [{}]:
            writer.writerow([*begin, *(bug.values() or [""] * len(_names(Met)))])
    return text.getvalue()


def _names(of: type[Met]) -> list[str]:
    return [field.name for field in fields(of)]
