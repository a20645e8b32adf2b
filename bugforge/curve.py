"""A loss curve, or a trend, in characters."""

import math
from collections.abc import Sequence
from itertools import pairwise

LEFT = 8
BLOCKS = " ▁▂▃▄▅▆▇█"
ASCII = " .-=#"


def draw_curve(
    losses: Sequence[float], *, width: int = 60, height: int = 8, ascii_only: bool = False
) -> list[str]:
    """Draw losses (nats) over steps as lines of text, `height` tall and `width` wide at most.

    Each column is the mean of its steps; the axis begins at 0, so that a loss near 0 looks it.
    """
    finite = [loss for loss in losses if math.isfinite(loss)]
    if not finite:
        return ["no finite loss to draw"]
    columns = averaged(losses, min(width, len(losses)))
    top = max((value for value in columns if math.isfinite(value)), default=0.0) or 1.0
    marks = ASCII if ascii_only else BLOCKS
    bar, corner, floor = ("|", "+", "-") if ascii_only else ("┤", "└", "─")
    lines = []
    for row in range(height, 0, -1):
        label = (
            f"{top * row / height:{LEFT - 2}.2f} {bar}" if row % 2 == 0 else " " * (LEFT - 1) + bar
        )
        lines.append(label + "".join(_cell(value, top, row, height, marks) for value in columns))
    lines.append(f"{0:{LEFT - 2}.2f} {corner}{floor * len(columns)}")
    lines.append(" " * LEFT + f"step 0{f'step {len(losses)}':>{max(len(columns) - 6, 0)}}")
    return [line.rstrip() for line in lines]


def draw_two(
    one: Sequence[float],
    other: Sequence[float],
    *,
    width: int = 60,
    height: int = 10,
    ascii_only: bool = False,
) -> list[str]:
    """Draw two curves over steps in one plot: `o` marks the one, `x` the other, `*` both.

    Each column is the mean of its steps; what is not finite is left out. The axis begins at 0, or
    below it where a curve does.
    """
    steps = max(len(one), len(other))
    if not steps:
        return ["nothing to draw"]
    count = min(width, steps)
    columns = [[_mean(part) for part in _parts(curve, count, steps)] for curve in (one, other)]
    finite = [value for column in columns for value in column if math.isfinite(value)]
    if not finite:
        return ["nothing finite to draw"]
    bottom, top = min(0.0, *finite), max(0.0, *finite)
    span = top - bottom or 1.0
    rows = [[" "] * count for _ in range(height)]
    for mark, column in zip("ox", columns, strict=True):
        for place, value in enumerate(column):
            if math.isfinite(value):
                row = rows[min(height - 1, int((top - value) / span * height))]
                row[place] = mark if row[place] in (" ", mark) else "*"
    bar, corner, floor = ("|", "+", "-") if ascii_only else ("┤", "└", "─")
    lines = []
    for number, row in enumerate(rows):
        label = top - span * number / height
        lines.append((f"{label:{LEFT - 2}.2g} " if number % 2 == 0 else " " * (LEFT - 1)) + bar)
        lines[-1] += "".join(row)
    lines.append(f"{bottom:{LEFT - 2}.2g} {corner}{floor * count}")
    lines.append(" " * LEFT + f"step 0{f'step {steps}':>{max(count - 6, 0)}}")
    return [line.rstrip() for line in lines]


def draw_trend(
    values: Sequence[float], *, top: float, width: int = 12, ascii_only: bool = False
) -> str:
    """Draw values between 0 and `top` as a line of marks, `width` of them at most.

    Each mark is the mean of its values, in order; the lowest stands for 0.
    """
    if not values:
        return ""
    marks = (ASCII if ascii_only else BLOCKS)[1:]
    means = [_mean(part) for part in _parts(values, min(width, len(values)), len(values))]
    shares = [max(0.0, min(1.0, mean / top)) if top > 0 else 0.0 for mean in means]
    return "".join(marks[round(share * (len(marks) - 1))] for share in shares)


def averaged(losses: Sequence[float], count: int) -> list[float]:
    """Give the means of so many parts, about as long as each other, of losses."""
    return [_mean(part) for part in _parts(losses, count, len(losses))]


def _cell(value: float, top: float, row: int, height: int, marks: str) -> str:
    if not math.isfinite(value):
        return "?" if row == 1 else " "
    filled = max(0.0, min(1.0, value / top * height - (row - 1)))
    return marks[math.ceil(filled * (len(marks) - 1))]


def _parts(losses: Sequence[float], count: int, steps: int) -> list[Sequence[float]]:
    """Divide a curve into what stands in each column of so many, where there are so many steps."""
    edges = [round(i * steps / count) for i in range(count + 1)]
    return [losses[a:b] for a, b in pairwise(edges)]


def _mean(part: Sequence[float]) -> float:
    return sum(part) / len(part) if part else math.nan
