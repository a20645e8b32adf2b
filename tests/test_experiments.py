"""Experiments: each tells the bugs that it is for from a right program, and is shown well."""

import json
import math
import os
import pty
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bugforge.catalogue import load
from bugforge.curve import draw_two
from bugforge.demonstrating import Planned, begin, demonstrate, ended, lesson, planned
from bugforge.experiments import Experiment, experiment_of, experiments
from bugforge.judgement import checks
from bugforge.mutation import DIFFICULTIES
from bugforge.sandbox import Sandbox
from bugforge.tracks import PROGRAMS
from bugforge.variant import vary
from tests.corpus import WHOLE
from tests.test_cli import run

MOST_LINES = 16
WIDEST = 76
"""Columns that are left of 80 where an experiment is shown, indented."""
SAMPLE = 16
CATALOGUE = load()
KINDS = CATALOGUE.kinds
DRAWN = sorted(KINDS if WHOLE else random.Random(7).sample(sorted(KINDS), SAMPLE))
FITTED = 8
SEEDS = range(4 if WHOLE else 1)


def test_every_kind_has_an_experiment() -> None:
    """Each kind is exposed by one, each experiment is some kind's, and none names what is not."""
    known = experiments()
    forms = {
        f"{kind.id}/{form.name}": (kind, form) for kind in KINDS.values() for form in kind.forms
    }
    used = {name: experiment_of(kind, known, form) for name, (kind, form) in forms.items()}
    assert not [id_ for id_, experiment in used.items() if experiment is None]
    assert {e.id for e in used.values() if e} == {e.id for e in known}
    laws = {check for program in PROGRAMS for check in _checks(program.instruments)}
    for experiment in known:
        assert {*experiment.kinds} <= {*KINDS, *forms}, experiment.id
        assert {*experiment.checks} <= laws, experiment.id


def _checks(instruments: tuple[str, ...]) -> set[str]:
    killers = {check for kind in KINDS.values() for check in kind.killed_by}
    return killers | {check.name for check in checks(instruments)}


@pytest.mark.parametrize("found", experiments(), ids=lambda one: one.id)
def test_an_experiment_is_short(found: Experiment) -> None:
    """A learner can type it: few lines, none longer than a screen, and a number printed at last;
    it says in a sentence what to see, and a number has a bound.
    """
    lines = found.code.splitlines()
    compile(found.code, found.id, "exec")
    assert len(lines) <= MOST_LINES
    assert max(map(len, lines)) <= WIDEST
    assert lines[-1].startswith("print(")
    assert found.see.endswith(".")
    assert (found.shows == "curve") == (found.at_most is found.at_least is None)
    assert (found.shows == "curve") == bool(found.unit)


def _plans() -> dict[str, Planned]:
    """Plan the experiments that show a number and use no inner names, each for one of its kinds."""
    known = experiments()
    plans = {}
    for kind in KINDS.values():
        for form in kind.forms:
            found = experiment_of(kind, known, form)
            if found and found.shows == "number" and not found.inner and found.id not in plans:
                plans[found.id] = planned(kind, form)
    return plans


@pytest.mark.parametrize("seed", SEEDS)
def test_an_experiment_fits_however_a_program_is_written(seed: int, box: Sandbox) -> None:
    """What uses no inner names shows of a right program that was made over what it shows of any."""
    rng = random.Random(seed)
    plans = sorted(_plans().items())
    for id_, plan in plans if WHOLE else rng.sample(plans, FITTED):
        program = plan.program
        ways = CATALOGUE.rewrites_of(program)
        variant = vary(program.reference(), ways, program.text(rng), rng)
        shown = ended(box, begin(box, plan, variant.files))
        assert plan.experiment.keeps(shown), (id_, variant.ways, shown)


@pytest.mark.parametrize("id_", DRAWN)
def test_an_experiment_tells_a_bug_from_none(id_: str, box: Sandbox) -> None:
    """Run on a program with the bug, in each of its forms that has a place, and on the right one,
    the experiment of a kind tells them apart.
    """
    kind = KINDS[id_]
    for form in kind.forms:
        shown = demonstrate(box, planned(kind, form))
        assert shown.tells, (form.name, shown.right, shown.wrong)


def test_a_demonstration_of_a_number(tmp_path: Path) -> None:
    """`demo` shows the code, both numbers and what they mean; the document has all of it."""
    ran = run("demo", "mask-fill-zero", "--json", cwd=tmp_path)
    document = json.loads(ran.stdout)
    assert ran.returncode == 0, ran.stderr
    assert document["tells"] is True
    assert document["right"]["number"] <= document["experiment"]["at_most"]
    assert document["wrong"]["number"] > document["experiment"]["at_most"]
    assert document["experiment"]["code"].splitlines()[-1].strip() in ran.stderr
    assert "with the bug" in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_rounding_leaves_is_said_to_be_nothing(tmp_path: Path) -> None:
    """Where a right program prints 0 but for rounding, that is said beside the number, and of none
    that tells a bug.
    """
    shown = run("demo", "attn-output-discarded", cwd=tmp_path).stdout
    assert re.search(r"^  right +(0|\S+ \(0 but for rounding\))$", shown, re.MULTILINE)
    assert re.search(r"^  with the bug +\S+$", shown, re.MULTILINE)
    (found,) = (one for one in experiments() if one.id == "later-token")
    assert found.at_most is not None
    said = [found.is_rounding(n) for n in (0.0, found.at_most, found.at_most * 1.01, math.nan)]
    assert said == [False, True, False, False]


