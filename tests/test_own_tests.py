"""The track of tests: good ones pass, weak ones and false alarms don't, whatever they look at."""

import json
import math
import random
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from bugforge.answers import AnswerKey
from bugforge.catalogue import load
from bugforge.choosing import Request
from bugforge.files import write_files
from bugforge.forge import forge, is_genuine
from bugforge.probe import draw
from bugforge.program import CONFTEST
from bugforge.programs import ENOUGH
from bugforge.questions import all_questions
from bugforge.recorder import Ending, Recorder
from bugforge.sandbox import Limits, Sandbox, opened
from bugforge.tally import UNSHOWN, Tally, held, tried
from bugforge.tracks import TESTS
from bugforge.trials import Trials, trials_of
from bugforge.verify import Question, verify
from tests.corpus import WHOLE
from tests.corpus.own_tests import GOOD, OTHERS, WRITTEN
from tests.test_cli import run

CATALOGUE = load()
PARTS = [program.name for program in TESTS.programs]
SAMPLE = 5
"""Wrong programs that the corpus is tried on, beside those that weak tests miss, if not on all."""

SIDE_BY_SIDE = """
from pathlib import Path

tests, failed = set(), set()


def pytest_configure(config):
    config.option.maxfail = 0
    config.option.continue_on_collection_errors = True


def pytest_collection_modifyitems(items):
    tests.update(item.path.stem for item in items)


def pytest_exception_interact(node):
    failed.add(node.path.stem)


def pytest_sessionfinish():
    Path("passed").write_text(" ".join(sorted(tests - failed)))
"""
"""Lets many files of tests run in one go, and tells which of them would have passed alone."""


@cache
def key_of(part: str, seed: str = "0") -> AnswerKey:
    """Forge a workspace's key."""
    return forge(Request(seed=seed, bugs=0, program=part), TESTS, CATALOGUE, "0")


@cache
def trials_for(part: str, seed: str = "0") -> Trials:
    """Make the programs of a workspace."""
    trials = trials_of(key_of(part, seed), CATALOGUE)
    assert trials
    return trials


def _lone(trials: Trials) -> Trials:
    """Leave nothing to try tests on but one right program."""
    return replace(trials, right=trials.right[:1], unshown=(), wrong=())


def begun(box: Sandbox, part: str, files: Mapping[str, str]) -> Recorder:
    """Set an attempt up that holds these files."""
    recorder = Recorder(box, box.room(), draw(random.Random(0), TESTS.program(part)))
    write_files(recorder.room / "attempt", files)
    return recorder


def tally_of(box: Sandbox, trials: Trials, part: str, text: str) -> Tally:
    """Try one file of tests as a check does."""
    return tried(begun(box, part, {trials.tests: text}), trials, random.Random(0))


@pytest.fixture(scope="module", params=PARTS)
def judged(request: pytest.FixtureRequest, box: Sandbox) -> dict[str, Tally]:
    """All of a part's corpus, side by side on each program; of wrong ones on a seeded few."""
    part = request.param
    own = [written for written in WRITTEN if written.part == part]
    trials = trials_for(part)
    misses = {written.misses for written in own}
    few = random.Random(0).sample(trials.wrong, SAMPLE)
    wrong = [w for w in trials.wrong if WHOLE or w in few or w.kind.id in misses]
    files = {f"tests/test_{written.name}.py": written.text for written in own}
    recorder = begun(box, part, {**files, CONFTEST: SIDE_BY_SIDE})
    programs = [*((files, None) for files in trials.all_right), *((w.files, w) for w in wrong)]
    for number, (program, _) in enumerate(programs):
        recorder.test(f"{number}", program, "tests")
    tallies = {w.name: Tally(len(trials.all_right), len(wrong), 0) for w in own}
    for number, (_, bug) in enumerate(programs):
        recorder.tested(f"{number}")
        folder = recorder.room / "programs" / f"to test {number}"
        passed = (folder / "passed").read_text(encoding="utf-8").split()
        for name, tally in tallies.items():
            found = f"test_{name}" in passed
            if bug is None:
                alarms = () if found else (Ending(passed=False),)
                tallies[name] = replace(tally, alarms=tally.alarms + alarms)
            elif found:
                tallies[name] = replace(tally, missed=(*tally.missed, bug))
            else:
                tallies[name] = replace(tally, caught=(*tally.caught, bug))
    return tallies


def test_the_corpus_is_large() -> None:
    """There are fifteen good files of tests and more, and twenty-five others."""
    assert len(GOOD) >= 15
    assert len(OTHERS) >= 25
    assert {written.part for written in GOOD} == {written.part for written in OTHERS} == set(PARTS)


