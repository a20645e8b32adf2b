"""What became of a learner's own tests, as a table."""

from collections import Counter

from rich.console import Console
from rich.table import Table

from bugforge.prose import many, show_paragraph, show_table
from bugforge.report import survivors
from bugforge.tally import Tally


def show_tally(console: Console, tally: Tally | None, feedback: str) -> None:
    """Show what tests catch of each class of bug, what they miss, as far as feedback allows, and
    their false alarms, where they were tried.
    """
    if tally is None:
        return
    if not tally.alarms:
        show_table(console, _table(tally))
    for told, count in Counter(map(_told, survivors(tally, feedback))).items():
        show_paragraph(console, f"{told}{f' ({count} times)' if count > 1 else ''}", "  missed: ")
    for (test, error), count in Counter((a.failed, a.error) for a in tally.alarms).items():
        where = f"on {count} of {many(tally.right, 'right program')}"
        show_paragraph(console, ": ".join(filter(None, (where, test, error))), "  false alarm: ")
    show_paragraph(console, _sum(tally), f"Score {tally.score} of 100: ")


def _table(tally: Tally) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("class of bug", no_wrap=True)
    for column in ("caught", "missed"):
        table.add_column(column, justify="right")
    for name, (caught, tried) in tally.by_class().items():
        table.add_row(name, f"{caught}", f"{tried - caught}")
    return table


def _told(survivor: dict[str, str]) -> str:
    """Write what is told of a wrong program that no test fails on."""
    return ", ".join(survivor.values())


def _sum(tally: Tally) -> str:
    if tally.alarms:
        of = many(tally.right, "right program")
        return f"false alarms on {len(tally.alarms)} of {of}, which must all pass."
    caught = f"{len(tally.caught)} of {many(tally.wrong, 'wrong program')} caught"
    right = many(tally.right, "right program")
    return f"{caught}, no false alarm on {right}; {tally.least} are enough."
