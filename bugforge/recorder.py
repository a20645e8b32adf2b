"""Has programs recorded and trained, all under the same drawn inputs and weights."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from safetensors.numpy import save_file

from bugforge.checks import Evidence, measured, tensors
from bugforge.distance import apart
from bugforge.errors import ToolError
from bugforge.files import write_files
from bugforge.pairing import BY_MAKING, BY_NAME, BY_USE, Pairing
from bugforge.probe import Probe
from bugforge.program import CONFTEST
from bugforge.recordings import Array, Crash, Recording, first_crash, plain, read_recording
from bugforge.sandbox import Outcome, Sandbox
from bugforge.sentences import PROMPT_LENGTH
from bugforge.workspace import plain_files

OTHERWISE = (*BY_USE, *BY_MAKING)
"""The pairings under which an attempt's logits are recorded beside those by name."""

SAME = 1e-3
"""Logits that lie no farther apart, as a share of their spread, are the same."""


SHARE = 1 / 6
"""How much of the time that a job may take is that of tests on one program, of which there are
many.
"""

TESTING = ("tests", CONFTEST, "pytest.ini")
"""What of an attempt its tests are given."""

NO_TESTS = 5
"""What pytest exits with where it found none."""


@dataclass(frozen=True)
class Ending:
    """How tests ended that ran on a program: whether there were some and all passed, else the first
    that failed, where one did, and the error.
    """

    passed: bool
    failed: str = ""
    error: str = ""


@dataclass(frozen=True)
class Course:
    """Trainings that are to be the same bit for bit: of how many steps each, on what text, and with
    what seed.
    """

    steps: tuple[int, ...]
    text: str
    seed: int


