"""Testing one plugin: its contract asked clause by clause, without the repository's tests."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from bugforge import contract
from bugforge.attribution import Behaviour
from bugforge.bench import Bench, opened_wide
from bugforge.catalogue import Catalogue, refuse_unknown
from bugforge.contract import Clause
from bugforge.edits import apply_edits
from bugforge.errors import PluginError, ToolError
from bugforge.linter import Linter
from bugforge.mutants import Mutant, home, mutants
from bugforge.mutation import Form, Mutation
from bugforge.parts import code_of, scope_at
from bugforge.program import Program
from bugforge.rewrite import Restructuring, Rewrite
from bugforge.sandbox import Sandbox
from bugforge.tracks import PROGRAMS, kinds_of, subject_of
from bugforge.variant import Variant, vary, written

Counted = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is done, and how much there is."""

Outcome = Literal["holds", "broken", "not looked at"]

SEED = "contract"
DRAWN = 3
"""Programs drawn from all rewrites, that one among them, which it is tried in beside alone."""

DRAWS = 60
BUGS = 4
"""Bugs that are planted where a rewrite has been alone, and as many in drawn programs."""

NO_LINTER = "ruff is not installed: pip install ruff"
NOTHING = "nothing that it speaks of was found"
MEND_FIRST = "what is broken above comes first"

OF_PLACED = (
    contract.promised_names_stay,
    contract.written_again,
    contract.tidy,
    contract.laws_kept,
    contract.bits_stay,
    contract.bugs_stay,
)
"""What only a rewrite that has a place can be asked."""


@dataclass(frozen=True)
class Held:
    """What became of a clause. faults: what does not hold; why: why it was not looked at."""

    law: str
    mend: str
    faults: tuple[str, ...] = ()
    why: str = ""

    @property
    def outcome(self) -> Outcome:
        """Say in a word what became of it."""
        if self.why:
            return "not looked at"
        return "broken" if self.faults else "holds"


@dataclass(frozen=True)
class Tested:
    """One plugin that was tested, and what became of each clause of its contract."""

    id: str
    what: Literal["mutation", "rewrite"]
    origin: str
    clauses: tuple[Held, ...]

    @property
    def kept(self) -> bool:
        """Whether nothing that was looked at is broken."""
        return not any(held.faults for held in self.clauses)


def test(id_: str, catalogue: Catalogue, seconds: float, counted: Counted) -> list[Tested]:
    """Ask the contract of the mutation of this id, of the rewrite, or of both.

    seconds: how long one program may take. Raises UsageError for an unknown id.
    """
    known = [*catalogue.kinds, *catalogue.rewrites]
    refuse_unknown("mutation or rewrite", id_, known, "`bugforge list` shows those installed.")
    tested = []
    with opened_wide(seconds) as box:
        tester = _Tester(box, catalogue, Linter.found(), counted)
        if id_ in catalogue.kinds:
            clauses = tuple(tester.mutation(catalogue.kinds[id_]))
            tested.append(Tested(id_, "mutation", catalogue.origins[id_], clauses))
        if id_ in catalogue.rewrites:
            clauses = tuple(tester.rewrite(catalogue.rewrites[id_]))
            tested.append(Tested(id_, "rewrite", catalogue.rewrite_origins[id_], clauses))
    return tested


