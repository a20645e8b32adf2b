"""A debrief as one page that needs nothing else: no script, no network, no font, no picture."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from bugforge import __version__
from bugforge.claims import Claim
from bugforge.clock import spoken
from bugforge.courses import Course
from bugforge.debrief import ENDS, HOW_TIME_IS_SHARED, Debrief, formula
from bugforge.diff import solution, unified
from bugforge.errors import UsageError
from bugforge.figures import Bars, Chart, Maps, bug_bars, influence_maps, loss_chart
from bugforge.files import write_whole
from bugforge.mend import forged_start
from bugforge.mutation import PROVENANCE_WORDS, SECTIONS
from bugforge.recordings import plain
from bugforge.retraced import NO_BUG
from bugforge.timeline import Line

PAGE = "debrief.html"
CORRECT = "the correct program"
SEES = ("mask", "positions", "cache-mask", "cache-positions", "ragged-mask", "ragged-positions")
"""Classes of bugs, beside all in attention, that show in what reaches what."""


@dataclass(frozen=True)
class Row:
    """A line of a diff. mark: `+`, `-`, `@` or a blank. code: highlighted."""

    mark: str
    code: Markup


@dataclass(frozen=True)
class Told:
    """A bug as the page tells of it."""

    course: Course
    places: str
    diff: tuple[Row, ...]
    sections: dict[str, str]
    met: str
    claim: Claim | None
    maps: Maps | None


def refuse_no_page(path: Path) -> None:
    """Raise UsageError where a page cannot be written, before the work that is to fill it."""
    if path.suffix not in (".html", ".htm"):
        raise UsageError(f"{path} is no name for a page.", "Let it end in .html.")
    if path.is_dir() or not path.parent.is_dir():
        raise UsageError(f"{path} cannot be written.", "Name another file for --html.")


def write_page(path: Path, debrief: Debrief) -> None:
    """Write a debrief as a page. Raises UsageError where it cannot be written."""
    try:
        write_whole(path, page(debrief))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}.", "Name another file for --html."
        ) from error


def page(debrief: Debrief) -> str:
    """Write a debrief as HTML. Whatever a learner wrote is escaped."""
    world = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    world.filters |= {
        "spoken": spoken,
        "plain": _plain,
        "loss": _loss,
        "lowest": _lowest,
        "off": _off,
    }
    analysis, key = debrief.analysis, debrief.key
    return world.get_template(PAGE).render(
        debrief=debrief,
        version=__version__,
        date=_date(debrief),
        formula=formula(),
        how_time_is_shared=HOW_TIME_IS_SHARED,
        chart=_chart(debrief),
        correct=CORRECT if debrief.found.losses else None,
        bars=_bars(debrief),
        told=[_told(debrief, course) for course in debrief.courses],
        ends=ENDS,
        others=analysis.others if analysis and debrief.whole else (),
        decoys=key.decoys if debrief.whole else (),
        solution=tuple(_rows(solution(key))) if key.given and debrief.whole else (),
        run_label=_run_label,
    )


def _template(name: str) -> str:
    return (files("bugforge.templates") / name).read_text(encoding="utf-8")


def _date(debrief: Debrief) -> str:
    """Give the day on which the practice ended, as its journal has it."""
    wall = debrief.stands.marks[-1].event.at.wall
    return datetime.fromtimestamp(wall).astimezone().date().isoformat()


def _plain(text: str) -> str:
    """Make text of several lines safe to show: what is not printable becomes its escape."""
    return "\n".join(plain(line.expandtabs(4)) for line in text.splitlines())


def _loss(value: float) -> str:
    return f"{value:.3f}"


def _lowest(losses: Sequence[float]) -> float:
    return min((loss for loss in losses if math.isfinite(loss)), default=math.nan)


def _off(points: float) -> str:
    return f"-{points:.3g}" if points else "0"


def _run_label(line: Line) -> str:
    return f"{line.name} {line.number}" if line.number else f"{line.name} at {spoken(line.seconds)}"


def _chart(debrief: Debrief) -> Chart | None:
    runs = {_run_label(moment.line): moment.curve for moment in debrief.runs}
    return loss_chart({CORRECT: tuple(enumerate(debrief.found.losses)), **runs})


def _bars(debrief: Debrief) -> Bars | None:
    seconds = [moment.line.seconds for moment in debrief.runs]
    return bug_bars(debrief.courses, seconds, debrief.stands.seconds)


def _told(debrief: Debrief, course: Course) -> Told:
    key, bug = debrief.key, course.bug
    places = sorted({(edit.name, forged_start(key, edit) + 1) for edit in bug.edits})
    return Told(
        course,
        ", ".join(f"{name}, line {line}" for name, line in places),
        tuple(_rows(unified(key, bug))),
        {label: getattr(bug, name) for name, label in SECTIONS.items()},
        ", ".join(PROVENANCE_WORDS.get(source, source) for source in bug.provenance),
        debrief.analysis.of(bug.number) if debrief.analysis else None,
        _maps(debrief, course),
    )


def _maps(debrief: Debrief, course: Course) -> Maps | None:
    """Lay out what a bug does to what reaches what; None where it is none that does anything."""
    bug, grids = course.bug, debrief.found.influence or {}
    right, wrong = grids.get(NO_BUG), grids.get(bug.number)
    if bug.stage != "attention" and bug.bug_class not in SEES:
        return None
    if not right or not wrong or right == wrong or len(right) != len(wrong):
        return None
    return influence_maps(right, wrong)


def _rows(diff: str) -> Iterator[Row]:
    """Divide a diff into lines, each highlighted as the Python that it is."""
    for line in diff.splitlines():
        if line.startswith(("+++ ", "--- ", "@@ ")):
            yield Row("@", Markup.escape(plain(line)))
        else:
            yield Row(line[:1] or " ", _highlighted(line[1:]))


def _highlighted(code: str) -> Markup:
    lexer = PythonLexer(stripnl=False, stripall=False, ensurenl=False)
    shown = highlight(_plain(code), lexer, HtmlFormatter(nowrap=True))
    return Markup(shown.rstrip("\n"))  # noqa: S704  # the formatter escapes what it is given
