"""A loss curve in characters."""

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


def averaged(losses: Sequence[float], count: int) -> list[float]:
    """Give the means of so many parts, about as long as each other, of losses."""
    return [_mean(part) for part in _parts(losses, count)]


def _cell(value: float, top: float, row: int, height: int, marks: str) -> str:
    if not math.isfinite(value):
        return "?" if row == 1 else " "
    filled = max(0.0, min(1.0, value / top * height - (row - 1)))
    return marks[math.ceil(filled * (len(marks) - 1))]


def _parts(losses: Sequence[float], count: int) -> list[Sequence[float]]:
    edges = [round(i * len(losses) / count) for i in range(count + 1)]
    return [losses[a:b] for a, b in pairwise(edges)]


def _mean(part: Sequence[float]) -> float:
    return sum(part) / len(part)
