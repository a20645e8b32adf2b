"""What a learner has practised: counted once, never lost, forgotten for good, and what is needed
most comes first.
"""

import base64
import csv
import io
import json
import multiprocessing
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from bugforge.answers import AnswerKey, State, unseal
from bugforge.bundle import bundled
from bugforge.catalogue import load
from bugforge.choosing import Request
from bugforge.clock import Event, Moment, standing
from bugforge.completion import remembered
from bugforge.curve import ASCII, draw_trend
from bugforge.errors import HistoryError, UsageError
from bugforge.forge import forge, preferring
from bugforge.history import FILE, FOLDER, MIGRATIONS, ROUND, History
from bugforge.keeping import chosen
from bugforge.mutants import placed
from bugforge.programs import GPT
from bugforge.recalling import show_history, show_stats
from bugforge.retraced import Found, digest
from bugforge.rounds import Met, Past, Round, round_of
from bugforge.spacing import due, rating, wanted
from bugforge.tallying import tallied
from bugforge.tracks import CLASSIC
from bugforge.workspace import Manifest

DAY = 86400.0
NOW = 1.8e9
ANY_PACE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
FEW = settings(ANY_PACE, max_examples=15)
CATALOGUE = load()
KINDS = [kind for kind in CATALOGUE.kinds.values() if CLASSIC.plants(kind)]
PLACED = {id_ for id_, _ in placed(GPT.reference(), KINDS)}
"""Those that find a place in the program that requests name by default."""


@st.composite
def mets(draw: st.DrawFn, number: int = 1) -> Met:
    """What became of a bug of the classic track."""
    kind = draw(st.sampled_from(KINDS))
    outcome = draw(st.sampled_from(["fixed", "revealed"]))
    return Met(
        number,
        kind.id,
        draw(st.sampled_from(kind.forms)).name,
        kind.bug_class,
        kind.stage,
        kind.difficulty,
        outcome,
        draw(st.none() | st.floats(0, 9000)) if outcome == "fixed" else None,
        draw(st.integers(0, 3)),
    )


@st.composite
def rounds(draw: st.DrawFn) -> Round:
    """A round that ended some time before now, or after it by a clock that was wrong."""
    bugs = tuple(draw(mets(number)) for number in range(1, draw(st.integers(0, 4)) + 1))
    seconds = draw(st.none() | st.floats(0, 9000))
    return Round(
        id=draw(st.text("0123456789abcdef", min_size=16, max_size=16)),
        workspace=draw(st.sampled_from(["a" * 16, "b" * 16])),
        folder=draw(st.sampled_from(["", "evening", "[red]a very long name of a folder"])),
        track="classic",
        program="gpt",
        made=0.0,
        started=None if seconds is None else 1.0,
        ended=NOW - DAY * draw(st.floats(-2, 400)),
        seconds=seconds,
        minutes=draw(st.sampled_from([0, 60])),
        runs=draw(st.integers(0, 9)),
        hints=sum(bug.hints for bug in bugs) + draw(st.integers(0, 1)),
        outcome=draw(st.sampled_from(["passed", "revealed"])),
        score=draw(st.none() | st.floats(0, 100)),
        bugs=bugs,
    )


PASTS = st.lists(rounds(), max_size=8).map(
    lambda some: Past(sorted(some, key=lambda round_: round_.ended), NOW)
)


def _history(folder: Path) -> History:
    return History(folder, pytest.fail)


@FEW
@given(
    st.lists(rounds(), min_size=1, max_size=4, unique_by=lambda round_: round_.id),
    st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=12),
)
def test_a_round_is_kept_once_until_it_is_forgotten(
    some: list[Round], deeds: list[tuple[bool, int]]
) -> None:
    """However rounds are noted and forgotten, each is there once, as it was noted last; and one
    that was forgotten never comes back.
    """
    kept: dict[str, Round] = {}
    gone: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        history = _history(Path(folder))
        for times, (notes, index) in enumerate(deeds):
            round_ = replace(some[index % len(some)], runs=times)
            if notes:
                history.note(round_)
                if round_.id not in gone:
                    kept[round_.id] = round_
                continue
            taken = history.forget(lambda each, id_=round_.id: each.id == id_)  # type: ignore[misc]
            assert taken == [kept.pop(round_.id)] if round_.id in kept else not taken
            gone |= {each.id for each in taken}
        expected = sorted(kept.values(), key=lambda round_: (round_.ended, round_.id))
        assert history.rounds() == expected


