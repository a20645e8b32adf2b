"""Which kinds of bugs find a place in a user's own program, and where. Nothing of it is run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bugforge.catalogue import Catalogue
from bugforge.mutation import Mutation
from bugforge.own_program import read_own
from bugforge.surgery import Source, sites


@dataclass(frozen=True)
class Found:
    """A place where a kind can be planted: its form, the file and the line, from 1."""

    form: str
    name: str
    line: int


@dataclass(frozen=True)
class Survey:
    """The places of each kind that has any, by id, and the ids of those that have none."""

    files: tuple[str, ...]
    found: dict[str, tuple[Found, ...]]
    none: tuple[str, ...]


def survey(paths: Sequence[Path], catalogue: Catalogue) -> Survey:
    """Look for places of every kind. Raises UsageError where the program cannot be read."""
    program = read_own(paths)
    places = {id_: tuple(_places(kind, program.sources)) for id_, kind in catalogue.kinds.items()}
    return Survey(
        tuple(program.files),
        {id_: found for id_, found in places.items() if found},
        tuple(id_ for id_, found in places.items() if not found),
    )


def _places(kind: type[Mutation], sources: Sequence[Source]) -> Iterator[Found]:
    for form in kind.forms:
        for source in sources:
            for site in sites(source, form):
                for edit in site.plant()[:1]:
                    yield Found(form.name, source.name, edit.start + 1)