def test_tests_are_judged_as_they_deserve(judged: dict[str, Tally]) -> None:
    """Good tests raise no alarm and catch enough; weak ones miss what they are said to; others
    raise an alarm. On all programs, weak ones do not reach what is asked.
    """
    for written in (w for w in WRITTEN if w.name in judged):
        tally = judged[written.name]
        missed = [f"{wrong.kind.id} {wrong.form.name}" for wrong in tally.missed]
        told = (written.name, len(tally.alarms), tally.score, missed)
        least = math.ceil(ENOUGH * tally.wrong)
        if written.worth == "alarm":
            assert tally.alarms, told
            continue
        assert not tally.alarms, told
        if written.worth == "good":
            assert len(tally.caught) >= (least if WHOLE else least - 1), told
        else:
            assert written.misses in {wrong.kind.id for wrong in tally.missed}, told
            assert len(tally.caught) < least or not WHOLE, told


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("seed", ["1", "2"] if not WHOLE else [str(n) for n in range(1, 9)])
def test_the_solution_catches_all(part: str, seed: str, box: Sandbox) -> None:
    """The key's tests catch every wrong program, however it is written, with no alarm."""
    trials = trials_for(part, seed)
    (text,) = key_of(part, seed).tests.values()
    few = trials if WHOLE else replace(trials, wrong=trials.wrong[int(seed) :: 4])
    tally = tally_of(box, few, part, text)
    assert not tally.alarms
    assert not [f"{wrong.kind.id} {wrong.form.name}" for wrong in tally.missed]
    assert tally.score == 100


@pytest.mark.parametrize("part", PARTS)
def test_programs_to_try(part: str) -> None:
    """Wrong programs are written in as many ways as right ones: each is a right one but for a few
    lines; no two are the same, and none is right. They are the same each time.
    """
    trials = trials_for(part)
    right = [dict(files) for files in trials.all_right]
    assert len({str(files) for files in right}) == len(right)
    near = set()
    for wrong in trials.wrong:
        assert wrong.files not in right
        apart = [_apart(wrong.files, files) for files in right]
        assert min(apart) <= 14
        near.add(apart.index(min(apart)))
    assert len(near) > len(right) // 2
    assert trials_of(key_of(part), CATALOGUE) == trials
    assert is_genuine(key_of(part), CATALOGUE)


def _apart(one: Mapping[str, str], other: Mapping[str, str]) -> int:
    """Count the lines that stand in one of two programs alone."""
    return sum(len(set(one[name].split("\n")) ^ set(other[name].split("\n"))) for name in one)


HANGS = """
import time

import torch
from model import CausalSelfAttention, GPTConfig


def test_all():
    torch.manual_seed(0)
    attention = CausalSelfAttention(GPTConfig(5, 4, 1, 1, 4))
    x = torch.randn(1, 2, 4)
    if not torch.allclose(attention(x)[:, :1], attention(x[:, :1]), atol=1e-4):
        time.sleep(60)
"""


def test_what_hangs_has_failed() -> None:
    """Tests that go over their limit on a wrong program catch it; on a right one, that is an alarm,
    and it is told.
    """
    trials = trials_for("attention")
    leaks = [w for w in trials.wrong if w.kind.id == "mask-missing"][:1]
    with opened(Limits(seconds=90)) as box:
        hanging = replace(trials, right=trials.right[:1], unshown=(), wrong=tuple(leaks))
        tally = tally_of(box, hanging, "attention", HANGS)
        assert (len(tally.alarms), len(tally.caught)) == (0, 1)
        always = HANGS.replace("if not", "if")
        tally = tally_of(box, replace(hanging, wrong=()), "attention", always)
        assert "time" in tally.alarms[0].error


KNOWN = """
import hashlib
import types

from model import CausalSelfAttention


def words(code):
    inner = [words(c) for c in code.co_consts if isinstance(c, types.CodeType)]
    return [code.co_code.hex(), *map(str, inner)]


def test_code():
    told = hashlib.sha256(str(words(CausalSelfAttention.forward.__code__)).encode()).hexdigest()
    assert told in {known}, told
"""


