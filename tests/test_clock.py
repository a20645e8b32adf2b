"""The clock and the journal: what counts as time, and that nothing that happens to a line, to the
wall clock or to the machine spoils what is known.
"""

import json
import multiprocessing
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bugforge.clock import Event, Moment, elapsed, spoken, standing
from bugforge.journal import Journal, now

NAMES = ("start", "run", "ran", "check", "pause", "resume", "reveal", "reset", "hint", "nonsense")
MOMENTS = st.builds(
    Moment,
    st.floats(0, 4e9),
    st.sampled_from([None, "one", "other"]),
    st.none() | st.floats(0, 1e8),
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "verdict": st.sampled_from(["passed", "failed", "could not tell", 7, None]),
        "bugs": st.lists(st.integers(1, 4)) | st.text(),
        "of": st.integers(0, 4) | st.none(),
    },
)
ANY_PACE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no fault."""
EVENTS = st.lists(st.builds(Event, st.sampled_from(NAMES), MOMENTS, FIELDS), max_size=20)
STEPS = st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 1000)), max_size=30)


def _at(steps: list[tuple[str, int]], **fields: object) -> list[Event]:
    """Let events follow each other in one boot, each some seconds behind the last."""
    awake, events = 100.0, []
    for name, seconds in steps:
        awake += seconds
        events.append(Event(name, Moment(1e9 + awake, "one", awake), fields))
    return events


@ANY_PACE
@given(MOMENTS, MOMENTS)
def test_time_never_runs_backwards(before: Moment, after: Moment) -> None:
    """Whatever the clocks say, no time that passes is below 0."""
    assert elapsed(before, after) >= 0


@ANY_PACE
@given(EVENTS, MOMENTS)
def test_what_happens_takes_no_time_away(events: list[Event], at: Moment) -> None:
    """More events never lower the time and the runs used in a round, and never bring a round back;
    what is worked out later is never less.
    """
    before = standing([])
    for count in range(1, len(events) + 1):
        after = standing(events[:count])
        assert after.round in (before.round, before.round + 1)
        if after.round == before.round:
            assert after.seconds >= before.seconds
            assert after.runs >= before.runs
            assert not before.ended or (after.state, after.runs) == (before.state, before.runs)
        before = after
    assert standing(events, at).seconds >= before.seconds


@ANY_PACE
@given(STEPS, st.lists(st.floats(-1e9, 1e9), min_size=30, max_size=30))
def test_no_change_of_the_wall_clock_counts(
    steps: list[tuple[str, int]], jumps: list[float]
) -> None:
    """Within one boot it makes no difference what the wall clock is set to."""
    events = _at(steps)
    moved = [
        replace(event, at=replace(event.at, wall=event.at.wall + jump))
        for event, jump in zip(events, jumps, strict=False)
    ]
    assert standing(moved).seconds == standing(events).seconds


@ANY_PACE
@given(STEPS)
def test_the_clock_runs_from_a_start_to_a_pause(steps: list[tuple[str, int]]) -> None:
    """The time used is the sum of the stretches that began running; a run lets the clock go on."""
    used, running, begun = 0, False, False
    for name, seconds in steps:
        used += seconds if running else 0
        if name == "run" or (name == "start" and not begun) or (name == "resume" and begun):
            running = begun = True
        elif name == "check" and begun:
            running = True
        elif name == "pause":
            running = False
    assert standing(_at(steps)).seconds == used


@ANY_PACE
@given(STEPS, st.sampled_from(["start", "pause", "resume"]))
def test_a_deed_done_twice_is_done_once(steps: list[tuple[str, int]], name: str) -> None:
    """A start, pause or resume at once behind another changes nothing but the list of events."""
    once = standing(_at([*steps, (name, 5)]))
    twice = standing(_at([*steps, (name, 5), (name, 0)]))
    assert replace(twice, marks=()) == replace(once, marks=())


def test_sleep_and_being_off_are_no_practice() -> None:
    """What the machine slept is not counted, nor what it was off; what it was on again is."""
    begun = Event("start", Moment(1000.0, "one", 50.0))
    assert standing([begun], Moment(9000.0, "one", 60.0)).seconds == 10
    assert standing([begun], Moment(9000.0, "other", 30.0)).seconds == 30
    assert standing([begun], Moment(1010.0, "other", 30.0)).seconds == 10
    assert standing([begun], Moment(500.0, "other", 30.0)).seconds == 0


def test_a_pass_and_a_whole_reveal_end_it() -> None:
    """The clock stops at a pass, and when the last bug was revealed; a reset then begins anew, and
    before that does not.
    """
    passed = [*_at([("start", 0)]), *_at([("check", 60)], verdict="passed"), *_at([("run", 99)])]
    assert (standing(passed).state, standing(passed).seconds) == ("passed", 60)
    one = [*_at([("start", 0)]), *_at([("reveal", 60)], bugs=[2], of=2)]
    assert standing(one).state == "running"
    both = [*one, *_at([("reveal", 70)], bugs=[1], of=2)]
    assert standing(both).state == "revealed"
    again = standing([*both, *_at([("reset", 80)])])
    assert (again.state, again.seconds, again.runs, again.round) == ("not started", 0, 0, 2)
    assert standing([*one, *_at([("reset", 80)])]).seconds == 80


def test_checks_spend_runs_of_what_was_begun() -> None:
    """A check before the start spends nothing, and one after it spends a run."""
    events = _at([("check", 1), ("check", 1), ("start", 1), ("run", 1), ("check", 1)])
    assert standing(events).runs == 2
    assert standing(events).runs_left(1) == -1
    assert standing(events).runs_left(0) is None
    assert standing(events).left(0) is None


@settings(ANY_PACE, max_examples=60)
@given(st.lists(st.text(max_size=20), max_size=6), st.integers(0, 2000), st.binary(max_size=40))
def test_a_torn_line_spoils_no_other(words: list[str], keep: int, noise: bytes) -> None:
    """Cut off anywhere, even with noise behind, a journal gives every event that is whole, and what
    is appended next is read.
    """
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder) / "journal.jsonl")
        for word in words:
            journal.append(lambda _, word=word: {"event": "noted", "word": word})
        whole = journal.path.read_bytes() if words else b""
        journal.path.write_bytes(whole[:keep] + noise.replace(b"\n", b""))
        lines = whole[:keep].count(b"\n")
        read = [event.fields["word"] for event in journal.events()]
        assert read[:lines] == words[:lines]
        assert len(read) <= lines + 1
        journal.append(lambda _: {"event": "noted", "word": "next"})
        assert [event.fields["word"] for event in journal.events()] == [*read, "next"]


def test_lines_that_are_no_events_are_passed_over(tmp_path: Path) -> None:
    """JSON of another kind, or with other types, is counted and does no harm."""
    journal = Journal(tmp_path / "journal.jsonl")
    lines = ["7", "[]", "{}", '{"event": 1, "time": "2026-01-01"}', '{"event": "run", "time": 3}']
    kept = '{"event": "run", "time": "2026-01-01T00:00:00+00:00", "awake": "x", "boot": 3}'
    journal.path.write_text("\n".join([*lines, kept]), encoding="utf-8")
    assert [event.name for event in journal.events()] == ["run"]
    assert journal.unreadable() == len(lines)
    assert standing(journal.events(), now()).runs == 1


def _append_many(path: Path, name: str) -> None:
    for _ in range(40):
        Journal(path).append(lambda events: {"event": name, "behind": len(events)})


def test_several_terminals_lose_nothing(tmp_path: Path) -> None:
    """Processes that append at once leave every event whole, each having seen all before it."""
    path = tmp_path / "journal.jsonl"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_append_many, args=(path, str(one))) for one in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert [event["behind"] for event in events] == list(range(120))


def test_times_are_written_as_on_a_stopwatch() -> None:
    """Minutes and seconds, and hours where there are some."""
    assert [spoken(seconds) for seconds in (0, 9.9, 249, 3849)] == [
        "0:00", "0:09", "4:09", "1:04:09",
    ]  # fmt: skip