@dataclass(frozen=True)
class _Tester:
    """Tests under way, on one reference."""

    box: Sandbox
    catalogue: Catalogue
    linter: Linter | None
    counted: Counted

    def mutation(self, kind: type[Mutation]) -> Iterator[Held]:
        """Ask the clauses of a mutation."""
        forms = kind.forms
        yield _asked(contract.example_mutates, ((form,) for form in forms))
        yield _asked(contract.lookalikes_stay, ((kind, form) for form in forms))
        homes = {form.name: _home_of(kind, form) for form in forms}
        pristine = {program.label: _plain(program).files for program in homes.values()}
        placed = _asked(
            contract.site_found, ((form, pristine[homes[form.name].label]) for form in forms)
        )
        yield placed
        if placed.faults:
            yield _left_out(contract.unseen_by_linters, MEND_FIRST)
            yield _left_out(contract.named_checks_break, MEND_FIRST)
            return
        linted, killed = [], []
        for program in dict.fromkeys(homes.values()):
            correct = pristine[program.label]
            found = mutants(correct, (kind,))
            own = {m.name: m for m in found if homes[m.form.name] == program}
            bugs = {name: apply_edits(correct, mutant.edits) for name, mutant in own.items()}
            linted.append((self.linter, correct, bugs))
            judged = self._judged("Judging each bug alone", program, correct, bugs)
            killed += [(mutant, judged[name].broken) for name, mutant in own.items()]
        if self.linter:
            yield _asked(contract.unseen_by_linters, linted)
        else:
            yield _left_out(contract.unseen_by_linters, NO_LINTER)
        yield _asked(contract.named_checks_break, killed)

    def rewrite(self, rewrite: type[Rewrite]) -> Iterator[Held]:
        """Ask the clauses of a rewrite."""
        program = _home(rewrite)
        reference, plain = program.reference(), _plain(program)
        alone: dict[str, dict[str, str]] = {}

        def placed() -> Iterator[tuple[Any, ...]]:
            for choice in rewrite.choices():
                way = f"{rewrite.id}/{choice}"
                alone[way] = written(reference, (rewrite,), plain.text, (way,))
                yield way, alone[way], plain.files

        if issubclass(rewrite, Restructuring):
            yield _asked(contract.example_rewritten, ((way,) for way in rewrite.ways))
        found = _asked(contract.place_found, placed())
        yield found
        if found.faults:
            yield from (_left_out(clause, MEND_FIRST) for clause in OF_PLACED)
            return
        drawn = list(islice(self._drawn(program, rewrite), DRAWN))
        programs = alone | {f"Drawn program {n}": v.files for n, v in enumerate(drawn, start=1)}
        is_language = program.subject == "language"
        yield _asked(contract.promised_names_stay, programs.items() if is_language else ())
        rewrites = self.catalogue.rewrites_of(program)
        yield _asked(contract.written_again, ((variant, reference, rewrites) for variant in drawn))
        if self.linter:
            yield _asked(contract.tidy, [(self.linter, programs)])
        else:
            yield _left_out(contract.tidy, NO_LINTER)
        if not issubclass(rewrite, Restructuring):
            kinds = kinds_of(self.catalogue, program)
            wanted = contract.sites_by_form(plain.files, kinds)
            yield _asked(
                contract.sites_stay,
                (
                    (way, contract.sites_by_form(files, kinds), wanted)
                    for way, files in alone.items()
                ),
            )
        yield from self._run(program, rewrite, plain.files, alone, programs)

    def _run(  # what there is to be run
        self,
        program: Program,
        rewrite: type[Rewrite],
        pristine: Mapping[str, str],
        alone: Mapping[str, Mapping[str, str]],
        programs: Mapping[str, Mapping[str, str]],
    ) -> Iterator[Held]:
        """Ask the clauses on what programs do that were written so, and on bugs in them."""
        bugs = dict(self._bugs(program, pristine, alone, programs))
        planted = {name: apply_edits(programs[of], bug.edits) for name, (of, bug) in bugs.items()}
        judged = self._judged(
            "Judging programs", program, pristine, {"": pristine, **programs, **planted}
        )
        yield _asked(contract.laws_kept, ((name, judged[name].readings) for name in programs))
        same = judged[""].seen
        yield _asked(
            contract.bits_stay,
            ((way, judged[way].seen, same) for way in alone if _exact(rewrite, way)),
        )
        yield _asked(
            contract.bugs_stay,
            ((of, bug, judged[name].broken) for name, (of, bug) in bugs.items()),
        )

    def _drawn(self, program: Program, rewrite: type[Rewrite]) -> Iterator[Variant]:
        """Draw programs as they are forged, and give those that this rewrite is in."""
        rewrites = self.catalogue.rewrites_of(program)
        for number in range(DRAWS):
            rng = random.Random(f"{SEED} {number}")
            variant = vary(program.reference(), rewrites, program.text(rng), rng)
            if any(way.split("/")[0] == rewrite.id for way in variant.ways):
                yield variant

    def _bugs(
        self,
        program: Program,
        pristine: Mapping[str, str],
        alone: Mapping[str, Mapping[str, str]],
        programs: Mapping[str, Mapping[str, str]],
    ) -> Iterator[tuple[str, tuple[str, Mutant]]]:
        """Draw bugs in functions that a rewrite changes, and bugs in drawn programs; give each a
        name, and that of its program.
        """
        near, far = [], []
        for name, files in programs.items():
            for mutant in mutants(files, kinds_of(self.catalogue, program)):
                named = f"{name}: {mutant.name}", (name, mutant)
                if name not in alone:
                    far.append(named)
                elif _beside_change(mutant, files, pristine):
                    near.append(named)
        rng = random.Random(SEED)
        for some in (near, far):
            yield from rng.sample(some, min(BUGS, len(some)))

    def _judged(
        self,
        words: str,
        program: Program,
        pristine: Mapping[str, str],
        programs: Mapping[str, Mapping[str, str]],
    ) -> dict[str, Behaviour]:
        """Run programs beside the correct one, and hold them to every check."""
        self.counted(words, 0, len(programs))
        bench = Bench.set_up(self.box, program, pristine, random.Random(SEED))
        names = {f"program {number}": name for number, name in enumerate(programs)}
        judged = {}
        for job, seen in bench.judged({job: programs[name] for job, name in names.items()}):
            judged[names[job]] = seen
            self.counted(words, len(judged), len(programs))
        return judged


