"""Has a user's own program recorded, beside others of its kind, under the same weights and inputs.

What can be judged is found once, in the correct program: its models, and for each of them the
instruments that do not end in an error. Any other program is asked for the same.
"""

import ast
import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from bugforge.checks import Evidence
from bugforge.errors import ToolError, UsageError
from bugforge.pairing import BY_NAME, Pairing
from bugforge.recordings import Array, read_recording
from bugforge.sandbox import Outcome, Sandbox

VOCAB, BLOCK, BATCH = 10, 11, 5
"""As in the harness's `own_loading`."""
INSTRUMENTS = (
    "construct",
    "forward",
    "targets",
    "gradient",
    "optimizer",
    "decode",
    "batch",
    "schedule",
)
QUICK = ("forward", "targets", "batch", "schedule")
"""Those that are asked first, since they tell most and take no time."""
FUSED = "scaled_dot_product_attention"
FOUND = "found"
PRISTINE = "pristine"


@dataclass(frozen=True)
class Reach:
    """What of a program can be judged.

    models: the classes, in the order of their numbers. instruments: names of recordings, such as
    `fused/0 forward`. unjudged: sentences on what cannot be, and why.
    """

    models: tuple[str, ...]
    instruments: tuple[str, ...]
    unjudged: tuple[str, ...]


NOTHING = Reach((), (), ())


@dataclass
class OwnRecorder:
    """Records the programs of one drawing of inputs. Jobs go by names of their own.

    hidden: folders that no attempt may look into. subjects: what the models are built from. plain:
    files of which every statement succeeds in the correct program, and must in others. ways:
    whether torch's own attention is there, in each way to run a program. correct, reach: what the
    correct program did, and what of that can be judged.
    """

    box: Sandbox
    room: Path
    seed: int
    files: tuple[str, ...]
    hidden: tuple[Path, ...] = ()
    subjects: list[dict[str, Any]] | None = None
    plain: tuple[str, ...] = ()
    ways: tuple[bool, ...] = (True,)
    correct: Evidence = field(default_factory=dict)
    reach: Reach = NOTHING

    @classmethod
    def set_up(
        cls,
        box: Sandbox,
        pristine: Mapping[str, str],
        rng: random.Random,
        hidden: tuple[Path, ...] = (),
    ) -> "OwnRecorder":
        """Draw inputs, record the correct program, and find out what of it can be judged.

        Raises UsageError where nothing can.
        """
        room = box.room()
        (room / "weights").mkdir()
        save_file(_inputs(rng), room / "inputs")
        recorder = cls(box, room, rng.getrandbits(31), tuple(pristine), hidden)
        recorder.find(pristine)
        return recorder

    def find(self, pristine: Mapping[str, str]) -> None:
        """Record the correct program, and keep what of it can be judged."""
        folder = self.write(PRISTINE, pristine)
        self.submit(PRISTINE, folder)
        found = read_recording(self.wait(PRISTINE, fused=True).out, FOUND)
        if found.crash is not None:
            raise UsageError(
                f"The program could not be looked at: {found.crash}",
                "Does it do something at length, or end the process, as it is imported?",
            )
        self.subjects = found.facts["subjects"]
        self.plain = tuple(found.facts["plain"])
        if any(FUSED in text for text in pristine.values()):
            self.ways = (False,)
            self.submit(PRISTINE, folder)
            self.ways = (True, False)
        self.correct = self.recordings(PRISTINE)
        limit = self.limit(PRISTINE)
        if limit:  # what it did not come to would pass unjudged
            raise ToolError(
                f"Looking at the correct program took more {limit.limit} than it may: {limit.used} "
                f"of {limit.allowed}.",
                "Is the machine busy? `bugforge check` can be given more with --time-limit.",
            )
        self.reach = Reach(
            tuple(subject["name"] for subject in found.facts["subjects"]),
            tuple(name for name in self.correct if _is_judged(name, self.correct)),
            tuple(_unjudged(found.facts, pristine)),
        )
        if not self.reach.instruments:
            raise UsageError(
                "Nothing in the program can be judged. " + " ".join(self.reach.unjudged),
                "Bugforge builds classes of torch.nn.Module from a configuration, or from sizes of "
                "the usual names.",
            )

    def write(self, name: str, files: Mapping[str, str]) -> Path:
        """Write a program into a folder of its own."""
        folder = self.room / "programs" / name
        for file, text in files.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text, encoding="utf-8", newline="")
        return folder

    def submit(
        self,
        name: str,
        folder: Path,
        pairing: Pairing = BY_NAME,
        instruments: Sequence[str] = INSTRUMENTS,
    ) -> None:
        """Have a program recorded, in every way to run it."""
        for fused in self.ways:
            copy = self.room / "copies" / f"{name} {fused}"
            shutil.copytree(folder, copy)
            is_ours = name == PRISTINE
            spec = {
                "task": "own",
                "program": str(copy),
                "files": list(self.files),
                "subjects": self.subjects,
                "plain": list(self.plain),
                "instruments": list(instruments),
                "fused": fused,
                "inputs": str(self.room / "inputs"),
                "weights": str(self.room / "weights"),
                "pairing": asdict(pairing),
                "seed": self.seed,
                "walls": None if is_ours else [str(p) for p in self.hidden if p.is_dir()],
            }
            self.box.submit(self._own(name, fused=fused), spec)

    def recordings(self, name: str, instruments: Sequence[str] = INSTRUMENTS) -> Evidence:
        """Wait for a program's recordings: by way, model and instrument."""
        return {
            f"{_way(fused=fused)}{number} {instrument}": read_recording(
                self.wait(name, fused=fused).out, f"{number} {instrument}"
            )
            for fused in self.ways
            for number in range(len(self.subjects or ()))
            for instrument in instruments
        }

    def wait(self, name: str, *, fused: bool) -> Outcome:
        """Wait for a job's end."""
        return self.box.wait(self._own(name, fused=fused))

    def limit(self, name: str) -> Outcome | None:
        """Give the first of a program's jobs that ended at a limit."""
        outcomes = (self.wait(name, fused=fused) for fused in self.ways)
        return next((outcome for outcome in outcomes if outcome.limit), None)

    def _own(self, name: str, *, fused: bool) -> str:
        return f"{self.room.name} {_way(fused=fused)}{name}".replace("/", " ")


