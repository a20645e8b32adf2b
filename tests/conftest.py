"""What tests share: one warm process for all that run programs, and the judging of a program."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bugforge.answers import AnswerKey
from bugforge.checks import Evidence, Reading
from bugforge.files import write_files
from bugforge.judgement import checks
from bugforge.judgement import judge as judge_recordings
from bugforge.pairing import BY_NAME
from bugforge.probe import QUICK, draw
from bugforge.program import Program
from bugforge.programs import GPT
from bugforge.recorder import Recorder
from bugforge.sandbox import Limits, Sandbox, opened
from bugforge.sentences import shipped
from bugforge.userdata import FOLDER
from bugforge.variant import with_sentence
from bugforge.verify import Question, Trains, Verdict, verify

Judge = Callable[..., Verdict]


@pytest.fixture(scope="session", autouse=True)
def _history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep results that tests come by out of the history of whoever runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FOLDER, str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="session")
def box() -> Iterator[Sandbox]:
    """A sandbox with torch loaded once."""
    with opened(Limits()) as opened_box:
        yield opened_box


@pytest.fixture(scope="session")
def reference() -> dict[str, str]:
    """The correct program of the classic track, text by file name."""
    files = GPT.reference()
    files["train.py"] = with_sentence(files["train.py"], shipped()[0])
    return files


@pytest.fixture
def judge(box: Sandbox, reference: dict[str, str], tmp_path: Path) -> Judge:
    """Judge a program against the reference; its training too, where that is asked for."""

    def judged(files: Mapping[str, str], trains: Trains = "never", seed: int = 0) -> Verdict:
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        return verify(box, folder, key_to(reference), Question(random.Random(seed), trains=trains))

    return judged


@dataclass
class Bench:
    """Records many programs under one drawing of inputs, several at once, and judges each."""

    recorder: Recorder
    pristine: Evidence
    folder: Path
    quick: tuple[str, ...]
    """Instruments that show most of what is wrong, and cost the least."""
    submitted: set[str] = field(default_factory=set)
    told: dict[str, set[str]] = field(default_factory=dict)

    def submit(self, name: str, files: Mapping[str, str]) -> None:
        """Have a program recorded when a core is free."""
        if name not in self.submitted:
            self.submitted.add(name)
            self._write(name, files)
            self.recorder.attempt(name, self.folder / name)

    def seen(self, name: str) -> Evidence:
        """Wait for a program's recordings, its weights paired as they fit."""
        recorded = self.recorder.recordings(name)
        return self.recorder.settled(name, self.folder / name, recorded, [self.pristine])[0]

    def glimpse(self, name: str, files: Mapping[str, str]) -> None:
        """Have a program recorded by the quick instruments when a core is free."""
        self._write(name, files)
        self.recorder.attempt(f"{name}, glimpsed", self.folder / name, instruments=self.quick)

    def broken(self, name: str) -> set[str]:
        """Name laws that a glimpsed program breaks: of what is quickly shown, or else of all."""
        if name not in self.told:
            self.told[name] = self._broken(name)
        return self.told[name]

    def _broken(self, name: str) -> set[str]:
        seen = self.recorder.recordings(f"{name}, glimpsed", self.quick)
        paired, pairing = self.recorder.settled(name, self.folder / name, seen, [self.pristine])
        by_name = pairing == BY_NAME  # else it was recorded again, in full
        known = {i: self.pristine[i] for i in self.quick} if by_name else self.pristine
        told = _broken(judge_recordings(paired, known))
        if told or not by_name:
            return told
        self.recorder.attempt(name, self.folder / name)
        return _broken(self.readings(name))

    def _write(self, name: str, files: Mapping[str, str]) -> None:
        folder = self.folder / name
        folder.mkdir()
        write_files(folder, files)

    def readings(self, name: str) -> dict[str, Reading]:
        """Wait for a program's recordings, and hold them to every law and comparison."""
        return judge_recordings(self.seen(name), self.pristine)


def _broken(readings: Mapping[str, Reading]) -> set[str]:
    return {reading.check for reading in readings.values() if reading.kept is False}


@pytest.fixture(scope="session")
def bench(
    box: Sandbox, reference: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Bench:
    """A bench whose pristine program is the reference."""
    return bench_of(box, GPT, reference, tmp_path_factory.mktemp("bench"))


def bench_of(box: Sandbox, program: Program, pristine: dict[str, str], folder: Path) -> Bench:
    """Set up a bench in an empty folder."""
    recorder = Recorder(box, box.room(), draw(random.Random(0), program))
    recorded = recorder.pristine(pristine)
    quick = QUICK.union(program.extension.instruments if program.extension else ())
    every = {check.name: check for check in checks(recorded)}
    for check in reversed(every.values()):
        if quick.issuperset(check.needs):
            quick = quick.union(*(every[name].needs for name in check.after))
    return Bench(recorder, recorded, folder, tuple(name for name in recorded if name in quick))


def key_to(pristine: dict[str, str]) -> AnswerKey:
    """Give the key of a workspace that holds no bug."""
    text = shipped()[0]
    return AnswerKey("0", "classic", "0", "0", {}, text, pristine, ())
