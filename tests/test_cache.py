"""Decoding with a cache: it goes from new to reveal, and its bugs are told."""

import json
import random
from itertools import zip_longest
from pathlib import Path

import pytest

from bugforge.bench import Bench
from bugforge.catalogue import load
from bugforge.choosing import Request
from bugforge.forge import forge, is_genuine
from bugforge.probe import draw
from bugforge.program import Program
from bugforge.recorder import Recorder
from bugforge.sandbox import Sandbox
from bugforge.snapshot import digest
from bugforge.tally import held, tried
from bugforge.tracks import CACHE_CLASSES, CACHED, GARBAGE, SHIFT_MASK_TYPO, TRACKS
from bugforge.trials import trials_of
from bugforge.variant import written
from bugforge.workspace import open_workspace
from tests.test_cli import run

CATALOGUE = load()


@pytest.mark.parametrize("program", CACHED.programs, ids=lambda program: program.name)
def test_every_way_to_write_it_keeps_all_laws(program: Program, box: Sandbox) -> None:
    """However a program with caches is written, it keeps all laws beside the plain one."""
    rng = random.Random(0)
    rewrites, text = CATALOGUE.rewrites_of(program), program.text(rng)
    reference = program.reference()
    rows = zip_longest(*([f"{r.id}/{c}" for c in r.choices()] for r in rewrites))
    programs = {
        f"ways {number}": written(reference, rewrites, text, [way for way in row if way])
        for number, row in enumerate(rows)
    }
    bench = Bench.set_up(box, program, written(reference, (), text, ()), rng)
    for name, behaviour in bench.judged(programs):
        assert not behaviour.broken, name


@pytest.mark.parametrize("seed", range(4))
def test_bugs_of_caches_stand_together(seed: int, box: Sandbox) -> None:
    """A workspace of buggy caches has as many as were asked for; all are refused together, and each
    of them alone.
    """
    program = CACHED.programs[seed % 2].name
    key = forge(Request(seed=str(seed), bugs=3, program=program), CACHED, CATALOGUE, "0")
    assert {bug.stage for bug in key.bugs} == {"cache"}
    assert is_genuine(key, CATALOGUE)
    bench = Bench.set_up(box, CACHED.program(program), key.pristine, random.Random(seed))
    assert not bench.let_through(key)


def test_from_nothing_to_a_solution(tmp_path: Path) -> None:
    """What is not written yet fails; the solution is written over it, puts the learner's own words
    aside, and passes.
    """
    made = run("new", "w", "--track", "kv-cache", "--seed", "1", cwd=tmp_path)
    assert "extend the program" in made.stdout
    folder = tmp_path / "w"
    assert "caches" in (folder / "PROBLEM.md").read_text(encoding="utf-8")
    with (folder / "model.py").open("a", encoding="utf-8") as model:
        model.write("# mine\n")
    failed = run("check", "w", "--json", cwd=tmp_path)
    assert failed.returncode == 1
    assert "caches" in json.loads(failed.stdout)["crash"]["message"]
    shown = json.loads(run("reveal", "w", "--json", cwd=tmp_path).stdout)
    assert "+" in shown["solution"]
    assert not shown["bugs"]
    applied = json.loads(run("reveal", "w", "--apply", "--json", cwd=tmp_path).stdout)
    assert applied["applied"]["put_aside"] == ["model.py.yours"]
    assert "tests/test_cache.py" in applied["applied"]["written"]
    assert (folder / "model.py.yours").read_text(encoding="utf-8").endswith("# mine\n")
    assert run("check", "w", cwd=tmp_path).returncode == 0


def test_going_on_from_a_program_that_passed(tmp_path: Path, box: Sandbox) -> None:
    """What passed is gone on with, as the learner left it, and it is told where that is no more
    what passed; what has not passed is not. The solution is the workspace's own program, and right.
    """
    run("new", "w", "--seed", "5", cwd=tmp_path)
    refused = run("extend", "kv-cache", "w", cwd=tmp_path)
    assert refused.returncode == 2
    assert "has not passed" in refused.stderr
    workspace = open_workspace(tmp_path / "w")
    workspace.note({"event": "check", "verdict": "passed", "digest": digest(workspace.root)})
    same = run("extend", "kv-cache", "w", "--to", "same", cwd=tmp_path)
    assert (same.returncode, same.stderr) == (0, "")
    own = "# all right now\n" + (workspace.root / "train.py").read_text(encoding="utf-8")
    (workspace.root / "train.py").write_text(own, encoding="utf-8")
    (workspace.root / "helper.py").write_text("HELP = 1\n", encoding="utf-8")
    made = run("extend", "kv-cache", "w", cwd=tmp_path)
    assert made.returncode == 0
    assert "bugforge check w-kv-cache\n" in made.stdout
    assert "has changed since it passed" in made.stderr
    inside = run("extend", "kv-cache", "--force", cwd=workspace.root)
    assert "bugforge check ../w-kv-cache\n" in inside.stdout
    further = open_workspace(tmp_path / "w-kv-cache")
    assert (further.root / "train.py").read_text(encoding="utf-8") == own
    assert (further.root / "helper.py").is_file()
    key = further.answer_key(None)
    assert is_genuine(key, CATALOGUE)
    program = CACHED.program(key.reference)
    bench = Bench.set_up(box, program, program.reference(), random.Random(0))
    given = {name: key.given[name] for name in key.pristine}
    seen = dict(bench.judged({"solution": key.pristine, "given": given}))
    assert not seen["solution"].broken
    assert seen["given"].broken


