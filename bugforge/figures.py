"""Figures of a debrief as geometry: where lines, bars and cells lie in an SVG. Pure."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bugforge.clock import spoken
from bugforge.courses import Course
from bugforge.curve import averaged
from bugforge.retraced import Grid

WIDTH = 640.0
HEIGHT = 280.0
LEFT, RIGHT, TOP, BOTTOM = 74.0, 26.0, 12.0, 28.0
POINTS = 160
"""Of a curve; steps between them are averaged."""
HIGHEST = 1.5
"""How far above the first losses a chart reaches at most, as their multiple; a loss that explodes
would leave nothing else to be seen.
"""
BAR = 26.0
CELL = 22.0
EDGE = 20.0
UNMOVED = 1e-4
"""Logits that move less than this, as a share of what moves most, count as not moved."""


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: where, and what is written there."""

    at: float
    label: str


@dataclass(frozen=True)
class Trace:
    """A line of a chart: its name, its path, and whether some of it lies above the chart."""

    label: str
    path: str
    cut: bool


@dataclass(frozen=True)
class Chart:
    """Losses over steps."""

    traces: tuple[Trace, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT
    top: float = TOP
    floor: float = HEIGHT - BOTTOM


def loss_chart(curves: Mapping[str, Sequence[tuple[int, float]]]) -> Chart | None:
    """Lay out losses (nats) by step under one pair of axes; None where nothing can be drawn."""
    finite = {
        label: [loss for _, loss in points if math.isfinite(loss)]
        for label, points in curves.items()
    }
    drawn = {label: points for label, points in curves.items() if finite[label]}
    if not drawn:
        return None
    most = max(max(finite[label]) for label in drawn)
    top = min(most, HIGHEST * max(finite[label][0] for label in drawn))
    top = top if top > 0 else 1.0
    steps = max(points[-1][0] for points in drawn.values()) or 1
    wide, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    traces = tuple(
        Trace(label, _path(points, steps, top), max(finite[label]) > top)
        for label, points in drawn.items()
    )
    across = tuple(
        Tick(LEFT + wide * step / steps, f"{step:g}") for step in _rounded(steps, most=6)
    )
    up = tuple(
        Tick(TOP + tall * (1 - value / top), f"{value:g}") for value in _rounded(top, most=5)
    )
    return Chart(traces, across, up)


def _path(points: Sequence[tuple[int, float]], steps: int, top: float) -> str:
    """Draw a curve, with a gap where a loss is no number, and a dot where one stands alone."""
    wide, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    count = min(POINTS, len(points))
    places = averaged([float(step) for step, _ in points], count)
    losses = averaged([loss for _, loss in points], count)
    pieces, pen = [], "M"
    for step, loss in zip(places, losses, strict=True):
        if not math.isfinite(loss):
            pen = "M"
            continue
        x = LEFT + wide * step / steps
        y = TOP + tall * (1 - max(0.0, min(loss, top)) / top)
        pieces.append(f"{pen}{x:.1f} {y:.1f}" + ("h.1" if pen == "M" else ""))
        pen = "L"
    return "".join(pieces)


def _rounded(end: float, most: int) -> list[float]:
    """Give round numbers from 0 to an end, about as many as asked."""
    size = 10 ** math.floor(math.log10(end))
    every = next(
        size * share / 10 for share in (1, 2, 5, 10, 20, 50) if end / (size * share / 10) <= most
    )
    count = math.floor(end / every + 1e-9)
    return [round(every * index, 6) for index in range(count + 1)]


@dataclass(frozen=True)
class Bar:
    """A bug in time: its number, its row, and where it was last seen and was done with."""

    number: int
    end: str
    y: float
    since: float
    at: float


@dataclass(frozen=True)
class Bars:
    """Bugs in the time of a practice, with its runs."""

    bars: tuple[Bar, ...]
    across: tuple[Tick, ...]
    runs: tuple[float, ...]
    height: float
    width: float = WIDTH
    left: float = LEFT
    right: float = WIDTH - RIGHT
    bar: float = BAR - 8


def bug_bars(courses: Sequence[Course], runs: Sequence[float], seconds: float) -> Bars | None:
    """Lay bugs out in time. runs: seconds of each run and check. None where no time passed."""
    if seconds <= 0 or not courses:
        return None
    wide = WIDTH - LEFT - RIGHT

    def x(at: float) -> float:
        return round(LEFT + wide * min(at, seconds) / seconds, 1)

    bars = tuple(
        Bar(course.bug.number, course.end, 4 + BAR * row, x(course.since), x(course.at))
        for row, course in enumerate(courses)
    )
    ticks = (Tick(x(seconds * share / 4), spoken(seconds * share / 4)) for share in range(5))
    return Bars(bars, tuple(ticks), tuple(map(x, runs)), 4 + BAR * len(courses) + BOTTOM)


@dataclass(frozen=True)
class Cell:
    """A place of a map: how strong, from 0 to 1, and whether it is of a later token."""

    x: float
    y: float
    strength: float
    leaks: bool


@dataclass(frozen=True)
class Map:
    """What reaches what in one program, as cells and as numbers."""

    cells: tuple[Cell, ...]
    labels: tuple[Tick, ...]
    side: float
    rows: Grid
    size: float = CELL - 2


@dataclass(frozen=True)
class Maps:
    """What reaches what, without a bug and with it, and in words."""

    right: Map
    wrong: Map
    words: str


def influence_maps(right: Grid, wrong: Grid) -> Maps:
    """Lay two maps of the same size out, on one scale. What is no number counts as unmoved."""
    numbers = (value for row in (*right, *wrong) for value in row if math.isfinite(value))
    most = max(numbers, default=0.0) or 1.0
    return Maps(_map(right, most), _map(wrong, most), _in_words(right, wrong, most))


def _map(grid: Grid, most: float) -> Map:
    cells = tuple(
        Cell(
            EDGE + CELL * column,
            EDGE + CELL * row,
            round(math.sqrt(value / most), 3) if UNMOVED * most < value < math.inf else 0.0,
            column > row and UNMOVED * most < value < math.inf,
        )
        for row, values in enumerate(grid)
        for column, value in enumerate(values)
    )
    labels = tuple(Tick(EDGE + CELL * (i + 0.5), str(i + 1)) for i in range(len(grid)))
    return Map(cells, labels, EDGE + CELL * len(grid), grid)


def _in_words(right: Grid, wrong: Grid, most: float) -> str:
    size = len(right)
    places = [(row, column) for row in range(size) for column in range(size)]
    moved = {
        name: {at for at in places if grid[at[0]][at[1]] > UNMOVED * most}
        for name, grid in (("right", right), ("wrong", wrong))
    }
    leaks = [at for at in moved["wrong"] - moved["right"] if at[1] > at[0]]
    numberless = {at for at in places if not math.isfinite(wrong[at[0]][at[1]])}
    unseen = [at for at in moved["right"] - moved["wrong"] - numberless if at[1] <= at[0]]
    compared = [at for at in places if at not in numberless]
    row, column = max(
        compared, key=lambda at: abs(right[at[0]][at[1]] - wrong[at[0]][at[1]]), default=(0, 0)
    )
    most_apart = (
        f"The most differs at position {row + 1} when token {column + 1} is changed: "
        f"{wrong[row][column]:.2g} with the bug, {right[row][column]:.2g} without."
    )
    return " ".join(
        [
            *_places("With the bug, what is predicted is no number", [*numberless]),
            *_places("With the bug, a later token moves what is predicted before it", leaks),
            *_places("With the bug, a token that should count moves nothing", unseen),
            *([most_apart] if compared else []),
        ]
    )


def _places(words: str, places: Sequence[tuple[int, int]]) -> Iterator[str]:
    if places:
        yield f"{words}, in {len(places)} place{'' if len(places) == 1 else 's'}."
