"""What tests share: one warm process for all that run programs, and the judging of a program."""

import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from bugforge.answers import AnswerKey
from bugforge.sandbox import Limits, Sandbox, opened
from bugforge.sentences import PROMPT_LENGTH, shipped
from bugforge.track import CLASSIC
from bugforge.variant import with_sentence
from bugforge.verify import Question, Trains, Verdict, verify

Judge = Callable[..., Verdict]


@pytest.fixture(scope="session")
def box() -> Iterator[Sandbox]:
    """A sandbox with torch loaded once."""
    with opened(Limits()) as opened_box:
        yield opened_box


@pytest.fixture(scope="session")
def reference() -> dict[str, str]:
    """The correct program of the classic track, text by file name."""
    files = CLASSIC.reference()
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
        return verify(box, folder, _key(reference), Question(random.Random(seed), trains=trains))

    return judged


def _key(pristine: dict[str, str]) -> AnswerKey:
    text = shipped()[0]
    return AnswerKey("0", "classic", "0", "0", {}, text, text[:PROMPT_LENGTH], pristine, ())