def test_a_track_with_slots_fills_them(tmp_path: Path) -> None:
    """The track of four categories always has one bug of each, and the cache lies there."""
    for seed in range(8):
        request = Request(seed=str(seed), bugs=4)
        key = forge(request, SHIFT_MASK_TYPO, CATALOGUE, "0")
        kinds = [CATALOGUE.kinds[bug.kind] for bug in key.bugs]
        for slot in SHIFT_MASK_TYPO.slots:
            assert [kind for kind in kinds if slot.takes(kind)], slot.name
    few = run("new", "w", "--track", "shift-mask-typo", "--bugs", "3", cwd=tmp_path)
    assert few.returncode == 2
    assert run("new", "w", "--track", "shift-mask-typo", cwd=tmp_path).returncode == 0
    assert (tmp_path / "w" / "cache.py").is_file()


def test_tracks_are_listed(tmp_path: Path) -> None:
    """Every track is named, with what it trains."""
    shown = run("tracks", cwd=tmp_path).stdout
    told = json.loads(run("tracks", "--json", cwd=tmp_path).stdout)["tracks"]
    assert [track["name"] for track in told] == [track.name for track in TRACKS]
    assert all(track["name"] in shown for track in told)


def test_a_kind_goes_with_its_track(tmp_path: Path) -> None:
    """A kind of another track is refused, and that track is named."""
    for track, kind, home in (
        ("classic", "cache-cat-dim", "kv-cache"),
        ("kv-cache", "mask-fill-zero", "classic"),
    ):
        refused = run("new", "w", "--track", track, "--kind", kind, cwd=tmp_path)
        assert refused.returncode == 2
        assert f"--track {home}" in refused.stderr
        assert not (tmp_path / "w").exists()
    forged = run("new", "w", "--track", "kv-cache", "--marked", "--json", cwd=tmp_path)
    assert json.loads(forged.stdout)["bugs"] == 4  # who says which bugs wants some


def test_what_must_not_stop_does_not(tmp_path: Path) -> None:
    """The track of nonsense has no bug that ends in an error, and always one of decoding."""
    for seed in range(12):
        request = Request(seed=str(seed), program=GARBAGE.programs[0].name)
        key = forge(request, GARBAGE, CATALOGUE, "0")
        kinds = [CATALOGUE.kinds[bug.kind] for bug in key.bugs]
        assert not [kind for kind in kinds if kind.crashes()]
        assert "decode" in [kind.visibility for kind in kinds]
    run("new", "w", "--track", "garbage", cwd=tmp_path)
    assert "n_embd: int = 192" in (tmp_path / "w" / "model.py").read_text(encoding="utf-8")


WEAK = """
import torch
from cache import KVCache
from model import GPT, GPTConfig

def test_one_token():
    model = GPT(GPTConfig(vocab_size=5, block_size=8, n_layer=2, n_head=2, n_embd=8)).eval()
    idx = torch.tensor([[1]])
    logits, _ = model(idx, caches=[KVCache(), KVCache()])
    torch.testing.assert_close(logits, model(idx)[0])
"""
NARROW = (
    WEAK
    + """
    assert model.blocks
"""
)


@pytest.mark.parametrize(
    ("tests", "holds", "tells"), [(WEAK, True, False), (NARROW, False, None), ("", False, None)]
)
def test_tests_are_tried(tests: str, *, holds: bool, tells: bool | None, box: Sandbox) -> None:
    """Tests that see little let wrong caches through, and are told which; those that know a name
    that need not stay raise false alarms; and none at all are no tests.
    """
    program = CACHED.programs[0]
    key = forge(Request(seed="2", bugs=0), CACHED, CATALOGUE, "0")
    trials = trials_of(key, CATALOGUE)
    assert trials
    assert {wrong.kind.bug_class for wrong in trials.wrong} == set(CACHE_CLASSES)
    recorder = Recorder(box, box.room(), draw(random.Random(0), program))
    (recorder.room / "attempt" / "tests").mkdir(parents=True)
    (recorder.room / "attempt" / trials.tests).write_text(tests, encoding="utf-8")
    hold, tell = held(trials, tried(recorder, trials, random.Random(0)))
    assert hold.kept is holds
    assert tell.kept is tells
    if tests == WEAK:
        assert "cache-life" in tell.sentence
