"""Laws of a scan over tiles, and of a product that is made of them."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from bugforge.checks import Evidence, Law, facts, tensors
from bugforge.operands import ABSORBED, TILED, TILES
from bugforge.properties.multiplying import EXACT, PRECISIONS, off
from bugforge.recordings import Array


def cases() -> Iterator[tuple[str, str, int]]:
    """Name each scan that is recorded, with its precision and its number of steps."""
    for name, (count, *_) in TILES.items():
        for precision in PRECISIONS:
            yield f"{name}/{precision}", precision, (count - 1).bit_length()


def windows(tiles: Array, length: int) -> Array:
    """Sum tiles (T, ...) over windows of a length that end at each, as far as there are some."""
    sums = [tiles[max(0, end - length) : end].sum(axis=0) for end in range(1, len(tiles) + 1)]
    return np.array(sums)


def steps_miscounted(seen: Evidence) -> float:
    """Count the scans of too few or too many steps."""
    told = facts(seen, "scan")
    return float(sum(told[f"{case}/steps"] != steps for case, _, steps in cases()))


def states_off(seen: Evidence) -> float:
    """How far what there is after each step is off from the sums over its windows, at the most."""
    recorded = tensors(seen, "scan")
    return max(
        off(
            recorded[f"{case}/after {step}"],
            precision,
            partial(windows, length=2**step),
            recorded[f"{case}/tiles"].astype(np.float64),
        )
        for case, precision, steps in cases()
        for step in range(1, steps + 1)
    )


def added_otherwise(seen: Evidence) -> float:
    """Count the states that come of other additions than those of the scan: where small numbers are
    lost in huge ones, and those cancel out, any other order of adding leaves something else.
    """
    recorded = tensors(seen, "scan")
    otherwise = 0
    for case, _, steps in cases():
        if case.startswith(f"{ABSORBED}/"):
            states = stepped(recorded[f"{case}/tiles"], steps)
            made = (recorded[f"{case}/after {step}"] for step in range(1, steps + 1))
            otherwise += sum(
                not np.array_equal(one, other) for one, other in zip(made, states, strict=True)
            )
    return float(otherwise)


def stepped(tiles: Array, steps: int) -> list[Array]:
    """Scan tiles (T, ...), and give what there is after each step."""
    states = [tiles]
    for step in range(steps):
        moved = np.zeros_like(tiles)
        moved[2**step :] = states[-1][: -(2**step)]
        states.append(states[-1] + moved)
    return states[1:]


def sums_off(seen: Evidence) -> float:
    """How far sums are off from those that are added up one by one, at the most."""
    recorded = tensors(seen, "scan")
    return max(
        off(
            recorded[f"{case}/sums"],
            precision,
            partial(np.cumsum, axis=0),
            recorded[f"{case}/tiles"].astype(np.float64),
        )
        for case, precision, _ in cases()
    )


def tiles_changed(seen: Evidence) -> float:
    """Count the scans behind which the tiles are others."""
    recorded = tensors(seen, "scan")
    return float(
        sum(
            not np.array_equal(recorded[f"{case}/tiles after"], recorded[f"{case}/tiles"])
            for case, *_ in cases()
        )
    )


def parts_off(seen: Evidence) -> float:
    """How far products of tiles are off, at the most; infinite where there are more or fewer."""
    return _tiled_off(seen, "parts", lambda tile: partial(parts, tile=tile))


def parts(a: Array, b: Array, tile: int) -> Array:
    """Multiply tile by tile."""
    ends = [slice(start, start + tile) for start in range(0, a.shape[-1], tile)]
    return np.array([a[..., end] @ b[..., end, :] for end in ends])


def tiled_off(seen: Evidence) -> float:
    """How far products that are made of tiles are off, at the most."""
    return _tiled_off(seen, "product", lambda _: np.matmul)


def tiled_otherwise(seen: Evidence) -> float:
    """Count the products that are not what the scan makes of the tiles, where that shows."""
    recorded = tensors(seen, "tiled")
    *_, lengths = TILED[ABSORBED]
    keys = [f"{ABSORBED}/{precision}/{tile}" for precision in PRECISIONS for tile in lengths]
    return float(
        sum(
            not np.array_equal(recorded[f"{key}/product"], recorded[f"{key}/scanned"])
            for key in keys
        )
    )


def _tiled_off(seen: Evidence, what: str, working: Callable[[int], Callable[..., Array]]) -> float:
    recorded = tensors(seen, "tiled")
    return max(
        off(
            recorded[f"{name}/{precision}/{tile}/{what}"],
            precision,
            working(tile),
            *(recorded[f"{name}/{precision}/{x}"].astype(np.float64) for x in "ab"),
        )
        for name, (*_, lengths) in TILED.items()
        for precision in PRECISIONS
        for tile in lengths
    )


SCANNING = (
    Law(
        "scan-count",
        "autograd",
        "A scan of n tiles takes as many steps as it takes doublings to get from 1 to n.",
        ("scan",),
        steps_miscounted,
        at_most=0.0,
    ),
    Law(
        "scan-states",
        "autograd",
        "Behind steps of offsets 1, 2, 4, ... each place holds the sum of its 2, 4, 8, ... last.",
        ("scan",),
        states_off,
        at_most=EXACT,
        after=("scan-count",),
    ),
    Law(
        "scan-additions",
        "autograd",
        "Each step adds to what there is what stands an offset before it, and nothing else.",
        ("scan",),
        added_otherwise,
        at_most=0.0,
        after=("scan-count", "scan-states"),
    ),
    Law(
        "prefix-sums",
        "autograd",
        "`prefix_sums` gives the sums of all tiles up to each, that one included.",
        ("scan",),
        sums_off,
        at_most=EXACT,
    ),
    Law(
        "tiles-kept",
        "autograd",
        "A scan leaves its tiles as they are.",
        ("scan",),
        tiles_changed,
        at_most=0.0,
    ),
    Law(
        "tile-products",
        "autograd",
        "There is a product for each tile, of its columns and rows alone; the last may be shorter.",
        ("tiled",),
        parts_off,
        at_most=EXACT,
    ),
    Law(
        "tiled-product",
        "autograd",
        "Tiles of any length make up the product.",
        ("tiled",),
        tiled_off,
        at_most=EXACT,
    ),
    Law(
        "tiles-scanned",
        "autograd",
        "The product made of tiles is the last of the sums that the scan gives of them.",
        ("tiled",),
        tiled_otherwise,
        at_most=0.0,
        after=("tile-products", "prefix-sums", "tiled-product"),
    ),
)
