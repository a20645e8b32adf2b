"""A quiz in a terminal, or wherever lines come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_lowercase

from rich.console import Console

from bugforge.prose import many, show_paragraph
from bugforge.questions import Asked
from bugforge.quizzing import Marked


@dataclass(frozen=True)
class Asking:
    """Asks questions in a terminal, or wherever lines come from."""

    console: Console

    def show(self, asked: Asked, number: int, count: int) -> None:
        """Show a question, with its choices."""
        topic = asked.question.topic
        self.console.rule(f"[bold]{number} of {count}[/]: {topic}", align="left", characters="-")
        show_paragraph(self.console, asked.text, begin="")
        for letter, choice in zip(ascii_lowercase, asked.choices, strict=False):
            show_paragraph(self.console, choice, begin=f"  {letter}) ")

    def answer(self, asked: Asked) -> str | None:
        """Read an answer; None where there is no more to read."""
        unit = f" ({asked.question.unit})" if asked.question.unit else ""
        try:
            return self.console.input(f"[bold]answer{unit}, or nothing to see it:[/] ")
        except EOFError:
            self.console.print()
            return None

    def refuse(self, why: str) -> None:
        """Say that an answer is none that can be marked."""
        show_paragraph(self.console, why, begin="  ")

    def told(self, marked: Marked) -> None:
        """Say whether an answer is right, and show the worked one."""
        show_marked(self.console, marked)


def show_marked(console: Console, marked: Marked) -> None:
    """Say whether an answer is right, and show the worked one."""
    if marked.answer:
        console.print("[bold green]Right.[/]" if marked.right else "[bold red]No.[/]")
    show_paragraph(console, marked.asked.expected, begin="  answer: ")
    show_paragraph(console, marked.asked.solution, begin="  because: ")
    if marked.asked.question.track:
        track = f"bugforge new --track {marked.asked.question.track}"
        show_paragraph(console, track, begin="  to train it: ")


def show_score(console: Console, marked: Sequence[Marked]) -> None:
    """Say how many answers were right."""
    answered = [one for one in marked if one.answer]
    if answered:
        right = sum(one.right for one in answered)
        console.print(f"[bold]{right} of {many(len(answered), 'answer')} right.[/]")