def test_alarms_do_not_tell_right_programs_from_wrong_ones(box: Sandbox) -> None:
    """Tests that tell the code of each right program that they fail on, and then pass on all that
    they have told of, still raise an alarm: of some right programs nothing is told.
    """
    right = replace(trials_for("attention"), wrong=())
    told = tally_of(box, right, "attention", KNOWN.format(known="()"))
    assert len(told.alarms) == told.right
    codes = re.findall("[0-9a-f]{64}", " ".join(alarm.error for alarm in told.alarms))
    assert len(codes) == len(right.right)
    knowing = tally_of(box, right, "attention", KNOWN.format(known=codes))
    assert 0 < len(knowing.alarms) <= told.right - len(codes)
    assert {(alarm.failed, alarm.error) for alarm in knowing.alarms} == {("", UNSHOWN)}


ENDINGS = {
    "import os\n\n\ndef test_all():\n    os._exit(0)\n": "",
    "import nowhere\n": "nowhere",
    "def test_all(:\n": "SyntaxError",
    "def helper():\n    pass\n": "no tests",
    "import sys\n\n\ndef test_all():\n    sys.exit(0)\n": "SystemExit",
    "def test_all():\n    assert '\\x1b[31m' == 3\n": "AssertionError",
}


def test_other_ends_are_alarms(box: Sandbox) -> None:
    """Tests that end the process, cannot be collected or are none raise an alarm, whose words can
    be shown; wrong programs are then not tried.
    """
    trials = trials_for("decoding")
    some = _lone(trials)
    for text, words in ENDINGS.items():
        tally = tally_of(box, some, "decoding", text)
        (alarm,) = tally.alarms
        assert words in alarm.error
        assert alarm.error.isprintable()
        assert [reading.kept for reading in held(trials, tally)] == [False, None]


SET_UP = {
    "caching": "addopts = --ff --strict-markers\ncache_dir = kept\n",
    "strict": "addopts = --strict-config -ra -v\nfilterwarnings = error\ncache_dir = kept\n",
    "importing": "addopts = --import-mode=importlib\npythonpath = .\ntestpaths = tests\n",
}
BESIDE = """
import torch
from helping import SIZES
from model import CausalSelfAttention, GPTConfig


def test_all(cache, tmp_path, capsys):
    cache.set("tried/all", 1)
    (tmp_path / "told").write_text("much")
    print("x" * 1_000_000)
    attention, x = CausalSelfAttention(GPTConfig(*SIZES)), torch.randn(2, 3, 4)
    assert attention(x).shape == x.shape
    assert capsys.readouterr().out
"""


@pytest.mark.parametrize("name", SET_UP)
def test_pytest_is_as_it_is_elsewhere(name: str, box: Sandbox) -> None:
    """Options and fixtures that work where tests are written work where they are judged."""
    trials = trials_for("attention")
    some = _lone(trials)
    files = {
        trials.tests: BESIDE,
        "tests/conftest.py": "import sys\nsys.path.append('tests')\n",
        "tests/helping.py": "SIZES = (5, 4, 1, 2, 4)\n",
        "pytest.ini": f"[pytest]\n{SET_UP[name]}",
    }
    tally = tried(begun(box, "attention", files), some, random.Random(0))
    assert not tally.alarms


def test_tests_stay_in_one_process(box: Sandbox) -> None:
    """Who has their tests run in several processes by pytest-xdist raises no alarm by that."""
    pytest.importorskip("xdist")
    trials = trials_for("attention")
    some = _lone(trials)
    text = "import os\nimport model\n\n\ndef test_all():\n    assert model.GPT\n"
    files = {trials.tests: text, "pytest.ini": "[pytest]\naddopts = -n 2\n"}
    assert not tried(begun(box, "attention", files), some, random.Random(0)).alarms


