"""Every kind of bug that is installed: built in, or brought by another distribution."""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points

from bugforge.errors import UsageError
from bugforge.mutation import STAGES, Mutation

GROUP = "bugforge.mutations"
BUILT_IN = "bugforge"


@dataclass(frozen=True)
class Broken:
    """A plugin that cannot be used: who brings it, and what is wrong with it."""

    origin: str
    what: str


@dataclass(frozen=True)
class Catalogue:
    """Kinds by id, in the order of stages; who brings each; and the plugins that are broken."""

    kinds: dict[str, type[Mutation]]
    origins: dict[str, str]
    broken: tuple[Broken, ...]

    def kind(self, id_: str) -> type[Mutation]:
        """Look a kind up. Raises UsageError, with the nearest id, where there is none."""
        if id_ in self.kinds:
            return self.kinds[id_]
        mend = nearest(id_, self.kinds, "`bugforge list` shows every kind.")
        raise UsageError(f"There is no kind of bug called {id_!r}.", mend)


def load() -> Catalogue:
    """Find every kind that an installed distribution brings; a broken plugin stops no other."""
    kinds: dict[str, type[Mutation]] = {}
    origins: dict[str, str] = {}
    broken: list[Broken] = []
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value)):
        origin = entry.dist.name if entry.dist else entry.name
        try:
            found = list(_mutations(entry))
        except Exception as error:  # noqa: BLE001  # a plugin may fail in any way at all
            broken.append(Broken(origin, f"{entry.value}: {type(error).__name__}: {error}"))
            continue
        for kind in found:
            if kind.id in kinds and kinds[kind.id] is not kind:
                what = f"{entry.value}: its id {kind.id} is taken by {origins[kind.id]}"
                broken.append(Broken(origin, what))
                continue
            kinds[kind.id], origins[kind.id] = kind, origin
    order = sorted(kinds, key=lambda id_: (STAGES.index(kinds[id_].stage), id_))
    return Catalogue({id_: kinds[id_] for id_ in order}, origins, tuple(broken))


def nearest(word: str, words: Iterable[str], mend: str) -> str:
    """Say which known word is probably meant, where one is near; and how to see them all."""
    close = get_close_matches(word, list(words), n=1, cutoff=0.5)
    return f"Did you mean {close[0]}? {mend}" if close else mend


def _mutations(entry: EntryPoint) -> Iterator[type[Mutation]]:
    """Walk the package or module that an entry point names, and give the kinds it defines."""
    root = importlib.import_module(entry.module)
    names = [root.__name__]
    if hasattr(root, "__path__"):
        names += [found.name for found in pkgutil.walk_packages(root.__path__, f"{root.__name__}.")]
    for name in names:
        for value in vars(importlib.import_module(name)).values():
            if (
                isinstance(value, type)
                and issubclass(value, Mutation)
                and value is not Mutation
                and value.__module__ == name
            ):
                yield value