def test_a_demonstration_of_a_curve(tmp_path: Path) -> None:
    """The curves of both programs stand in one plot, and as numbers in the document."""
    ran = run("demo", "lr-sign", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    plot = [line for line in ran.stdout.splitlines() if "┤" in line or "|" in line]
    assert any("o" in line for line in plot)
    assert any("x" in line for line in plot)
    document = json.loads(run("demo", "lr-sign", "--json", cwd=tmp_path).stdout)
    assert len(document["right"]["curve"]) == len(document["wrong"]["curve"]) > 0


def test_a_demonstration_of_a_crash(tmp_path: Path) -> None:
    """Where the bug ends the program, its error is shown, and no traceback."""
    ran = run("demo", "out-proj-wrong-shape", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "ends in RuntimeError" in ran.stdout


def test_a_demonstration_of_a_form(tmp_path: Path) -> None:
    """--form chooses how the bug is written; one that is not known is refused."""
    ran = run("demo", "mask-fill-tiny", "--form", "positive", "--json", cwd=tmp_path)
    assert json.loads(ran.stdout)["form"] == "positive"
    assert "positive" in run("demo", "mask-fill-tiny", "--form", "positiv", cwd=tmp_path).stderr


def test_a_demonstration_of_nothing(tmp_path: Path) -> None:
    """A kind or a stage that is not known is refused, with the nearest."""
    assert "mask-fill-zero" in run("demo", "mask-fil-zero", cwd=tmp_path).stderr
    ran = run("lesson", "atention", cwd=tmp_path)
    assert ran.returncode == 2
    assert "attention" in ran.stderr


def test_show_has_the_experiment(tmp_path: Path) -> None:
    """A kind's page has the experiment that exposes it, and says how to run it."""
    shown = run("show", "mask-fill-zero", cwd=tmp_path).stdout
    document = json.loads(run("show", "mask-fill-zero", "--json", cwd=tmp_path).stdout)
    assert all(line in shown for line in document["experiment"]["code"].splitlines())
    assert "bugforge demo mask-fill-zero" in shown


@pytest.mark.parametrize("stage", sorted({kind.stage for kind in KINDS.values()}))
def test_a_lesson_climbs(stage: str) -> None:
    """A lesson has five kinds of its stage, or as many as there are, the easiest first, and not
    all by one experiment where there are several.
    """
    chosen = lesson(stage, load())
    of_stage = [kind for kind in KINDS.values() if kind.stage == stage]
    assert len({kind.id for kind in chosen}) == min(5, len(of_stage))
    assert {kind.stage for kind in chosen} == {stage}
    hardness = [DIFFICULTIES.index(kind.difficulty) for kind in chosen]
    assert hardness == sorted(hardness)
    known = experiments()
    if len({experiment_of(kind, known) for kind in of_stage}) > 1:
        assert len({experiment_of(kind, known) for kind in chosen}) > 1


def test_a_lesson_in_a_pipe_waits_for_nobody(tmp_path: Path) -> None:
    """In a pipe all experiments are run, without a question."""
    ran = run("lesson", "eval", "--json", cwd=tmp_path)
    document = json.loads(ran.stdout)
    assert ran.returncode == 0, ran.stderr
    assert len(document["demonstrations"]) == 5
    assert all(shown["tells"] for shown in document["demonstrations"])
    assert "Enter" not in ran.stderr


def test_a_lesson_in_a_terminal_waits(tmp_path: Path) -> None:
    """In a terminal it asks before each result; Enter goes on, q ends it."""
    own, other = pty.openpty()
    started = subprocess.Popen(
        [sys.executable, "-m", "bugforge", "lesson", "eval"],
        cwd=tmp_path,
        stdin=other,
        stdout=other,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(other)
    os.write(own, b"\nq\n")
    seen = b""
    while True:
        try:
            chunk = os.read(own, 4096)
        except OSError:  # Linux's way to say that nobody writes any more
            break
        if not chunk:
            break
        seen += chunk
    os.close(own)
    assert started.wait(timeout=60) == 0
    assert seen.count(b"q ends") == 2
    assert seen.count(b"Why: ") == 1


def test_demo_imports_no_torch(tmp_path: Path) -> None:
    """The command that demonstrates leaves torch to other processes."""
    program = (
        "import sys, bugforge.cli as cli\n"
        "try:\n    cli.main()\nexcept SystemExit: pass\n"
        "assert 'torch' not in sys.modules\nprint('without torch')"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, "demo", "mask-missing"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.endswith("without torch\n")


CURVE = st.lists(st.floats(width=32) | st.just(float("nan")), max_size=200)


@given(CURVE, CURVE, st.integers(1, 60), st.booleans())
def test_a_plot_of_two_stays_in_its_frame(
    one: list[float],
    other: list[float],
    width: int,
    ascii_only: bool,  # noqa: FBT001  # hypothesis gives it by place
) -> None:
    """Whatever two curves are, finite or not, of one length or two, they are drawn within the
    width and without an error; in ASCII where that is asked.
    """
    lines = draw_two(one, other, width=width, ascii_only=ascii_only)
    assert max(map(len, lines)) <= max(width, 40) + 10
    if ascii_only:
        assert all(line.isascii() for line in lines)
