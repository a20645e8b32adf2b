"""What became of a plugin's contract, for the terminal and as data."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.text import Text

from bugforge.prose import show_paragraph
from bugforge.testing import Held, Tested

WORDS = {"holds": "   holds: ", "broken": "  not so: ", "not looked at": " skipped: "}


def show_tested(console: Console, tested: Tested) -> None:
    """Show each clause of a plugin's contract and what became of it, with the mends."""
    console.rule(f"[bold]{tested.id}[/]", align="left", characters="-")
    console.print(Text(f"{tested.what}, from {tested.origin}"), style="dim")
    for held in tested.clauses:
        begin = WORDS[held.outcome]
        show_paragraph(console, held.law, begin=begin)
        indent = " " * len(begin)
        for fault in held.faults:
            show_paragraph(console, fault, begin=f"{indent}- ")
        if held.faults:
            show_paragraph(console, held.mend, begin=f"{indent}Mend: ")
        if held.why:
            show_paragraph(console, f"{held.why}.", begin=f"{indent}Why: ")
    word = "[bold green]Kept.[/]" if tested.kept else "[bold red]Not kept.[/]"
    console.print(f"{word} {_counted(tested)}", highlight=False)


def tested_document(tested: Iterable[Tested]) -> dict[str, Any]:
    """Describe plugins that were tested."""
    plugins = list(tested)
    return {
        "command": "dev test",
        "kept": all(plugin.kept for plugin in plugins),
        "plugins": [
            {
                "id": plugin.id,
                "what": plugin.what,
                "origin": plugin.origin,
                "kept": plugin.kept,
                "clauses": [_clause(held) for held in plugin.clauses],
            }
            for plugin in plugins
        ],
    }


def _clause(held: Held) -> dict[str, Any]:
    return {
        "law": held.law,
        "outcome": held.outcome,
        "faults": list(held.faults),
        "mend": held.mend if held.faults else None,
        "why": held.why or None,
    }


def _counted(tested: Tested) -> str:
    outcomes = [held.outcome for held in tested.clauses]
    others = (o for o in ("broken", "not looked at") if o in outcomes)
    rest = "".join(f", {outcomes.count(outcome)} {outcome}" for outcome in others)
    return f"{outcomes.count('holds')} of {len(outcomes)} clauses hold{rest}."