REFUSED = {
    "pytest.ini": ("[pytest]\naddopts = --nothing-known\n", "--nothing-known"),
    "conftest.py": ("import nowhere\n", "nowhere"),
    "tests/conftest.py": ("def fixture(:\n", "SyntaxError"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_pytest_cannot_begin_with_is_told(name: str, box: Sandbox) -> None:
    """Where pytest does not come to any test, the alarm says why."""
    trials = trials_for("attention")
    some = _lone(trials)
    text, words = REFUSED[name]
    files = {trials.tests: "def test_all():\n    pass\n", name: text}
    (alarm,) = tried(begun(box, "attention", files), some, random.Random(0)).alarms
    assert words in alarm.error


DRAWS = """
import random

import numpy as np
import torch


def test_all():
    assert 0, [random.random(), np.random.rand(), torch.rand(1).item()]
"""
LOOKS = """
import gc
import sys

from model import CausalSelfAttention

HEAD = CausalSelfAttention.__name__ + "(nn.Module)"


def is_text(found):
    return isinstance(found, str | bytes) and "class " + HEAD in str(found)


def test_all():
    frame = sys._getframe()
    while frame:
        assert not any(map(is_text, frame.f_locals.values()))
        frame = frame.f_back
    for found in gc.get_objects():
        assert not isinstance(found, list | tuple) or not any(map(is_text, found))
"""


def test_the_same_tests_draw_the_same(box: Sandbox) -> None:
    """What tests draw without a seed is the same in each check."""
    trials = trials_for("decoding")
    some = _lone(trials)
    with opened(Limits()) as other:
        told = [tally_of(each, some, "decoding", DRAWS).alarms[0].error for each in (box, other)]
    assert "[0." in told[0]
    assert told[0] == told[1]


def test_nothing_of_a_run_is_left_for_others(box: Sandbox) -> None:
    """The text of a program stands in no variable that tests can reach, and what a run wrote is
    gone behind it.
    """
    trials = trials_for("attention")
    recorder = begun(box, "attention", {trials.tests: LOOKS})
    tally = tried(recorder, _lone(trials), random.Random(0))
    assert not tally.alarms
    assert not list((recorder.room / "programs").iterdir())


def test_a_file_that_cannot_run_is_told(box: Sandbox, tmp_path: Path) -> None:
    """Where the file of tests is missing, or is no Python, that is told and nothing is tried."""
    key, trials = key_of("decoding"), trials_for("decoding")
    question = Question(random.Random(0), trials=trials)
    for text, words in ((None, "missing"), ("def test(:\n", "invalid syntax")):
        if text:
            write_files(tmp_path, {trials.tests: text})
        verdict = verify(box, tmp_path, key, question)
        assert not verdict.passed
        assert verdict.crash
        assert words in verdict.crash.message
        assert [reading.kept for reading in verdict.readings] == [None, None]
        assert verdict.tally is None


@pytest.mark.parametrize("part", PARTS)
def test_from_nothing_to_a_solution(part: str, tmp_path: Path) -> None:
    """What is not written yet fails, with no score; the solution passes, whatever is made of the
    program that lies there.
    """
    made = run("new", "w", "--track", "tests", "--program", part, "--seed", "3", cwd=tmp_path)
    assert "test the program" in made.stdout
    problem = (tmp_path / "w" / "PROBLEM.md").read_text(encoding="utf-8")
    assert f"with {ENOUGH:.0%}".removesuffix("%") in problem
    failed = run("check", "w", cwd=tmp_path)
    assert failed.returncode == 1
    assert "not written yet" in failed.stdout
    assert "Score 0" in failed.stdout
    if part != PARTS[-1]:
        return
    assert run("reveal", "w", "--apply", cwd=tmp_path).returncode == 0
    (tmp_path / "w" / "model.py").write_text("nothing any more\n", encoding="utf-8")
    passed = run("check", "w", "--json", cwd=tmp_path)
    assert passed.returncode == 0
    told = json.loads(passed.stdout)["tests"]
    assert (told["score"], told["missed"], told["false_alarms"]) == (100, 0, [])
    assert "survivors" not in told


def test_feedback_tells_of_survivors(tmp_path: Path) -> None:
    """A verdict tells classes and counts; stages and kinds of survivors come with more feedback."""
    run("new", "w", "--track", "tests", "--program", "decoding", "--seed", "4", cwd=tmp_path)
    weak = next(w for w in WRITTEN if w.name == "decoding_greedy")
    (tmp_path / "w" / "tests" / "test_decoding.py").write_text(weak.text, encoding="utf-8")
    told = run("check", "w", "--feedback", "full", "--json", cwd=tmp_path)
    assert told.returncode == 1
    found = json.loads(told.stdout)["tests"]
    assert found["caught"] + found["missed"] == found["wrong_programs"]
    assert {"gen-temperature-mul"} <= {survivor["kind"] for survivor in found["survivors"]}
    assert "gen-temperature-mul" in told.stderr
    plain = run("check", "w", cwd=tmp_path)
    assert "missed" in plain.stdout
    assert "gen-" not in plain.stdout


def test_no_bugs_are_planted(tmp_path: Path) -> None:
    """Who asks for bugs in a program that is to be tested is told that there are none."""
    for options in (["--bugs", "2"], ["--kind", "mask-fill-zero"], ["--marked"]):
        refused = run("new", "w", "--track", "tests", *options, cwd=tmp_path)
        assert refused.returncode == 2
        assert "no bugs to plant" in refused.stderr
        assert not (tmp_path / "w").exists()


def test_questions_lead_there() -> None:
    """Some questions name this track as what trains them."""
    assert [question for question in all_questions() if question.track == TESTS.name]
