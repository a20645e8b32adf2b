"""Hints, told to people and as documents."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from bugforge.coaching import Coached, Known
from bugforge.display import show_experiment
from bugforge.ladder import RUNGS, Hint
from bugforge.prose import show_paragraph
from bugforge.report import experiment_document
from bugforge.standing import score_document, show_score


def show_coached(console: Console, coached: Coached) -> None:
    """Show a new hint and what the next one costs; or say why there is none."""
    if coached.hint is None:
        assert coached.known is not None
        show_paragraph(console, why_none(coached.known), begin="")
        return
    _show_hint(console, coached.hint)
    hint, words = coached.hint, []
    if hint.rung == len(RUNGS):
        words.append(f"`bugforge reveal --bug {hint.bug}` has the rest: what is wrong, and why.")
    if coached.next_cost is not None:
        is_same = coached.next_bug == hint.bug
        tells = RUNGS[hint.rung] if is_same else f"for bug {coached.next_bug}"
        words.append(f"The next one is {tells}, for {points(coached.next_cost)}.")
    show_paragraph(console, " ".join(words), begin="")
    show_score(console, coached.workspace.manifest, coached.stands)


def show_taken(console: Console, coached: Coached) -> None:
    """Show the hints that were taken, in the order in which they were, and what each costs."""
    for taken in coached.taken:
        _show_hint(console, taken)
    if not coached.taken:
        console.print("No hint was taken yet.")
    show_paragraph(console, priced(coached.costs), begin="")
    show_score(console, coached.workspace.manifest, coached.stands)


def _show_hint(console: Console, hint: Hint) -> None:
    console.print(
        f"[bold]Bug {hint.bug}, hint {hint.rung} of {len(RUNGS)}[/]: {hint.title} "
        f"({points(hint.cost)})",
        highlight=False,
    )
    for label, words in hint.words:
        show_paragraph(console, words, begin=f"  {label}: ")
    if hint.experiment:
        show_experiment(console, hint.experiment)


def why_none(known: Known) -> str:
    """Say why there is no hint to give, and what helps instead."""
    broken = f" It breaks this: {known.broken[0]}" if known.broken else ""
    if known.fault:
        return (
            f"It does not run through: {known.fault}. Mend that first; what lies behind it cannot "
            "be told. This hint is free."
        )
    if known.remaining:
        number = min(known.remaining)
        return (
            f"Every hint was taken for the bugs that are known to remain. `bugforge reveal --bug "
            f"{number}` explains bug {number}."
        )
    if known.untold:
        return (
            "Which bugs are left cannot be told: something else that was changed hides them."
            f"{broken} `bugforge diff` shows what you have changed. This hint is free."
        )
    if known.broken:
        return (
            f"Every planted bug is mended, and something else is wrong.{broken} `bugforge diff` "
            "shows what you have changed. This hint is free."
        )
    return "Every planted bug is mended, and every law holds. Train it: bugforge check"


def priced(costs: Sequence[float]) -> str:
    """Say what the hints of one bug cost, of the rungs in order, in points."""
    *earlier, last = (f"{cost:.3g}" for cost in costs)
    return f"The {len(costs)} hints of a bug cost {', '.join(earlier)} and {last} points."


def points(cost: float) -> str:
    """Write a cost in points."""
    return f"{cost:.3g} point{'' if cost == 1 else 's'}"


def hint_document(coached: Coached) -> dict[str, Any]:
    """Describe a new hint, or why there is none, and those taken before."""
    return {
        "command": "hint",
        "workspace": str(coached.workspace.root),
        "id": coached.workspace.manifest.id,
        "hint": coached.hint and _hint(coached.hint),
        "why_none": why_none(coached.known) if coached.known and not coached.hint else None,
        "next_bug": coached.next_bug,
        "next_cost": coached.next_cost and round(coached.next_cost, 2),
        "taken": [_hint(taken) for taken in coached.taken],
        "costs": [round(cost, 2) for cost in coached.costs],
        "score": score_document(coached.workspace.manifest, coached.stands),
    }


def _hint(hint: Hint) -> dict[str, Any]:
    return {
        "bug": hint.bug,
        "rung": hint.rung,
        "of": len(RUNGS),
        "tells": hint.title,
        "cost": round(hint.cost, 2),
        "words": [{"label": label, "text": words} for label, words in hint.words],
        "places": [
            {"file": place.name, "scope": place.scope or None}
            | ({"line": place.first} if hint.rung == len(RUNGS) else {})
            for place in hint.places
        ],
        "experiment": hint.experiment and experiment_document(hint.experiment),
    }