def _plain(program: Program) -> Variant:
    """Give a correct program as it stands, with a text of its own."""
    rng = random.Random(SEED)
    return vary(program.reference(), (), program.text(rng), rng)


def _home_of(kind: type[Mutation], form: Form) -> Program:
    """Give the first program, of those that a kind is for, that has a site for a form; or one that
    is to tell how the form fails.
    """
    programs = [program for program in PROGRAMS if program.subject == subject_of(kind)]
    with suppress(PluginError):
        return home(programs, form)
    return programs[0]


def _home(rewrite: type[Rewrite]) -> Program:
    """Give the first program that a rewrite changes in any way; the first of all if it has none."""
    for program in (program for program in PROGRAMS if program.subject in rewrite.subjects):
        plain = _plain(program)
        for choice in rewrite.choices():
            way = f"{rewrite.id}/{choice}"
            if written(program.reference(), (rewrite,), plain.text, (way,)) != plain.files:
                return program
    return PROGRAMS[0]


def _asked(clause: Clause[...], subjects: Iterable[tuple[Any, ...]]) -> Held:
    """Ask a clause of each subject, until a plugin's own code fails."""
    faults: list[str] = []
    asked = 0
    try:
        for asked, subject in enumerate(subjects, start=1):  # noqa: B007  # counted for below
            faults += clause(*subject)
    except ToolError as error:
        if not isinstance(error, PluginError):
            raise
        faults.append(error.what)
    except Exception as error:  # noqa: BLE001  # a plugin may fail in any way at all
        faults.append(f"{type(error).__name__}: {' '.join(str(error).split())}")
    if not asked and not faults:
        return _left_out(clause, NOTHING)
    return Held(clause.law, clause.mend, tuple(faults))


def _left_out(clause: Clause[...], why: str) -> Held:
    return Held(clause.law, clause.mend, why=why)


def _exact(rewrite: type[Rewrite], way: str) -> bool:
    """Whether a way is said to change no bit; names and words cannot."""
    choice = way.split("/", 1)[1]
    return not issubclass(rewrite, Restructuring) or rewrite.chosen(choice).exact


def _beside_change(mutant: Mutant, files: Mapping[str, str], pristine: Mapping[str, str]) -> bool:
    """Whether a bug lies in a function, or a class, that is not as in the correct program."""
    places = {(e.name, scope_at(files[e.name], e.start + 1)) for e in mutant.edits}
    return any(code_of(files[name], at) != code_of(pristine[name], at) for name, at in places)