@dataclass(frozen=True)
class Recorder:
    """Starts jobs in a sandbox's room and reads what they wrote. Jobs go by names of their own."""

    box: Sandbox
    room: Path
    probe: Probe
    hidden: tuple[Path, ...] = ()
    """Folders that no attempt may look into, where the system can hide them."""
    attempts: list[str] = field(default_factory=list)
    """Names of the jobs that run a learner's code."""

    def pristine(self, files: Mapping[str, str]) -> dict[str, Recording]:
        """Record the correct program, whose weights every other program is then given.

        It comes first and leaves nothing on disk but the weights, so that no attempt can look
        it up. Raises ToolError where it does not run, since that is no attempt's fault.
        """
        save_file(self.probe.given, self.room / "inputs")
        folder = self.write("pristine", files)
        self._record("pristine", folder, draw_weights=True)
        seen = self.recordings("pristine")
        self.forget("pristine")
        fault = first_crash(seen.values())
        if fault:
            raise runs_nowhere(fault)
        return seen

    def attempt(
        self,
        name: str,
        folder: Path,
        pairing: Pairing = BY_NAME,
        instruments: Iterable[str] = (),
    ) -> None:
        """Have a program of a learner's recorded, behind walls, by some instruments or by all."""
        self.attempts.append(name)
        chosen = {"instruments": list(instruments)} if instruments else {}
        self._record(
            name,
            self._copied(name, folder),
            pairing=asdict(pairing),
            otherwise=[asdict(other) for other in OTHERWISE],
            walls=self._walls(),
            **chosen,
        )

    def settled(
        self,
        name: str,
        folder: Path,
        seen: Evidence,
        others: Iterable[Evidence],
        pairings: Sequence[Pairing] = BY_USE,
    ) -> tuple[Evidence, Pairing]:
        """Give an attempt's recordings, and say how weights found their places in it.

        others: what the programs did of which it may be one. Where names misled, it is recorded
        again with the weights in the places in which they lead to the logits of one of those. What
        models no language is given no weights.
        pairings: those places, of OTHERWISE.
        """
        if self.probe.program.subject != "language":
            return seen, BY_NAME
        wanted = [logits for logits in map(_logits, others) if logits is not None]
        found = {BY_NAME: _logits(seen)}
        otherwise = tensors(seen, "forward", "otherwise/")
        for pairing in pairings:
            found[pairing] = otherwise.get(str(OTHERWISE.index(pairing)))
        for pairing, logits in found.items():
            if logits is None or all(_farther_than_same(logits, other) for other in wanted):
                continue
            if pairing == BY_NAME:
                break
            self.attempt(f"{name}, paired otherwise", folder, pairing)
            return self.recordings(f"{name}, paired otherwise"), pairing
        return seen, BY_NAME

    def forged(self, name: str, files: Mapping[str, str], instruments: Iterable[str] = ()) -> None:
        """Have a program of our own recorded, by some of the instruments or by all."""
        chosen = {"instruments": list(instruments)} if instruments else {}
        self._record(name, self.write(name, files), **chosen)

    def train(self, name: str, folder: Path, text: str, seed: int, *, main: bool = False) -> None:
        """Have a program of a learner's trained on a text, behind walls; and its main run."""
        self.attempts.append(name)
        learned = self.probe.program.learned(text)
        spec = {
            "task": "train",
            "program": str(self._copied(name, folder)),
            "text": text,
            "learned": learned,
            "prompt": learned[:PROMPT_LENGTH],
            "sizes": self.probe.sizes,
            "seed": seed,
            "main": main,
            "walls": self._walls(),
        }
        self.box.submit(self._own(name), spec)

    def whole(self, name: str, instrument: str, seed: int) -> None:
        """Have the attempt recorded by one instrument that takes long, behind walls."""
        self.attempts.append(name)
        folder = self._copied(name, self.room / "attempt")
        self._record(name, folder, instruments=[instrument], seed=seed, walls=self._walls())

    def test(self, name: str, files: Mapping[str, str], tests: str) -> None:
        """Have the attempt's tests run on a program, behind walls. tests: their file.

        The program lies in no file, and name must not tell which it is: the tests could read both.
        """
        folder = self.write(f"to test {name}", {})
        for path in plain_files(self.room / "attempt"):
            own = path.relative_to(self.room / "attempt")
            if own.parts[0] in TESTING:
                (folder / own).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, folder / own)
        spec = {
            "task": "tests",
            "program": str(folder),
            "files": dict(files),
            "tests": tests,
            "walls": self._walls(),
        }
        self.box.submit(self._own(f"test {name}"), spec, SHARE)

    def tested(self, name: str) -> Ending:
        """Wait for tests that run on a program, and tell how that ended."""
        outcome = self.wait(f"test {name}")
        recording = read_recording(outcome.out, "tests")
        if outcome.limit:
            limit = f"they used more {outcome.limit} than they may: {outcome.allowed}"
            return Ending(passed=False, error=limit)
        if recording.crash:
            return Ending(passed=False, error=str(recording.crash))
        code, failed, error = (recording.facts.get(fact) for fact in ("code", "failed", "error"))
        said = "there are no tests" if code == NO_TESTS else str(error or "")
        return Ending(code == 0, plain(str(failed or "")), plain(said))

    def forget_tested(self, name: str) -> None:
        """Take away what tests left behind that ran on a program: others could look it up."""
        shutil.rmtree(self.room / "programs" / f"to test {name}", ignore_errors=True)
        shutil.rmtree(self.wait(f"test {name}").out, ignore_errors=True)

    def expect(self, name: str, folder: Path, course: Course, *, own: bool = False) -> None:
        """Have a program take its first training steps. own: whether it is a learner's."""
        if own:
            self.attempts.append(name)
        spec = {
            **asdict(course),
            "task": "expected",
            "program": str(self._copied(name, folder)),
            "walls": self._walls() if own else None,
        }
        self.box.submit(self._own(name), spec)

    def expected(self, name: str) -> Recording:
        """Wait for the first training steps of a program."""
        return self._told(name, "expected")

    def replay(
        self, files: Mapping[str, str], name: str, trained: Recording, pairing: Pairing
    ) -> Recording:
        """Decode with the weights that an attempt's training ended with, in the correct program.

        pairing: how the correct program's weights found their places in the attempt.
        """
        job = f"replay {name}"
        weights = self.room / job
        save_file(trained.tensors, weights)
        spec = {
            "task": "replay",
            "program": str(self.write(job, files)),
            "sizes": trained.facts["sizes"],
            "weights": str(weights),
            "roles": trained.facts["roles"],
            "twin": {**self.probe.sizes, "n_layer": trained.facts["sizes"]["n_layer"]},
            "pairing": asdict(pairing),
            "prompt_tokens": PROMPT_LENGTH,
            "walls": None,
        }
        self.box.submit(self._own(job), spec)
        recording = read_recording(self.wait(job).out, "replay")
        self.forget(job)
        return recording

    def recordings(self, name: str, instruments: Iterable[str] = ()) -> dict[str, Recording]:
        """Wait for a program's recordings; where it cannot be imported, each is that crash."""
        outcome = self.wait(name)
        imported = read_recording(outcome.out, "import")
        return {
            instrument: imported
            if imported.crash is not None
            else read_recording(outcome.out, instrument)
            for instrument in instruments or self.probe.instruments
        }

    def trained(self, name: str) -> Recording:
        """Wait for a training; where the program cannot be imported, it is that crash."""
        return self._told(name, "train")

    def wait(self, name: str) -> Outcome:
        """Wait for a job's end."""
        return self.box.wait(self._own(name))

    def limit(self) -> Outcome | None:
        """Give the first of the learner's jobs that ended at a limit."""
        ended = (self.box.ended.get(self._own(name)) for name in self.attempts)
        return next((outcome for outcome in ended if outcome and outcome.limit), None)

    def write(self, name: str, files: Mapping[str, str]) -> Path:
        """Write a program into a folder of its own."""
        folder = self.room / "programs" / name
        folder.mkdir(parents=True)
        write_files(folder, files)
        return folder

    def forget(self, name: str) -> None:
        """Take away a program and what was recorded of it."""
        shutil.rmtree(self.room / "programs" / name)
        shutil.rmtree(self.wait(name).out)

    def forget_attempts(self) -> None:
        """Take away copies of the learner's program, and what was recorded of them."""
        for name in self.attempts:
            shutil.rmtree(self.room / "copies" / name, ignore_errors=True)
            outcome = self.box.ended.pop(self._own(name), None)
            if outcome:
                shutil.rmtree(outcome.out, ignore_errors=True)
        self.attempts.clear()

    def _told(self, name: str, task: str) -> Recording:
        """Wait for a job's recording; where the program cannot be imported, it is that crash."""
        outcome = self.wait(name)
        imported = read_recording(outcome.out, "import")
        return imported if imported.crash else read_recording(outcome.out, task)

    def _record(self, name: str, folder: Path, **differing: object) -> None:
        spec = {
            **self.probe.spec(),
            "program": str(folder),
            "inputs": str(self.room / "inputs"),
            "weights": str(self.room / "weights"),
            "draw_weights": False,
            "pairing": asdict(BY_NAME),
            "otherwise": [],
            "walls": None,
            **differing,
        }
        self.box.submit(self._own(name), spec)

    def _copied(self, name: str, folder: Path) -> Path:
        """Give a job its own copy of a program, since what one writes is none of another's."""
        copy = self.room / "copies" / name
        shutil.copytree(folder, copy)
        return copy

    def _walls(self) -> list[str]:
        return [str(path) for path in self.hidden if path.is_dir()]

    def _own(self, name: str) -> str:
        """Name a job so that no other check's has the name."""
        return f"{self.room.name} {name}"


def runs_nowhere(fault: Crash) -> ToolError:
    """Put into words that the correct program itself ends in an error."""
    return ToolError(
        f"The correct program itself does not run here: {fault}",
        "Is torch of a tested version? See constraints.txt; else please report it.",
    )


def _logits(seen: Evidence) -> Array | None:
    return seen["forward"].tensors.get("given/eval/base")


def _farther_than_same(one: Array, other: Array) -> bool:
    return not measured(partial(apart, one, other)) <= SAME
