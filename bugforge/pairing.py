"""The ways to find, for each weight of the correct program, its place in another."""

from dataclasses import dataclass, replace
from itertools import chain, combinations, permutations

TURNABLE = ("attention", "output", "mlp")
"""Groups of a block's matrices that a program may keep as (in, out), to write x @ W, which their
shapes do not tell: those of query, key and value, that of what these lead to, those of the MLP.
"""


@dataclass(frozen=True)
class Pairing:
    """One way. by_name: what kept its name and shape keeps its role, and only the rest goes in
    order; else everything does.

    by_use: whether that is the order of use; else it is the one in which layers are made, which a
    bug that leaves a layer idle does not change. order: which of a block's query, key and value
    comes first, second and third; a program may have them in any order, and call each by any name.
    turned: which of TURNABLE are kept as (in, out).
    """

    by_name: bool
    by_use: bool = True
    order: tuple[int, ...] = (0, 1, 2)
    turned: tuple[str, ...] = ()


BY_NAME = Pairing(by_name=True)
BY_USE = tuple(
    Pairing(by_name=False, order=order, turned=turned)
    for turned in chain.from_iterable(combinations(TURNABLE, n) for n in range(len(TURNABLE) + 1))
    for order in permutations(range(3))
)
"""To be tried where names mislead. Each is a renaming of what is trained, or turns it round: a
program that computes what a correct one does under any of them is a correct one.
"""
BY_MAKING = tuple(replace(pairing, by_use=False) for pairing in BY_USE)
"""To be tried beside them where a program may have bugs, and layers that it does not use."""