@FEW
@given(st.lists(rounds(), max_size=4, unique_by=lambda round_: round_.id))
def test_a_history_of_an_earlier_version_is_read(some: list[Round]) -> None:
    """Rounds that the first version kept are all there, but for what it did not know."""
    first, known = MIGRATIONS[0], [name for name in ROUND if name != "folder"]
    with tempfile.TemporaryDirectory() as folder:
        database = sqlite3.connect(Path(folder) / FILE)
        with closing(database), database:
            for statement in first:
                database.execute(statement)
            database.execute("PRAGMA user_version = 1")
            database.executemany(
                f"INSERT INTO rounds ({', '.join(known)}) "  # noqa: S608  # no input
                f"VALUES ({', '.join('?' * len(known))})",
                [[getattr(round_, name) for name in known] for round_ in some],
            )
        expected = [replace(round_, folder="", bugs=()) for round_ in some]
        history = _history(Path(folder))
        assert history.rounds() == sorted(expected, key=lambda each: (each.ended, each.id))
        for round_ in some:
            history.note(round_)
        assert history.rounds() == sorted(some, key=lambda each: (each.ended, each.id))


@FEW
@given(st.lists(rounds(), min_size=1, max_size=8, unique_by=lambda round_: round_.id))
def test_rounds_are_named_by_folder_or_id(some: list[Round]) -> None:
    """A workspace that is gone is meant by its folder's name, where no other had that, and by how
    its id begins; where several may be meant, it is said which.
    """
    for round_ in some:
        assert all(map(chosen([round_], round_.workspace[:8], None), [round_]))
        ids = {each.workspace for each in some if each.folder == round_.folder}
        if not round_.folder:
            continue
        if len(ids) == 1:
            meant = chosen(some, round_.folder, None)
            assert {each.workspace for each in some if meant(each)} == ids
        else:
            with pytest.raises(UsageError) as refused:
                chosen(some, round_.folder, None)
            assert all(id_[:8] in refused.value.mend for id_ in ids)


def _note_all(folder: Path, some: list[Round]) -> None:
    for round_ in some:
        History(folder, lambda _: None).note(round_)


