"""Experiments in a terminal: what they show of a right and of a wrong program, one by one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from bugforge.curve import draw_two
from bugforge.demonstrating import Demonstration, Planned
from bugforge.display import show_code
from bugforge.experiments import Experiment, Shown
from bugforge.prose import show_paragraph

WIDTH = 60
LEFT_COLUMNS = 12
END = ("q", "quit")


@dataclass(frozen=True)
class Lesson:
    """Shows experiments one by one; where pauses is set, it waits for Enter before each result."""

    console: Console
    pauses: bool

    def held(
        self, plans: Sequence[Planned], demonstrate: Callable[[Planned], Demonstration]
    ) -> Iterator[Demonstration]:
        """Show each experiment, run it, and show what came out, until the learner has enough."""
        for number, plan in enumerate(plans, start=1):
            show_plan(self.console, plan, f"{number} of {len(plans)}")
            if not self._goes_on():
                return
            shown = demonstrate(plan)
            show_demonstration(self.console, shown)
            self.console.print()
            yield shown

    def _goes_on(self) -> bool:
        if not self.pauses:
            return True
        try:
            answer = self.console.input("What will each print? Enter runs it, q ends: ")
        except EOFError:
            self.console.print()
            return False
        return answer.strip().lower() not in END


def show_plan(console: Console, plan: Planned, number: str = "") -> None:
    """Show a bug by its name, and the code of the experiment that exposes it."""
    kind = plan.mutant.kind
    place = f"{number}: " if number else ""
    console.rule(f"[bold]{place}{kind.id}[/]", align="left", characters="-")
    show_paragraph(console, f"{kind.page.title}. {kind.page.what}", begin="")
    console.print()
    show_code(console, plan.experiment)
    console.print()


def show_demonstration(console: Console, shown: Demonstration) -> None:
    """Show what an experiment measured in both programs, and what that means.

    What is to be seen comes behind the numbers: a learner may be guessing them.
    """
    experiment = shown.planned.experiment
    if shown.right.curve and shown.wrong.curve:
        console.print(
            f"[bold]{experiment.unit}[/]: o right, x with the bug, * both", highlight=False
        )
        width = max(10, min(WIDTH, console.width - LEFT_COLUMNS))
        plot = draw_two(
            shown.right.curve,
            shown.wrong.curve,
            width=width,
            ascii_only=console.options.ascii_only,
        )
        for line in plot:
            console.print(Text(f"  {line}"), no_wrap=True)
    for label, one in (("right", shown.right), ("with the bug", shown.wrong)):
        show_paragraph(console, _words(one, experiment), begin=f"  {label:12}  ")
    if not shown.tells:
        words = "This experiment does not tell the two apart here; its page has more."
        show_paragraph(console, words, begin="")
    show_paragraph(console, experiment.see, begin="See: ")
    show_paragraph(console, shown.planned.mutant.kind.page.why, begin="Why: ")


def _words(shown: Shown, experiment: Experiment) -> str:
    if shown.crash:
        return f"ends in {shown.crash}"
    if shown.number is not None:
        rounded = " (0 but for rounding)" if experiment.is_rounding(shown.number) else ""
        return f"{shown.number:.4g}{rounded}"
    if not shown.curve:
        return "nothing: no step was taken"
    return f"{shown.curve[0]:.4g} at first, {shown.curve[-1]:.4g} at last"
