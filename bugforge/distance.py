"""How far two recordings of numbers lie apart."""

from collections.abc import Mapping

import numpy as np

from bugforge.recordings import Array


def apart(one: Array, other: Array) -> float:
    """Largest difference, as a share of the other's spread; infinite where shapes differ.

    NaN equals NaN, and an infinity the same infinity, so that a program which gives them is
    near another which gives them in the same places.
    """
    if one.shape != other.shape:
        return float("inf")
    if one.size == 0:
        return 0.0
    a, b = one.astype(np.float64), other.astype(np.float64)
    alike = (a == b) | (np.isnan(a) & np.isnan(b))
    if bool(alike.all()):
        return 0.0
    finite = np.isfinite(a) & np.isfinite(b)
    if not bool((finite | alike).all()):
        return float("inf")
    spread = float(b[finite].std()) if bool(finite.any()) else 0.0
    return float(np.abs(a - b)[finite].max()) / max(spread, 1e-12)


def apart_by_name(some: Mapping[str, Array], others: Mapping[str, Array], floor: float) -> float:
    """Largest difference over tensors of the same names; infinite where a name is missing.

    Differences are a share of the spread of all the others together, so that a tensor which
    should be all zero is not held to its own rounding; `floor` is the least such spread.
    """
    if set(some) != set(others):
        return float("inf")
    if not others:
        return 0.0
    if any(some[name].shape != others[name].shape for name in others):
        return float("inf")
    names = sorted(others)
    one = np.concatenate([some[name].ravel() for name in names])
    other = np.concatenate([others[name].ravel() for name in names])
    return apart(one, other) if float(other.std()) > floor else float(np.abs(one - other).max())
