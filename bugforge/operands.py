"""What a product of matrices is asked: operands, gradients and tiles, drawn afresh."""

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
    "a row": ((1, 5), (6, 5, 2)),
    "a column": ((6, 3, 5), (5, 1)),
    "nothing to sum": ((3, 1), (1, 2)),
}
"""Shapes of a and b, by name: rectangles, in which a transpose that is missing shows; squares, in
which it does not stop; and axes that are broadcast on either side, and on both."""

TILES: dict[str, Shape] = {
    **{f"{count} tiles": (count, 3, 2) for count in (1, 2, 3, 5, 7, 8, 13)},
    "numbers": (6,),
}
"""Shapes of what is scanned, by name; few of the counts are powers of two."""

TILED: dict[str, tuple[Shape, Shape, tuple[int, ...]]] = {
    "rectangular": ((3, 7), (7, 2), (1, 2, 3, 6, 7, 10)),
    "even": ((3, 8), (8, 5), (2, 4, 8)),
    "broadcast": ((6, 3, 7), (7, 2), (3, 4)),
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
    for name, shape in TILES.items():
        drawn[f"tiles/{name}"] = numbers.normal(size=shape)
    for name, (a, b, _) in TILED.items():
        drawn[f"tiled/{name}/a"] = numbers.normal(size=a)
        drawn[f"tiled/{name}/b"] = numbers.normal(size=b)
    return drawn
