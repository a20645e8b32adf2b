"""When a learner should meet a kind of bug again: FSRS, with a card for each kind.

Cards are worked out from the rounds each time, so none is kept that could disagree with them.
"""

import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from fsrs import Card, Rating, Scheduler

from bugforge.mutation import Mutation
from bugforge.rounds import Met, Past, Round

FAST = 0.5
"""The share of the time allowed within which a round is fast."""
EARLY = timedelta(hours=12)
"""How much earlier a kind is due than its hour: who practises in the evening does not wait for
tomorrow's for being earlier than today.
"""

Kind = type[Mutation]


def wanted(past: Past, kinds: Iterable[Kind]) -> dict[str, tuple[str, ...]]:
    """Put kinds, by id and with names of their forms, into the order in which they are needed.

    First those that are due, the most forgotten first; then those never met, one of each class in
    turn and classes never met before others; then those that are not due yet. Of a kind's forms
    come first those last revealed, then those never met. The same past gives the same order;
    nothing at all where it holds no bug.
    """
    known = cards(past)
    if not known:
        return {}
    rng = random.Random(f"{len(past.rounds)} {past.rounds[-1].id}")
    drawn = sorted(kinds, key=lambda kind: kind.id)
    rng.shuffle(drawn)
    scheduler, now = _scheduler(), _time(past.now)
    met = {bug.bug_class for round_ in past.rounds for bug in round_.bugs}
    turns: dict[str, int] = {}

    def place(kind: Kind) -> tuple[float, ...]:
        card = known.get(kind.id)
        if card is None:
            turns[kind.bug_class] = turns.get(kind.bug_class, 0) + 1
            return 1, kind.bug_class in met, turns[kind.bug_class]
        due = card.due.timestamp()
        if _is_due(card, now):
            return 0, scheduler.get_card_retrievability(card, now), due
        return 2, due

    return {kind.id: _forms(kind, past.rounds, rng) for kind in sorted(drawn, key=place)}


def due(past: Past) -> set[str]:
    """Name the kinds that are due, by id."""
    now = _time(past.now)
    return {id_ for id_, card in cards(past).items() if _is_due(card, now)}


def cards(past: Past) -> dict[str, Card]:
    """Give the card of each kind that was met, by its id. A round from the future ended now."""
    scheduler = _scheduler()
    known: dict[str, Card] = {}
    for round_ in past.rounds:
        at = _time(min(round_.ended, past.now))
        for bug in round_.bugs:
            card = known.get(bug.kind) or Card(card_id=0, due=at)
            known[bug.kind], _ = scheduler.review_card(card, rating(round_, bug), at)
    return known


def rating(round_: Round, bug: Met) -> Rating:
    """Rate how well a bug was dealt with."""
    if bug.outcome == "revealed":
        return Rating.Again
    allowed = round_.minutes * 60
    used = round_.seconds if allowed else None
    is_over = used is not None and used > allowed
    of_no_bug = round_.hints - sum(each.hints for each in round_.bugs)
    if bug.hints or of_no_bug > 0 or is_over:
        return Rating.Hard
    is_fast = used is not None and used <= allowed * FAST
    return Rating.Easy if is_fast and not round_.hints else Rating.Good


def _scheduler() -> Scheduler:
    """Set the scheduler to whole days: no second meeting within the hour, and no chance."""
    return Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)


def _is_due(card: Card, now: datetime) -> bool:
    return card.due - EARLY <= now


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _forms(kind: Kind, rounds: Sequence[Round], rng: random.Random) -> tuple[str, ...]:
    last = {bug.form: bug.outcome for r in rounds for bug in r.bugs if bug.kind == kind.id}
    ranks = {"revealed": 0, None: 1, "fixed": 2}
    names = [form.name for form in kind.forms]
    rng.shuffle(names)
    return tuple(sorted(names, key=lambda name: ranks[last.get(name)]))
