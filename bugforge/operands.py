"""What a product of matrices is asked: operands, gradients and tiles, drawn afresh."""

import math
import random

import numpy as np

from bugforge.recordings import Array

Shape = tuple[int, ...]

PRODUCTS: dict[str, tuple[Shape, Shape]] = {
    "square": ((4, 4), (4, 4)),
    "rectangular": ((3, 5), (5, 2)),
    "batch": ((6, 3, 5), (6, 5, 2)),
    "batch of squares": ((4, 4, 4), (4, 4, 4)),
    "two axes in front": ((2, 6, 3, 5), (2, 6, 5, 4)),
    "one a for all": ((3, 5), (6, 5, 2)),
    "one b for all": ((6, 3, 5), (5, 2)),
    "ones in front of a": ((1, 3, 5), (6, 5, 2)),
    "ones in front of b": ((2, 6, 3, 5), (2, 1, 5, 4)),
    "ones on both sides": ((7, 1, 3, 5), (1, 6, 5, 2)),
    "ones and none": ((6, 3, 5), (7, 1, 5, 2)),
    "ones and nothing else": ((1, 3, 5), (1, 5, 2)),
    "one a for two axes": ((2, 4), (2, 3, 4, 3)),
    "one b for two axes": ((2, 3, 2, 4), (4, 3)),
    "two ones in front of a": ((1, 1, 2, 4), (2, 3, 4, 3)),
    "an axis less, and a one": ((1, 2, 4), (2, 3, 4, 3)),
    "the same of b": ((2, 3, 2, 4), (1, 4, 3)),
    "a row": ((1, 5), (6, 5, 2)),
    "a column": ((6, 3, 5), (5, 1)),
    "nothing to sum": ((3, 1), (1, 2)),
    "much to sum": ((1, 70), (70, 2)),
    "many rows": ((70, 2), (2, 1)),
    "many columns": ((1, 2), (2, 70)),
    "far apart": ((3, 5), (5, 2)),
    "tiny": ((3, 5), (5, 2)),
}
"""Shapes of a and b, by name: rectangles, in which a transpose that is missing shows; squares, in
which it does not stop; axes that are broadcast on either side, and on both, one and several of a
kind; axes longer than the blocks that a product may be cut into; and numbers of very different
sizes, and of none that is seen beside 1."""

FAR_APART, TINY = "far apart", "tiny"
SMALLNESS = 1e-8
MAGNITUDE = 6.0
"""Powers of ten that its rows of a, columns of b and gradients may be larger or smaller than
others."""

TILES: dict[str, Shape] = {
    **{f"{count} tiles": (count, 3, 2) for count in (1, 2, 3, 5, 7, 8, 13)},
    "numbers": (6,),
    "many numbers": (150,),
    "absorbed": (13, 8),
}
"""Shapes of what is scanned, by name; few of the counts are powers of two."""

ABSORBED = "absorbed"
HUGE = 2.0**70
"""So large that a small number added to it is lost, in every precision: what comes out of a sum
with it tells in which order was added."""

TILED: dict[str, tuple[Shape, Shape, tuple[int, ...]]] = {
    "rectangular": ((3, 7), (7, 2), (1, 2, 3, 6, 7, 10)),
    "even": ((3, 8), (8, 5), (2, 4, 8)),
    "broadcast": ((6, 3, 7), (7, 2), (3, 4)),
    "one a for all": ((3, 7), (6, 7, 2), (3,)),
    "ones on both sides": ((6, 1, 3, 7), (1, 5, 7, 2), (3,)),
    "long": ((2, 37), (37, 3), (1, 5, 16)),
    "absorbed": ((8, 13), (13, 3), (1, 2)),
}
"""Shapes of a and b and lengths of tiles, by name: lengths that divide the axis, and others."""


def draw_operands(rng: random.Random) -> dict[str, Array]:
    """Draw `a`, `b` and a gradient for each product, tiles and tiled products; float64, by name."""
    numbers = np.random.default_rng(rng.getrandbits(64))
    drawn: dict[str, Array] = {}
    for name, (a, b) in PRODUCTS.items():
        product = (*np.broadcast_shapes(a[:-2], b[:-2]), a[-2], b[-1])
        for what, shape in (("a", a), ("b", b), ("grad", product)):
            drawn[f"products/{name}/{what}"] = numbers.normal(size=shape)
            if name == FAR_APART:
                scaled = {"a": (shape[-2], 1), "b": (1, shape[-1])}.get(what, shape)
                powers = np.linspace(-MAGNITUDE, MAGNITUDE, math.prod(scaled)).reshape(scaled)
                drawn[f"products/{name}/{what}"] *= 10.0**powers
            if name == TINY:
                drawn[f"products/{name}/{what}"] *= SMALLNESS
    for name, shape in TILES.items():
        drawn[f"tiles/{name}"] = numbers.normal(size=shape)
    for name, (a, b, _) in TILED.items():
        drawn[f"tiled/{name}/a"] = numbers.normal(size=a)
        drawn[f"tiled/{name}/b"] = numbers.normal(size=b)
    drawn[f"tiles/{ABSORBED}"] = _absorbed(numbers, TILES[ABSORBED])
    rows, columns, _ = TILED[ABSORBED]
    drawn[f"tiled/{ABSORBED}/a"] = _absorbed(numbers, rows[::-1]).T.copy()
    drawn[f"tiled/{ABSORBED}/b"] = np.ones(columns)
    return drawn


def _absorbed(numbers: np.random.Generator, shape: Shape) -> Array:
    """Draw columns of small whole numbers, and of huge ones that cancel out, in any order."""
    count, _ = shape
    drawn = numbers.integers(1, 9, size=shape).astype(np.float64)
    huge = HUGE * np.resize([1.0, -1.0], count // 4 * 2)
    drawn[: len(huge)] = huge[:, None]
    return numbers.permuted(drawn, axis=0)
