"""Every kind of bug and every rewrite that is installed: built in, or brought by others."""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from bugforge.errors import UsageError
from bugforge.mutation import DIFFICULTIES, STAGES, VISIBILITIES, Form, Mutation
from bugforge.program import Program
from bugforge.rewrite import Rewrite

Plugin = TypeVar("Plugin", Mutation, Rewrite)

MUTATIONS = "bugforge.mutations"
REWRITES = "bugforge.rewrites"
BUILT_IN = "bugforge"


@dataclass(frozen=True)
class Broken:
    """A plugin that cannot be used: who brings it, what is wrong with it, and the mend."""

    origin: str
    what: str
    mend: str


@dataclass(frozen=True)
class Catalogue:
    """Kinds by id, in the order of stages; who brings each; the plugins that are broken; and
    rewrites by id, and who brings each of them.
    """

    kinds: dict[str, type[Mutation]]
    origins: dict[str, str]
    broken: tuple[Broken, ...]
    rewrites: dict[str, type[Rewrite]] = field(default_factory=dict)
    rewrite_origins: dict[str, str] = field(default_factory=dict)

    def kind(self, id_: str) -> type[Mutation]:
        """Look a kind up. Raises UsageError, with the nearest id, where there is none."""
        refuse_unknown("kind of bug", id_, self.kinds, "`bugforge list` shows every kind.")
        return self.kinds[id_]

    def forms(self, named: str) -> tuple[type[Mutation], tuple[Form, ...]]:
        """Look up `KIND` or `KIND/FORM`: the kind, and its forms or the one that is named.

        Raises UsageError, with the nearest word, where there is none.
        """
        id_, _, form = named.partition("/")
        kind = self.kind(id_)
        if not form:
            return kind, kind.forms
        refuse_unknown(f"form of {id_}", form, [each.name for each in kind.forms])
        return kind, tuple(each for each in kind.forms if each.name == form)

    def rewrites_of(self, program: Program) -> list[type[Rewrite]]:
        """Give the rewrites that a program may be made over by."""
        return [
            rewrite
            for id_, rewrite in self.rewrites.items()
            if id_ not in program.unsuited and program.subject in rewrite.subjects
        ]

    def bringing(self, ways: Iterable[str]) -> tuple[str, ...]:
        """Name the distributions, beside Bugforge, that bring these ways (`rewrite/way`)."""
        origins = {self.rewrite_origins.get(way.split("/")[0], BUILT_IN) for way in ways}
        return tuple(sorted(origins - {BUILT_IN}))

    def only(
        self, *, stage: str | None, difficulty: str | None, shows: str | None, origin: str | None
    ) -> "Catalogue":
        """Keep the kinds of these qualities, where they are named, and the rewrites of an origin.

        Raises UsageError for a word that is none of those known.
        """
        asked = {"stage": stage, "difficulty": difficulty, "visibility": shows, "origin": origin}
        known = {
            "stage": STAGES,
            "difficulty": DIFFICULTIES,
            "visibility": VISIBILITIES,
            "origin": tuple(
                dict.fromkeys((*self.origins.values(), *self.rewrite_origins.values()))
            ),
        }
        wanted = {quality: word for quality, word in asked.items() if word is not None}
        for quality, word in wanted.items():
            what = "way to show" if quality == "visibility" else quality
            refuse_unknown(what, word, known[quality])

        def fits(id_: str) -> bool:
            kind, of = self.kinds[id_], {"origin": self.origins[id_]}
            return all(of.get(q, getattr(kind, q, None)) == word for q, word in wanted.items())

        return replace(
            self,
            kinds={id_: kind for id_, kind in self.kinds.items() if fits(id_)},
            rewrites={
                id_: rewrite
                for id_, rewrite in self.rewrites.items()
                if origin in (None, self.rewrite_origins.get(id_))
            },
        )


def load() -> Catalogue:
    """Find every kind and rewrite that an installed distribution brings; a broken plugin stops no
    other.
    """
    kinds, origins, broken = _found(MUTATIONS, Mutation)
    rewrites, rewrite_origins, broken_too = _found(REWRITES, Rewrite)
    order = sorted(kinds, key=lambda id_: (STAGES.index(kinds[id_].stage), id_))
    return Catalogue(
        kinds={id_: kinds[id_] for id_ in order},
        origins=origins,
        broken=(*broken, *broken_too),
        rewrites=dict(sorted(rewrites.items())),
        rewrite_origins=rewrite_origins,
    )


def _found(
    group: str, base: type[Plugin]
) -> tuple[dict[str, type[Plugin]], dict[str, str], list[Broken]]:
    """Give a group's plugins by id, who brings each, and those that are broken."""
    plugins: dict[str, type[Plugin]] = {}
    origins: dict[str, str] = {}
    broken: list[Broken] = []
    for entry in sorted(entry_points(group=group), key=_rank):
        origin = _origin(entry)
        try:
            found = list(_defined(entry, base))
        except (Exception, SystemExit) as error:  # noqa: BLE001  # a plugin may fail in any way
            what = f"{entry.value}: {type(error).__name__}: {error}"
            broken.append(Broken(origin, what, _mend(origin)))
            continue
        for plugin in found:
            if plugin.id in plugins and plugins[plugin.id] is not plugin:
                what = f"{entry.value}: its id {plugin.id} is taken by {origins[plugin.id]}"
                broken.append(Broken(origin, what, f"Give it another id. {_mend(origin)}"))
                continue
            plugins[plugin.id], origins[plugin.id] = plugin, origin
    return plugins, origins, broken


def _origin(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.name


def _rank(entry: EntryPoint) -> tuple[bool, str, str]:
    """Put what is built in first, so that nobody takes an id from it."""
    return _origin(entry) != BUILT_IN, entry.name, entry.value


def _mend(origin: str) -> str:
    if origin == BUILT_IN:
        return "Mend it, or install Bugforge again."
    return f"Mend or upgrade it, or take it away: pip uninstall {origin}"


def refuse_unknown(what: str, word: str, words: Iterable[str], all_: str = "") -> None:
    """Raise UsageError where a word is none of those known, with the nearest, if one is near.

    all_: how to see every one of them, where they are too many to name.
    """
    known = list(words)
    if word in known:
        return
    close = [f"Did you mean {near}?" for near in get_close_matches(word.lower(), known, n=1)]
    mend = " ".join([*close, all_ or f"It is one of {', '.join(known)}."])
    raise UsageError(f"There is no {what} called {word!r}.", mend)


def _defined(entry: EntryPoint, base: type[Plugin]) -> Iterator[type[Plugin]]:
    """Walk the package or module that an entry point names, and give the plugins it defines."""
    root = importlib.import_module(entry.module)
    names = [root.__name__]
    if hasattr(root, "__path__"):
        names += [found.name for found in pkgutil.walk_packages(root.__path__, f"{root.__name__}.")]
    for name in names:
        for value in vars(importlib.import_module(name)).values():
            if isinstance(value, type) and issubclass(value, base) and value.__module__ == name:
                yield value