def _way(*, fused: bool) -> str:
    return "" if fused else "unfused/"


def _inputs(rng: random.Random) -> dict[str, Array]:
    base = _tokens(rng, BATCH, BLOCK)
    changed = base.copy()
    changed[:, 6] = (changed[:, 6] + 5) % VOCAB
    return {
        "base": base,
        "alone": base[:1].copy(),
        "other": (base + rng.randrange(1, VOCAB)) % VOCAB,
        "changed": changed,
        "constant": np.repeat(base[:, :1], BLOCK, axis=1),
        "short": base[:, :7].copy(),
        "one": base[:, :1].copy(),
        "prompts": _tokens(rng, 12, 7),
    }


def _tokens(rng: random.Random, rows: int, length: int) -> Array:
    drawn: Array = np.array([[rng.randrange(VOCAB) for _ in range(length)] for _ in range(rows)])
    return drawn


def _is_judged(name: str, seen: Evidence) -> bool:
    """Whether the correct program did what an instrument asks, also in this way to run it."""
    way, _, rest = name.rpartition("/")
    runs = not way or seen[f"{way}/{rest.split()[0]} forward"].crash is None
    return runs and seen[name].crash is None


def _unjudged(found: Mapping[str, Any], pristine: Mapping[str, str]) -> Iterator[str]:
    """Say what of each file cannot be judged."""
    for name, text in pristine.items():
        if name in found["left_out"]:
            yield f"{name}: {found['left_out'][name]}."
        idle = [f for f in _functions(ast.parse(text)) if f"{name}:{f}" not in found["ran"]]
        if idle:
            more = f" and {len(idle) - NAMED} more" if len(idle) > NAMED else ""
            yield f"{name}: nothing calls {', '.join(idle[:NAMED])}{more}."
        if "dropout" in text.lower():
            yield f"{name}: dropout of a usual name is set to 0, so where it acts is not judged."
    for subject in found["subjects"]:
        if subject["tokens"] and subject["context"] is None:
            yield f"{subject['name']}: no end of its context was found, and what lies beyond it."
    if not found["subjects"]:
        for name, why in sorted(found["failed"].items()):
            yield f"{name} cannot be built and called: {why}."


def _functions(module: ast.Module) -> Iterator[str]:
    """Name the functions of a module, and the methods of its classes."""
    for node in module.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.ClassDef):
            yield from (
                f"{node.name}.{f.name}" for f in node.body if isinstance(f, ast.FunctionDef)
            )


NAMED = 6
"""Functions that are named as not judged, in one file."""
