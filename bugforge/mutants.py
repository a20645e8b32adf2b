"""The pristine program with one bug in it: every form of every kind, at every site."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bugforge.edits import Edit
from bugforge.mutation import Form, Mutation
from bugforge.program import Program
from bugforge.surgery import Source, parse, sites


@dataclass(frozen=True)
class Mutant:
    """One form of a kind, planted alone at one of its sites, which count from 1."""

    kind: type[Mutation]
    form: Form
    site: int
    edits: tuple[Edit, ...]

    @property
    def name(self) -> str:
        """Name the mutant by its kind and form and, behind the first, its site."""
        return f"{self.kind.id} {self.form.name}" + (f" {self.site}" if self.site > 1 else "")

    @property
    def killers(self) -> frozenset[str]:
        """Name the checks that it should break."""
        return self.kind.killers(self.form)


def sited(pristine: Mapping[str, str], kinds: Iterable[Sequence[Form]]) -> int:
    """Count the kinds, each given by its forms, of which a program has a site for one."""
    sources = [parse(name, text) for name, text in pristine.items()]
    return sum(any(_has_site(sources, form) for form in forms) for forms in kinds)


def placed(pristine: Mapping[str, str], kinds: Iterable[type[Mutation]]) -> set[tuple[str, str]]:
    """Name the kinds and forms that a program has a site for."""
    sources = [parse(name, text) for name, text in pristine.items()]
    return {(k.id, form.name) for k in kinds for form in k.forms if _has_site(sources, form)}


def home(programs: Sequence[Program], form: Form) -> Program:
    """Give the first of some programs that has a site for a form; the first of all if none has."""
    for program in programs:
        if _has_site((parse(name, text) for name, text in program.reference().items()), form):
            return program
    return programs[0]


def mutants(pristine: Mapping[str, str], kinds: Iterable[type[Mutation]]) -> Iterator[Mutant]:
    """Plant every form of these kinds at every site that the program has for it."""
    sources = [parse(name, text) for name, text in pristine.items()]
    for kind in kinds:
        for form in kind.forms:
            found = (site for source in sources for site in sites(source, form))
            for number, site in enumerate(found, start=1):
                yield Mutant(kind, form, number, site.plant())


def _has_site(sources: Iterable[Source], form: Form) -> bool:
    return any(next(sites(source, form), None) for source in sources)