def test_several_terminals_lose_nothing(tmp_path: Path) -> None:
    """What several processes keep at once, in a folder that none of them finds there, is all
    there; a round that two of them keep, once.
    """
    bug = Met(1, "mask-fill-zero", "zero", "mask", "attention", "medium", "fixed", 3.0, 0)
    some = [
        Round(
            f"{n}", "w", "evening", "classic", "gpt", 0, 1, n, 9, 60, 1, 0, "passed", None, (bug,)
        )
        for n in range(12)
    ]
    context = multiprocessing.get_context("spawn")
    shares = [some[:5], some[3:8], some[8:]]
    writers = [
        context.Process(target=_note_all, args=(tmp_path / "data", share)) for share in shares
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert sorted(int(round_.id) for round_ in _history(tmp_path / "data").rounds()) == list(
        range(12)
    )


@FEW
@given(st.lists(rounds(), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_a_damaged_history_is_never_lost(some: list[Round], rng: random.Random) -> None:
    """Whatever bytes of it change, or are cut off, a history is read, or set aside with every byte
    it had, or refused in words; and once it was set aside results are kept as ever.
    """
    with tempfile.TemporaryDirectory() as name:
        folder, told = Path(name), list[str]()
        for round_ in some:
            _history(folder).note(round_)
        data = bytearray((folder / FILE).read_bytes())
        for _ in range(rng.choice([1, 8, 400])):
            data[rng.randrange(len(data))] = rng.randrange(256)
        data = data[: rng.choice([len(data), len(data) // 2, 40, 5])]
        (folder / FILE).write_bytes(data)
        history = History(folder, told.append)
        with suppress(HistoryError):
            history.rounds()
        asides = list(folder.glob("history.damaged-*.db"))
        assert len(asides) == len(told)
        for aside in asides:
            assert aside.read_bytes() == bytes(data)
            history.note(some[0])
            assert history.rounds() == [some[0]]


def test_a_newer_history_is_left_alone(tmp_path: Path) -> None:
    """A history of a version that is not known is refused with the mend, and not a byte of it
    changes.
    """
    history = _history(tmp_path)
    history.forget(lambda _: True)
    with sqlite3.connect(tmp_path / FILE) as database:
        database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = (tmp_path / FILE).read_bytes()
    for deed in (history.rounds, lambda: history.forget(lambda _: True)):
        with pytest.raises(HistoryError, match="newer") as raised:
            deed()
        assert "Upgrade" in raised.value.mend
    assert (tmp_path / FILE).read_bytes() == before


@ANY_PACE
@given(PASTS)
def test_what_is_due_comes_first(past: Past) -> None:
    """Every kind is in the order once, with all its forms: first those that are due, then those
    never met, then the others; with no bug met there is no order.
    """
    order = wanted(past, KINDS)
    met = {bug.kind for round_ in past.rounds for bug in round_.bugs}
    assert bool(order) == bool(met)
    if met:
        ranks = [0 if id_ in due(past) else 2 if id_ in met else 1 for id_ in order]
        assert ranks == sorted(ranks)
        assert set(order) == {kind.id for kind in KINDS}
        for kind in KINDS:
            assert set(order[kind.id]) == {form.name for form in kind.forms}
    assert due(past) <= met
    assert wanted(past, KINDS[::-1]) == order


@ANY_PACE
@given(PASTS)
def test_no_kind_comes_twice_a_day(past: Past) -> None:
    """What was met within the last hours is not due, and what was met once is, some day."""
    late = [round_ for round_ in past.rounds if round_.ended > NOW - DAY / 3]
    assert not due(past) & {bug.kind for round_ in late for bug in round_.bugs}
    assert due(replace(past, now=NOW + 40000 * DAY)) == {
        bug.kind for round_ in past.rounds for bug in round_.bugs
    }


@ANY_PACE
@given(rounds(), mets())
def test_help_and_delay_are_no_merit(round_: Round, bug: Met) -> None:
    """A bug that was revealed is rated lowest; hints and more time never raise a rating."""
    round_ = replace(round_, bugs=(bug,), hints=bug.hints)
    here = rating(round_, bug)
    helped = replace(bug, hints=bug.hints + 1)
    assert rating(replace(round_, bugs=(helped,), hints=helped.hints), helped) <= here
    assert rating(replace(round_, seconds=(round_.seconds or 0.0) + 1800), bug) <= here or (
        round_.seconds is None
    )
    assert (here == 1) == (bug.outcome == "revealed")


@settings(FEW, max_examples=4)
@given(PASTS, st.integers(0, 99).map(str), st.integers(1, 6))
def test_bugs_chosen_by_need_stand_together(past: Past, seed: str, bugs: int) -> None:
    """As many as asked are chosen, never two of a class; the most needed kind of all is among them
    where it has a place; and what is chosen is forged by its names alone, again and again.
    """
    request = Request(seed=seed, bugs=bugs)
    order = wanted(past, KINDS)
    named = preferring(request, CLASSIC, CATALOGUE, order)
    assert preferring(request, CLASSIC, CATALOGUE, order) == named
    key = forge(named, CLASSIC, CATALOGUE, "0")
    assert sorted(f"{bug.kind}/{bug.form}" for bug in key.bugs) == sorted(named.kinds)
    assert len({bug.bug_class for bug in key.bugs}) == bugs
    first = next((id_ for id_ in order if id_ in PLACED), None)
    assert first in {None, *(bug.kind for bug in key.bugs)}


MANIFEST = Manifest(1, "0" * 16, "classic", "0", 60, 4, key_inside=True)


@pytest.fixture(scope="module")
def key() -> AnswerKey:
    """The key of a workspace with four bugs."""
    return forge(Request(seed="4"), CLASSIC, CATALOGUE, "0")


STATES = st.sampled_from(["fixed", "remaining", "could not tell", 7])
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["start", "run", "check", "pause", "resume", "reveal", "reset", "hint"]),
        st.integers(0, 900),
        st.fixed_dictionaries(
            {"of": st.just(4)},
            optional={
                "verdict": st.sampled_from(["failed", "could not tell", "passed"]),
                "bugs": st.lists(st.integers(1, 4))
                | st.dictionaries(st.sampled_from("1234"), STATES),
                "bug": st.integers(1, 4) | st.none(),
            },
        ),
    ),
    max_size=15,
)
Steps = list[tuple[str, int, dict[str, Any]]]


def _events(steps: Steps) -> list[Event]:
    awake, events = 100.0, []
    for name, seconds, told in steps:
        awake += seconds
        events.append(Event(name, Moment(1e9 + awake, "one", awake), told))
    return events


@ANY_PACE
@given(EVENTS, EVENTS)
def test_a_round_stays_as_it_ended(key: AnswerKey, steps: Steps, later: Steps) -> None:
    """Nothing that happens after its end changes what is kept of a round. Of its bugs each is
    fixed or revealed, a passing check leaves none that was neither, and the times of the fixed ones
    are no more than the round took.
    """
    events = [event for event in _events(steps) if event.name != "reset"]
    if not standing(events).ended:
        passing = {"verdict": "passed"}
        events.append(Event("check", Moment(1e9 + 1e6, "one", 1e6), passing))
    ended = round_of(MANIFEST, key, events, Found({}), 0.0)
    more = [event for event in _events(later) if event.name != "reset"]
    assert round_of(MANIFEST, key, [*events, *more], Found({}), 0.0) == ended
    assert [bug.number for bug in ended.bugs] == [1, 2, 3, 4]
    assert sum(bug.seconds or 0.0 for bug in ended.bugs) <= (ended.seconds or 0.0) + 0.5
    assert all(bug.seconds is None for bug in ended.bugs if bug.outcome == "revealed")
    known = [e for e in events if e.name == "reveal" and isinstance(e.fields.get("bugs"), list)]
    opened = {number for event in known for number in event.fields["bugs"]}
    if ended.outcome == "passed":
        assert {bug.number for bug in ended.bugs if bug.outcome == "revealed"} <= opened


def test_what_became_of_each_bug(key: AnswerKey) -> None:
    """Who has one bug revealed and fixes three has fixed three; the time between two checks is
    shared by those that fell.
    """
    events = _events(
        [
            ("start", 0, {}),
            ("check", 100, {"verdict": "failed", "bugs": {"1": "fixed", "2": "remaining"}}),
            ("hint", 0, {"bug": 3, "rung": 1}),
            ("reveal", 50, {"bugs": [2], "of": 4}),
            ("check", 50, {"verdict": "passed"}),
        ]
    )
    kept = round_of(MANIFEST, key, events, Found({}), 0.0)
    told = [(bug.outcome, bug.seconds, bug.hints) for bug in kept.bugs]
    assert told == [("fixed", 100, 0), ("revealed", None, 0), ("fixed", 25, 1), ("fixed", 25, 0)]
    assert (kept.outcome, kept.seconds, kept.runs, kept.hints) == ("passed", 200, 2, 1)
    assert kept.score == 100 - 25 - 2


def test_what_is_found_out_later_counts(key: AnswerKey) -> None:
    """Who mends one bug of four, is not told so and reveals all has fixed that one, once it was
    found out of the program that they ran; its reveal costs nothing then.
    """
    mended = {"model.py": b"mended"}
    kept_text = base64.b85encode(bundled(mended)).decode("ascii")
    events = _events(
        [
            ("run", 0, {"run": 1, "program": kept_text}),
            ("check", 60, {"verdict": "failed"}),
            ("reveal", 60, {"bugs": [1, 2, 3, 4], "of": 4}),
        ]
    )
    unknown = round_of(MANIFEST, key, events, Found({}), 0.0)
    assert (unknown.fixed, unknown.score) == (0, 0)
    states: dict[int, State] = {1: "remaining", 2: "fixed", 3: "remaining", 4: "could not tell"}
    found = Found({digest(mended): states})
    known = round_of(MANIFEST, key, events, found, 0.0)
    assert [bug.outcome for bug in known.bugs] == ["revealed", "fixed", "revealed", "revealed"]
    assert known.score == 25
    assert known.id == unknown.id


@ANY_PACE
@given(PASTS)
def test_stats_count_every_bug(past: Past) -> None:
    """The classes' counts add up to the bugs that were met, and to those that were fixed."""
    stats = tallied(past.rounds, 0)
    bugs = [bug for round_ in past.rounds for bug in round_.bugs]
    assert sum(len(tally.fixed) for tally in stats.tallies) == len(bugs)
    fixed = [bug for bug in bugs if bug.outcome == "fixed"]
    assert sum(sum(tally.fixed) for tally in stats.tallies) == len(fixed)
    assert {tally.bug_class for tally in stats.tallies} == {bug.bug_class for bug in bugs}


@ANY_PACE
@given(st.lists(st.floats(0, 1)), st.integers(1, 20))
def test_a_trend_is_one_short_line(values: list[float], width: int) -> None:
    """A trend is no wider than asked, has a mark for each value that has room, and is plain ASCII
    where it must be.
    """
    for ascii_only in (False, True):
        line = draw_trend(values, top=1.0, width=width, ascii_only=ascii_only)
        assert len(line) == min(width, len(values))
        assert not ascii_only or set(line) <= set(ASCII[1:])
    assert draw_trend(sorted(values), top=1.0) == "".join(sorted(draw_trend(sorted(values), top=1)))


@FEW
@given(PASTS)
def test_a_narrow_console_loses_nothing_of_a_table(past: Past) -> None:
    """A console of 40 columns is given what one of 80 is, and breaks it itself."""
    told = []
    for width in (40, 80):
        stream = io.StringIO()
        show_history(Console(file=stream, width=width), past.rounds, 0)
        told.append(stream.getvalue())
    assert told[0].split() == told[1].split()


@FEW
@given(PASTS)
def test_what_is_shown_fits_any_console(past: Past) -> None:
    """On 80 columns without UTF-8 no line is wider, all of it is ASCII, and every class and every
    round is named in full.
    """
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    stats = tallied(past.rounds, 3)
    show_stats(Console(file=stream, width=80), stats)
    show_history(Console(file=stream, width=80), past.rounds, 2)
    lines = raw.getvalue().decode("ascii").splitlines()
    assert all(len(line) <= 80 and line == line.rstrip() for line in lines)
    words = [line.split() for line in lines]
    assert {tally.bug_class for tally in stats.tallies} <= {each[0] for each in words if each}
    assert sum("classic" in each for each in words) == len(past.rounds)


def test_a_shell_completes_what_is_remembered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Behind `forget --workspace` stand the folders that rounds are kept of, but none that a shell
    would divide, and how the ids of all begin; each word names its rounds.
    """
    monkeypatch.setenv(FOLDER, str(tmp_path))
    assert remembered("") == []
    history = _history(tmp_path)
    for id_, folder in (("a" * 16, "evening"), ("b" * 16, "my evening"), ("c" * 16, "")):
        bare = Round(id_, id_, folder, "classic", "gpt", 0, 1, 9, 9, 60, 1, 0, "passed", None, ())
        history.note(bare)
    assert remembered("") == ["evening", "a" * 8, "b" * 8, "c" * 8]
    assert remembered("ev") == ["evening"]
    assert all(chosen(history.rounds(), word, None) for word in remembered(""))


def run(*arguments: str, cwd: Path, data: Path) -> "subprocess.CompletedProcess[str]":
    """Run the command with a history of its own."""
    ran = subprocess.run(
        [sys.executable, "-m", "bugforge", *arguments],
        cwd=cwd,
        env={**os.environ, FOLDER: str(data)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert "Traceback" not in ran.stdout + ran.stderr
    return ran


def told(*arguments: str, cwd: Path, data: Path) -> dict[str, Any]:
    """Run a command that succeeds, and give its document."""
    ran = run(*arguments, "--json", cwd=cwd, data=data)
    assert ran.returncode == 0, ran.stderr
    document: dict[str, Any] = json.loads(ran.stdout)
    return document


def test_the_way_of_a_history(tmp_path: Path) -> None:
    """Nothing is kept of a practice under way; once it ended it is there, in every form; what comes
    next is chosen by it; and forgotten it is gone.
    """
    cwd, data = tmp_path, tmp_path / "data"
    first = told("new", "one", "--weak", "--seed", "1", "--bugs", "3", cwd=cwd, data=data)
    assert not first["by_history"]
    assert (
        told("new", "plain", "--seed", "1", "--bugs", "3", cwd=cwd, data=data)["id"]
        == (first["id"])
    )
    (cwd / "one" / "model.py").write_text("", encoding="utf-8")
    run("start", "one", cwd=cwd, data=data)
    assert run("check", "one", cwd=cwd, data=data).returncode == 1
    assert told("history", cwd=cwd, data=data)["rounds"] == []
    bugs = told("reveal", "one", cwd=cwd, data=data)["bugs"]
    (kept,) = told("history", cwd=cwd, data=data)["rounds"]
    assert (kept["outcome"], kept["runs"], kept["workspace"]) == ("revealed", 1, first["id"])
    assert kept["folder"] == "one"
    assert {bug["kind"] for bug in kept["bugs"]} == {bug["kind"] for bug in bugs}
    assert told("export", cwd=cwd, data=data)["rounds"] == [kept]
    rows = list(csv.DictReader(io.StringIO(run("export", "--csv", cwd=cwd, data=data).stdout)))
    assert [row["bug_kind"] for row in rows] == [bug["kind"] for bug in kept["bugs"]]
    stats = told("stats", cwd=cwd, data=data)
    assert {each["class"] for each in stats["classes"]} == {bug["class"] for bug in bugs}

    next_ = ("--seed", "2", "--bugs", "4")
    made = told("new", "two", "--weak", *next_, cwd=cwd, data=data)
    assert made["by_history"]
    chosen = unseal((cwd / "two" / ".bugforge" / "key").read_text(), "key")
    asked = [word for kind in chosen.options["kinds"] for word in ("--kind", kind)]
    program = ("--program", chosen.reference)
    run("new", "again", *next_, *asked, *program, cwd=cwd, data=data)
    assert _files(cwd / "again") == _files(cwd / "two")
    secret = [word.encode() for kind in chosen.options["kinds"] for word in kind.split("/")[:1]]
    public = [*_files(cwd / "two").values(), json.dumps(made).encode()]
    assert not any(word in text for word in secret for text in public)

    refused = run("forget", "--all", cwd=cwd, data=data)
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert len(told("history", cwd=cwd, data=data)["rounds"]) == 1
    gone = told("forget", "--workspace", "one", "--yes", cwd=cwd, data=data)
    assert gone["rounds"] == [kept]
    run("reveal", "one", cwd=cwd, data=data)
    assert told("history", cwd=cwd, data=data)["rounds"] == []


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("fault", ["no database", "newer", "no folder"])
def test_a_broken_history_breaks_nothing(tmp_path: Path, fault: str) -> None:
    """Where results cannot be kept as they were, a check and a reveal say so in a line on standard
    error, and else are what they are.
    """
    data = tmp_path / "data"
    run("new", "one", "--seed", "1", "--bugs", "1", cwd=tmp_path, data=tmp_path / "else")
    (tmp_path / "one" / "model.py").write_text("", encoding="utf-8")
    if fault == "no folder":
        data.write_text("a file")
    else:
        data.mkdir()
        (data / FILE).write_bytes(b"no database" * 100 if fault == "no database" else b"")
    if fault == "newer":
        with sqlite3.connect(data / FILE) as database:
            database.execute("PRAGMA user_version = 99")
    revealed = run("reveal", "one", cwd=tmp_path, data=data)
    assert revealed.returncode == 0
    assert len(revealed.stderr.splitlines()) == 1
    if fault == "newer":
        checked = run("check", "one", cwd=tmp_path, data=data)
        sound = run("check", "one", cwd=tmp_path, data=tmp_path / "else")
        assert (checked.returncode, checked.stdout) == (sound.returncode, sound.stdout)
        assert "newer" in checked.stderr
    kept = run("history", "--json", cwd=tmp_path, data=data)
    assert kept.returncode == (0 if fault == "no database" else 2)
    if fault == "no database":
        assert len(json.loads(kept.stdout)["rounds"]) == 1
        assert (data / "history.damaged-1.db").read_bytes() == b"no database" * 100


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["forget"], "--all"),
        (["forget", "--all", "--before", "2026-01-01"], "--all"),
        (["forget", "--before", "yesterday"], "YYYY-MM-DD"),
        (["forget", "--workspace", "nowhere"], "no workspace"),
        (["export", "there.json"], "--force"),
        (["export", "no/such/folder.json"], "cannot be written"),
        (["new", "own", "--weak", "--from", "own.py"], "--weak"),
        (["new", "own", "--kind", "mask-fill-zero/nothing"], "form of mask-fill-zero"),
    ],
)
def test_what_cannot_be_done_is_told(tmp_path: Path, arguments: list[str], words: str) -> None:
    """Every wrong usage ends with 2, and with what to do instead; files that are there stay."""
    (tmp_path / "there.json").write_text("mine")
    (tmp_path / "own.py").write_text("")
    ran = run(*arguments, cwd=tmp_path, data=tmp_path / "data")
    assert ran.returncode == 2
    assert words in ran.stderr
    assert (tmp_path / "there.json").read_text() == "mine"
