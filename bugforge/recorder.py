"""Has programs recorded and trained, all under the same drawn inputs and weights."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors.numpy import save_file

from bugforge.errors import ToolError
from bugforge.judgement import INSTRUMENTS
from bugforge.probe import SIZES, Probe
from bugforge.recordings import Recording, first_crash, read_recording
from bugforge.sandbox import Outcome, Sandbox
from bugforge.sentences import PROMPT_LENGTH


@dataclass(frozen=True)
class Recorder:
    """Starts jobs in a sandbox's room and reads what they wrote. Jobs go by names of their own."""

    box: Sandbox
    room: Path
    probe: Probe
    hidden: tuple[Path, ...] = ()
    """Folders that no attempt may look into, where the system can hide them."""

    def pristine(self, files: Mapping[str, str]) -> dict[str, Recording]:
        """Record the correct program, whose weights every other program is then given.

        It comes first and leaves nothing on disk but the weights, so that no attempt can look
        it up. Raises ToolError where it does not run, since that is no attempt's fault.
        """
        save_file(self.probe.inputs, self.room / "inputs")
        folder = self.write("pristine", files)
        self._record("pristine", folder, draw_weights=True, segments=True)
        seen = self.recordings("pristine")
        self.forget("pristine")
        fault = first_crash(seen.values())
        if fault:
            raise ToolError(
                f"The correct program itself does not run here: {fault}",
                "Is torch of a tested version? See constraints.txt; else please report it.",
            )
        return seen

    def attempt(self, name: str, folder: Path) -> None:
        """Have a program of a learner's recorded, behind walls."""
        self._record(name, self._copied(name, folder), walls=self._walls())

    def forged(self, name: str, files: Mapping[str, str]) -> None:
        """Have a program of our own recorded, by each run of tokens that may be learned from."""
        self._record(name, self.write(name, files), segments=True)

    def train(self, name: str, folder: Path, text: str, seed: int) -> None:
        """Have a program trained on a text."""
        spec = {
            "task": "train",
            "program": str(self._copied(name, folder)),
            "text": text,
            "prompt": text[:PROMPT_LENGTH],
            "sizes": SIZES,
            "weights": str(self.room / "weights"),
            "seed": seed,
            "walls": self._walls(),
        }
        self.box.submit(self._own(name), spec)

    def replay(self, files: Mapping[str, str], name: str, trained: Recording) -> Recording:
        """Decode with the weights that an attempt's training ended with, in the correct program."""
        job = f"replay {name}"
        weights = self.room / job
        save_file(trained.tensors, weights)
        spec = {
            "task": "replay",
            "program": str(self.write(job, files)),
            "sizes": trained.facts["sizes"],
            "weights": str(weights),
            "prompt_tokens": PROMPT_LENGTH,
            "walls": None,
        }
        self.box.submit(self._own(job), spec)
        recording = read_recording(self.wait(job).out, "replay")
        self.forget(job)
        return recording

    def recordings(self, name: str) -> dict[str, Recording]:
        """Wait for a program's recordings; where it cannot be imported, each is that crash."""
        outcome = self.wait(name)
        imported = read_recording(outcome.out, "import")
        return {
            instrument: imported
            if imported.crash is not None
            else read_recording(outcome.out, instrument)
            for instrument in INSTRUMENTS
        }

    def trained(self, name: str) -> Recording:
        """Wait for a training; where the program cannot be imported, it is that crash."""
        outcome = self.wait(name)
        imported = read_recording(outcome.out, "import")
        return imported if imported.crash else read_recording(outcome.out, "train")

    def wait(self, name: str) -> Outcome:
        """Wait for a job's end."""
        return self.box.wait(self._own(name))

    def ended(self, name: str) -> Outcome | None:
        """Tell how a job ended, if it has."""
        return self.box.ended.get(self._own(name))

    def write(self, name: str, files: Mapping[str, str]) -> Path:
        """Write a program into a folder of its own."""
        folder = self.room / "programs" / name
        folder.mkdir(parents=True)
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
        return folder

    def forget(self, name: str) -> None:
        """Take away a program and what was recorded of it."""
        shutil.rmtree(self.room / "programs" / name)
        shutil.rmtree(self.wait(name).out)

    def _record(
        self,
        name: str,
        folder: Path,
        *,
        draw_weights: bool = False,
        segments: bool = False,
        walls: list[str] | None = None,
    ) -> None:
        spec = {
            **self.probe.spec(),
            "program": str(folder),
            "inputs": str(self.room / "inputs"),
            "weights": str(self.room / "weights"),
            "draw_weights": draw_weights,
            "segments": segments,
            "instruments": INSTRUMENTS,
            "walls": walls,
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
