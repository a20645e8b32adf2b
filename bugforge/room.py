"""Room for bugs that were chosen on the reference, while it is made over and afterwards."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bugforge.choosing import Candidate
from bugforge.edits import Edit, touch
from bugforge.surgery import Source, parse, sites
from bugforge.template import Rewritten, code_of, scope_at


@dataclass(frozen=True)
class Room:
    """Tells whether a file that is being rewritten still has places for the bugs chosen for it.

    near: the bugs, by their file and the functions or classes that their edits would lie in.
    """

    near: Mapping[tuple[str, str], Sequence[Candidate]]

    @classmethod
    def of(cls, wanted: Sequence[Candidate], reference: Mapping[str, str]) -> "Room":
        """Note where the bugs would lie in the reference, text by file name."""
        near: dict[tuple[str, str], list[Candidate]] = {}
        for candidate in wanted:
            for edit in candidate.edits:
                for line in {edit.start + 1, max(edit.start + 1, edit.end)}:
                    scope = scope_at(reference[edit.name], line)
                    near.setdefault((edit.name, scope), []).append(candidate)
        return cls(near)

    def fits(self, name: str, new: Rewritten) -> bool:
        """Whether each bug near what was rewritten can be planted there.

        A bug that looks at more than one function or class is taken to have no room: to parse all
        of a file for each rewrite would take too long.
        """
        near = [bug for scope in new.scopes for bug in self.near.get((name, scope), ())]
        if not near:
            return True
        source = parse(name, code_of(new.text, new.scopes))
        return all(any(True for _ in sites(source, candidate.form)) for candidate in near)


def placed(
    wanted: Sequence[Candidate],
    sources: Sequence[Source],
    rng: random.Random,
    taken: Sequence[tuple[Edit, ...]] = (),
) -> list[Candidate] | None:
    """Find places for the same bugs in other sources, none of which touch; None where there are
    none, beside those that are taken.
    """
    if not wanted:
        return []
    found = [site for source in sources for site in sites(source, wanted[0].form)]
    rng.shuffle(found)
    for site in found:
        edits = site.plant()
        if not any(touch(edits, other) for other in taken):
            rest = placed(wanted[1:], sources, rng, [*taken, edits])
            if rest is not None:
                return [replace(wanted[0], edits=edits), *rest]
    return None
