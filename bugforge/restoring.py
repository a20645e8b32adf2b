"""What to restore of a program whose parameters have no counterparts, in letters of PROBLEM.md."""

from collections import Counter
from collections.abc import Iterable, Sequence

from bugforge.answers import AnswerKey
from bugforge.checks import Evidence, Reading
from bugforge.comparison import parameter_shapes
from bugforge.probe import Probe
from bugforge.recorder import Recorder

Shapes = Counter[tuple[int, ...]]


def to_restore(
    recorder: Recorder,
    key: AnswerKey,
    seen: Evidence,
    pristine: Evidence,
    readings: Iterable[Reading],
) -> tuple[str, ...]:
    """Say of each shape how many parameters PROBLEM.md states, where there are more or fewer; what
    makes queries, keys and values at once counts as three.

    readings: what was found of the program. Where nothing differs but what one planted bug changes,
    nothing is said: that is to be found.
    """
    if not any(reading.check == "parameters" and reading.kept is False for reading in readings):
        return ()
    return _said(recorder.probe, seen, pristine, _planted(recorder, key))


def _planted(recorder: Recorder, key: AnswerKey) -> Sequence[Evidence]:
    """Record how programs are made that hold a planted bug each."""
    named = {f"shapes with {bug.number}": frozenset({bug.number}) for bug in key.bugs}
    for name, left in named.items():
        recorder.forged(name, key.program(left), ["construct"])
    planted = [recorder.recordings(name, ["construct"]) for name in named]
    for name in named:
        recorder.forget(name)
    return planted


def _said(
    probe: Probe, seen: Evidence, pristine: Evidence, planted: Iterable[Evidence]
) -> tuple[str, ...]:
    mine, stated = parameter_shapes(seen), parameter_shapes(pristine)
    found = _unlike(mine, stated)
    told = set().union(
        *(_unlike(parameter_shapes(p), stated) for p in planted if not p["construct"].crash)
    )
    if found <= told:
        return ()
    letters = _letters(probe)
    layers, heads = probe.sizes["n_layer"], probe.sizes["n_head"]
    return tuple(
        f"{_many(stated[shape])} of shape {_named(shape, letters)}, of which your model has "
        f"{mine[shape] or 'none'}, at {layers} layers and {heads} heads."
        for shape in sorted(found, key=lambda shape: (not stated[shape], -len(shape), shape))
    )


def _unlike(one: Shapes, other: Shapes) -> set[tuple[int, ...]]:
    return {shape for shape in one | other if one[shape] != other[shape]}


def _letters(probe: Probe) -> dict[int, str]:
    """Name the lengths of axes; those of the probe are all unlike."""
    sizes = {name: int(size) for name, size in probe.sizes.items()}
    width, heads = sizes["n_embd"], sizes["n_head"]
    multiples = {n * width: f"{n}C" for n in (2, 3, 4, 8, 12)}
    return {
        **multiples,
        width // heads: "C / n_head",
        3 * width // heads: "3C / n_head",
        width: "C",
        sizes["vocab_size"]: "V",
        sizes["block_size"]: "T",
    }


def _named(shape: tuple[int, ...], letters: dict[int, str]) -> str:
    return f"({', '.join(letters.get(size, str(size)) for size in shape)})"


def _many(count: int) -> str:
    return f"{count or 'no'} parameter{'' if count == 1 else 's'}"
