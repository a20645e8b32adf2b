"""What tests share: one warm process for all that run programs, and the judging of a program."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from bugforge.answers import AnswerKey
from bugforge.checks import Evidence, Reading
from bugforge.exactness import begin, compared
from bugforge.files import write_files
from bugforge.judgement import judge as judge_recordings
from bugforge.pairing import BY_NAME
from bugforge.probe import QUICK, draw
from bugforge.program import Program
from bugforge.programs import GPT
from bugforge.recorder import Recorder
from bugforge.sandbox import Limits, Sandbox, opened
from bugforge.sentences import shipped
from bugforge.track import Track
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
    submitted: set[str] = field(default_factory=set)

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
        self.recorder.attempt(f"{name}, glimpsed", self.folder / name, instruments=self._quick)

    def breaks_a_law(self, name: str) -> bool:
        """Whether a program that was glimpsed breaks a law: of what the quick instruments show, or
        else of all.
        """
        seen = self.recorder.recordings(f"{name}, glimpsed", self._quick)
        paired, pairing = self.recorder.settled(name, self.folder / name, seen, [self.pristine])
        by_name = pairing == BY_NAME  # else it was recorded again, in full
        known = {i: self.pristine[i] for i in self._quick} if by_name else self.pristine
        judged = judge_recordings(paired, known)
        if not by_name or any(reading.kept is False for reading in judged.values()):
            return any(reading.kept is False for reading in judged.values())
        self.recorder.attempt(name, self.folder / name)
        return any(reading.kept is False for reading in self.readings(name).values())

    @property
    def _quick(self) -> list[str]:
        return [name for name in self.pristine if name in QUICK]

    def _write(self, name: str, files: Mapping[str, str]) -> None:
        folder = self.folder / name
        folder.mkdir()
        write_files(folder, files)

    def readings(self, name: str) -> dict[str, Reading]:
        """Wait for a program's recordings, and hold them to every law and comparison."""
        return judge_recordings(self.seen(name), self.pristine)


@pytest.fixture(scope="session")
def bench(
    box: Sandbox, reference: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Bench:
    """A bench whose pristine program is the reference."""
    return bench_of(box, GPT, reference, tmp_path_factory.mktemp("bench"))


def bench_of(box: Sandbox, program: Program, pristine: dict[str, str], folder: Path) -> Bench:
    """Set up a bench in an empty folder."""
    recorder = Recorder(box, box.room(), draw(random.Random(0), program))
    return Bench(recorder, recorder.pristine(pristine), folder)


def bits_changed(name: str, bench: Bench, key: AnswerKey, track: Track) -> list[str]:
    """Name the laws of bits that a program breaks which was submitted to a bench: what a follow-up
    adds must leave the program of before as it was where it is not asked for.
    """
    plain = GPT.reference()
    plain["train.py"] = with_sentence(plain["train.py"], shipped()[0])
    recorder = replace(bench.recorder, room=bench.recorder.box.room())
    follow_up = replace(key, track=track.name, given=plain)
    begin(recorder, follow_up, bench.folder / name, 99)
    return [reading.check for reading in compared(recorder, follow_up)[0] if not reading.kept]


def key_to(pristine: dict[str, str]) -> AnswerKey:
    """Give the key of a workspace that holds no bug."""
    text = shipped()[0]
    return AnswerKey("0", "classic", "0", "0", {}, text, pristine, ())
