"""Room for bugs that were chosen on the reference, while it is made over and afterwards."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import libcst.matchers as m

from bugforge.choosing import Candidate
from bugforge.edits import Edit, touch
from bugforge.layout import narrow
from bugforge.parts import code_of, scope_at
from bugforge.surgery import Source, parse, sites
from bugforge.template import Rewritten


@dataclass(frozen=True)
class Room:
    """Tells whether a file that is being rewritten still has places for the bugs chosen for it.

    near: the bugs by the file and the function or method that their edits would lie in, or its
    class, where a bug looks at all of that.
    """

    near: Mapping[tuple[str, str], Sequence[Candidate]]

    @classmethod
    def of(cls, wanted: Iterable[Candidate], reference: Mapping[str, str]) -> "Room":
        """Note where the bugs would lie in the reference, text by file name."""
        near: dict[tuple[str, str], list[Candidate]] = {}
        for candidate in wanted:
            scopes = {
                (edit.name, scope_at(reference[edit.name], edit.start + 1))
                for edit in candidate.edits
            }
            if isinstance(candidate.form.site, m.ClassDef):
                scopes = {(name, scope.split(".")[0]) for name, scope in scopes}
            for scope in scopes:
                near.setdefault(scope, []).append(candidate)
        return cls(near)

    def fits(self, name: str, new: Rewritten) -> bool:
        """Whether each bug near what was rewritten can be planted there.

        Only what lies around is parsed: all of a file for each rewrite would take too long.
        """
        around = {scope for changed in new.scopes for scope in (changed, changed.split(".")[0])}
        for scope in around:
            near = self.near.get((name, scope))
            if near:
                source = parse(name, code_of(new.text, scope))
                forms = [replace(candidate.form, beside=None) for candidate in near]
                if any(next(sites(source, form), None) is None for form in forms):
                    return False
        return True


def placed(
    wanted: Sequence[Candidate],
    sources: Sequence[Source],
    rng: random.Random,
    taken: Sequence[tuple[Edit, ...]] = (),
) -> list[Candidate] | None:
    """Find places for the same bugs in other sources, none of which touch, and no line of which is
    too long; None where there are none, beside those that are taken.
    """
    if not wanted:
        return []
    found = [site for source in sources for site in sites(source, wanted[0].form)]
    rng.shuffle(found)
    for site in found:
        edits = site.plant()
        fits = all(narrow(line) for edit in edits for line in edit.new)
        if fits and not any(touch(edits, other) for other in taken):
            rest = placed(wanted[1:], sources, rng, [*taken, edits])
            if rest is not None:
                return [replace(wanted[0], edits=edits), *rest]
    return None
