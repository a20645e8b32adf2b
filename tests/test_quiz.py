"""Questions can be drawn and answered, in a terminal and as JSON."""

import json
import math
import random
import subprocess
import sys
from contextlib import suppress
from operator import attrgetter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bugforge.arithmetic import worked_out
from bugforge.questions import Asked, Question, all_questions, ask, written
from bugforge.tracks import find_track
from tests.test_cli import run

QUESTIONS = all_questions()


def test_there_are_many() -> None:
    """There are forty questions and more, half of them with numbers, each of a name of its own."""
    assert len({question.id for question in QUESTIONS}) == len(QUESTIONS) >= 40
    assert sum(bool(question.draw) for question in QUESTIONS) >= 20


@pytest.mark.parametrize("question", QUESTIONS, ids=attrgetter("id"))
def test_a_question_is_whole(question: Question) -> None:
    """Whatever is drawn, a question and its solution can be written, the right answer is right in
    every way to write it, and a wrong one is not.
    """
    assert bool(question.right) != bool(question.answer)
    for track in (*question.before, *([question.track] if question.track else [])):
        find_track(track)
    for seed in range(20):
        asked = ask(question, str(seed))
        assert "$" not in asked.text + asked.solution
        if asked.choices:
            assert len(asked.choices) >= 3
            assert asked.is_right(asked.letter)
            assert asked.is_right(question.right)
            assert not any(asked.is_right(choice) for choice in question.wrong)
        else:
            assert asked.is_right(f"{asked.number!r}")
            assert asked.is_right(asked.expected.partition(" (")[0])
            assert not asked.is_right(f"{asked.number * 1.1 + 1}")


def test_numbers_are_drawn_afresh() -> None:
    """Seeds lead to other numbers and other orders of choices, and the same seed to the same."""
    for question in QUESTIONS:
        texts = {
            (ask(question, str(seed)).text, ask(question, str(seed)).choices) for seed in range(30)
        }
        assert len(texts) > 1 or not (question.draw or question.right)


@given(st.text(max_size=40))
def test_any_reply_can_be_read_or_refused(reply: str) -> None:
    """A reply is right, wrong or refused in words; nothing else comes of it."""
    for question in random.Random(reply).sample(QUESTIONS, 4):
        with suppress(ValueError):
            assert ask(question, "1").is_right(reply) in (True, False)


@pytest.mark.parametrize(
    ("text", "value"),
    [("2 * 3 + 1", 7), ("-2**2", -4), ("(1 + 2) / 4", 0.75), ("sqrt(16)", 4), ("7 // 2", 3)],
)
def test_arithmetic(text: str, value: float) -> None:
    """Expressions have the values that Python gives them."""
    assert worked_out(text, {}) == value


@pytest.mark.parametrize(
    "text",
    ["__import__('os')", "9**9**9**9", "1 / 0", "x", "[1]", "1 if 1 else 2", "(" * 300, "1e999"],
)
def test_nothing_but_arithmetic_is_worked_out(text: str) -> None:
    """What is no arithmetic, or has no finite value, is refused, and at once."""
    with pytest.raises(ValueError, match=r"value|arithmetic"):
        worked_out(text, {})


def test_units_of_memory() -> None:
    """Bytes may be said in any unit of them; a prefix without an i counts either way."""
    asked = ask(next(q for q in QUESTIONS if q.id == "cache-memory"), "3")
    number = asked.number
    for power, letter in enumerate("KMGT", start=1):
        for reply in (f"{number / 1024**power} {letter}iB", f"{number / 1000**power} {letter}B"):
            assert asked.is_right(reply)
    assert not asked.is_right(f"{number / 1024**2} GiB")
    assert math.isclose(number, float(written(number, "bytes").split(" ")[0].replace(",", "")))


def test_a_share_may_be_said_in_percent() -> None:
    """Where a question has no unit, a percent is a hundredth; where it asks for percents, they may
    be left out; of anything else there are none.
    """
    for question in QUESTIONS:
        if question.right:
            continue
        asked = ask(question, "2")
        if question.unit not in ("", "%"):
            with pytest.raises(ValueError, match="Answer in"):
                asked.is_right(f"{asked.number}%")
            continue
        in_percent = asked.number if question.unit else 100 * asked.number
        assert asked.is_right(f"{in_percent:.12f}%")
        assert asked.is_right(f"{asked.number:.12f}")
        assert asked.is_right(f"{in_percent / 100:.12f}%") == (asked.number == 0)


@pytest.mark.parametrize(
    "reply",
    [
        "1536",
        "1,536",
        "1536.0",
        "1536,0",
        "1.536e3",
        "1,536.00",
        "1.5 * 2^10",
        "1536,000001",
        "15360 * 0,1",
        "1,5 \u00d7 2**10",
    ],
)
def test_numbers_are_read_as_people_write_them(reply: str) -> None:
    """A comma parts thousands, or stands before a fraction; powers may have a caret."""
    asked = Asked(Question("memory", "caches", "?", "!", answer="1536"), "1", {}, ())
    assert asked.is_right(reply)
    assert asked.is_right(f"\u2212(0 - {reply})")
    assert not asked.is_right(f"2 * ({reply})")


def test_a_quiz_in_a_terminal(tmp_path: Path) -> None:
    """Answers are read line by line, until there are no more; each is told, and the score."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "bugforge",
            "quiz",
            "--before",
            "kv-cache",
            "--seed",
            "1",
            "--count",
            "2",
        ],
        cwd=tmp_path,
        input="z?\n\nno letter\na\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count("because:") == 2
    assert "bugforge new --track kv-cache" in done.stdout
    ended = run("quiz", "--topic", "caches", cwd=tmp_path)
    assert ended.returncode == 0


def test_a_quiz_as_json(tmp_path: Path) -> None:
    """Questions are given without answers; one that is named is marked, and the exit code tells."""
    told = json.loads(run("quiz", "--json", "--seed", "7", "--count", "3", cwd=tmp_path).stdout)
    assert len(told["questions"]) == 3
    assert not any("solution" in question for question in told["questions"])
    one = ["quiz", "--question", "first-loss", "--seed", "7", "--json"]
    (question,) = json.loads(run(*one, cwd=tmp_path).stdout)["questions"]
    size = int(question["text"].split(" of ")[-1].split()[0])
    right = run(*one, "--answer", f"log({size})", cwd=tmp_path)
    assert right.returncode == 0
    assert json.loads(right.stdout)["right"] is True
    assert run(*one, "--answer", "0.1", cwd=tmp_path).returncode == 1
    assert run(*one, "--answer", "many", cwd=tmp_path).returncode == 2
    assert run("quiz", "--question", "first-los", cwd=tmp_path).returncode == 2
