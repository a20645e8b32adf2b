"""The ways to find, for each weight of the correct program, its place in another."""

from dataclasses import dataclass
from itertools import permutations


@dataclass(frozen=True)
class Pairing:
    """One way. by_name: what kept its name and shape keeps its role, and only the rest goes by the
    order of use; else everything does.

    order: which of a block's query, key and value is used first, second and third; a program may
    compute them in any order, and call each of them by any name.
    """

    by_name: bool
    order: tuple[int, ...] = (0, 1, 2)


BY_NAME = Pairing(by_name=True)
BY_USE = tuple(Pairing(by_name=False, order=order) for order in permutations(range(3)))
"""To be tried where names mislead. Each is a renaming of what is trained: a program that computes
what a correct one does under any of them is a correct one.
"""
