"""A pipeline of training: it goes from new to reveal, and its bugs are told."""

import json
import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bugforge import contract
from bugforge.bench import Bench
from bugforge.catalogue import load
from bugforge.choosing import Request
from bugforge.forge import forge
from bugforge.linter import Linter
from bugforge.probe import draw
from bugforge.programs import PIPELINE
from bugforge.properties.pipeline_metrics import measures
from bugforge.recorder import Recorder
from bugforge.rewrite import Restructuring
from bugforge.rows_learned import LEAST, learned
from bugforge.rows_of_writes import answer, valid
from bugforge.sandbox import Sandbox
from bugforge.tracks import PIPELINE_CLASSES, TRAINING_PIPELINE
from bugforge.variant import vary, written
from tests.corpus import Fixture
from tests.test_cli import run

CATALOGUE = load()
REWRITES = CATALOGUE.rewrites_of(PIPELINE)
TOLD = "from train import *; print(train(TrainConfig(), 1)[2][-1]['f1'])"
"""Prints the F1 of rows that a training holds out."""

OWN = [rewrite for rewrite in REWRITES if rewrite.__module__.endswith(".pipeline")]


def test_metrics_are_those_of_small_numbers() -> None:
    """Metrics that are worked out agree with what a hand counts: scores in the right order have a
    ROC-AUC of 1 however low they are, and a class that is never found an F1 of 0.
    """
    logits = np.array([[2.0, 1.0, 0.0]] * 6 + [[1.0, 2.0, 0.0]] * 3)
    labels = np.array([0] * 6 + [1] * 2 + [2])
    told = measures(logits, labels)
    assert told["accuracy"] == pytest.approx(8 / 9)
    assert told["f1"] == pytest.approx((1 + 0.8 + 0) / 3)
    ordered = np.log(np.array([[0.4, 0.35, 0.25], [0.2, 0.45, 0.35], [0.3, 0.3, 0.4]]))
    assert measures(ordered, np.array([0, 1, 2]))["auc"] == 1.0


def test_rows_that_are_drawn_are_as_stated() -> None:
    """The rows of a probe are valid, no two alike, and their labels are the answers."""
    inputs = draw(random.Random(0), PIPELINE).inputs
    for part in ("", "unseen "):
        rows = [
            tokens[:length].tolist()
            for tokens, length in zip(
                inputs[f"{part}tokens"], inputs[f"{part}lengths"], strict=True
            )
        ]
        assert all(map(valid, rows))
        assert len(set(map(tuple, rows))) == len(rows)
        assert [answer(row) for row in rows] == inputs[f"{part}labels"].tolist()


def test_a_leak_in_all_rows_is_found_by_rows_of_the_check(box: Sandbox) -> None:
    """A program whose rows tell their labels is as good as can be on rows of its own that it holds
    out, and is no good on rows drawn elsewhere.
    """
    fixture = Fixture(
        "leak", "pipeline", "", (("data.py", "ASK + asked", "ASK + label.reshape(1)"),)
    )
    quick = ("train.py", "epochs: int = 7", "epochs: int = 2")
    files = replace(fixture, changes=(*fixture.changes, quick)).applied(PIPELINE.reference())
    recorder = Recorder(box, box.room(), draw(random.Random(1), PIPELINE))
    recorder.pristine(PIPELINE.reference())
    folder = recorder.write("attempt", files)
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import train as t; print(t.train(t.TrainConfig(), 1)[2][-1]['f1'])",
        ],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(told.stdout) > 0.85
    folder.rename(recorder.room / "attempt")
    reading = learned(recorder, random.Random(1))
    assert reading.kept is False
    assert reading.value is not None
    assert reading.value < 0.6 < LEAST


@pytest.mark.parametrize("rewrite", OWN, ids=lambda rewrite: rewrite.id)
def test_its_own_rewrites_keep_their_contract(rewrite: type) -> None:
    """Each way of a pipeline's own finds a place in it, and reads as tidy; names and words leave
    every bug its place.
    """
    pristine = PIPELINE.reference()
    kinds = [k for k in CATALOGUE.kinds.values() if k.bug_class in PIPELINE_CLASSES]
    wanted = contract.sites_by_form(pristine, kinds)
    programs = {}
    for choice in rewrite.choices():
        way = f"{rewrite.id}/{choice}"
        programs[way] = written(pristine, (rewrite,), "", (way,))
        assert not contract.place_found(way, programs[way], pristine)
        if not issubclass(rewrite, Restructuring):
            found = contract.sites_by_form(programs[way], kinds)
            assert not contract.sites_stay(way, found, wanted)
    if issubclass(rewrite, Restructuring):
        assert not [fault for way in rewrite.ways for fault in contract.example_rewritten(way)]
    linter = Linter.found()
    assert linter
    assert not contract.tidy(linter, programs)


def test_however_it_is_written_it_keeps_every_law(box: Sandbox) -> None:
    """Programs as they are forged, and one of each tree's ways, keep every law."""
    pristine = PIPELINE.reference()
    programs = {
        f"drawn {seed}": vary(pristine, REWRITES, "", random.Random(seed)).files
        for seed in range(3)
    }
    trees = [rewrite for rewrite in REWRITES if issubclass(rewrite, Restructuring)]
    for rewrite in trees:
        way = f"{rewrite.id}/{random.Random(rewrite.id).choice(rewrite.choices())}"
        files = written(pristine, (rewrite,), "", (way,))
        if files != pristine:
            programs[way.replace("/", " ")] = files
    assert len(programs) > 10
    bench = Bench.set_up(box, PIPELINE, pristine, random.Random(3))
    for name, behaviour in bench.judged(programs):
        kept = {reading.check: reading.kept for reading in behaviour.readings.values()}
        assert all(kept.values()), (name, kept)


def test_bugs_of_a_pipeline_stand_together(box: Sandbox) -> None:
    """A workspace has bugs of different classes, one of which may end the program; all are refused
    together, and each of them alone.
    """
    key = forge(Request(seed="7", bugs=6, program="pipeline"), TRAINING_PIPELINE, CATALOGUE, "0")
    assert len({bug.bug_class for bug in key.bugs}) == 6
    bench = Bench.set_up(box, PIPELINE, key.pristine, random.Random(0))
    assert not bench.let_through(key)


def test_from_six_bugs_to_none(tmp_path: Path) -> None:
    """By default there are six bugs, and tests beside them; the program fails, and with what
    reveal writes it passes, a whole training among that.
    """
    made = json.loads(run("new", "w", "--track", "pipeline", "--json", cwd=tmp_path).stdout)
    assert made["bugs"] == 6
    assert (tmp_path / "w" / "tests" / "test_pipeline.py").is_file()
    failed = run("check", "w", "--feedback", "symptom", "--json", cwd=tmp_path)
    assert failed.returncode == 1
    assert run("reveal", "w", "--apply", cwd=tmp_path).returncode == 0
    passed = run("check", "w", cwd=tmp_path)
    assert passed.returncode == 0, passed.stdout
    assert "sentence" not in passed.stdout
