"""What a look at a program under watch found, told to people."""

from collections.abc import Sequence
from datetime import datetime

from rich.console import Console
from rich.text import Text

from bugforge.display import headline, show_crash, show_told, show_verdict
from bugforge.glance import Glimpse
from bugforge.guidance import priced
from bugforge.own_verdict import OwnVerdict
from bugforge.prose import many, show_paragraph
from bugforge.watching import KEYS
from bugforge.workspace import Workspace


def show_glimpse(console: Console, glimpse: Glimpse, *, feedback: str) -> None:
    """Say how many laws are broken, and what else feedback tells, under the time of day.

    Of a first look only the count is said: the whole one follows at once.
    """
    verdict = glimpse.verdict
    now = datetime.now().astimezone().strftime("%H:%M:%S")
    console.print(f"[dim]{now}[/] ", end="", highlight=False)
    if glimpse.unusable:
        console.print(Text(f"{verdict.crash}. Waiting for the next save."), soft_wrap=True)
    elif not glimpse.whole:
        broken = many(len(verdict.broken), "law")
        console.print(f"{broken} broken so far, of {len(verdict.readings)} ...", highlight=False)
    elif isinstance(verdict, OwnVerdict):
        show_verdict(console, verdict, feedback)
    else:
        if verdict.limit:
            console.print(f"[bold red]Stopped:[/] it used more {verdict.limit.limit} than it may.")
        elif verdict.crash:
            show_crash(console, verdict.crash)
        if verdict.lawful:
            laws = many(len(verdict.readings), "law")
            console.print(
                f"[bold green]{laws} hold, and none is broken.[/] Press c to train and check it."
            )
        else:
            console.print(headline(verdict), highlight=False)
        show_told(console, verdict, feedback)


def show_keys(console: Console, workspace: Workspace, costs: Sequence[float]) -> None:
    """Say what is watched, which keys there are, and what they spend. costs: of the hints of one
    bug, in points; empty where there are none to give.
    """
    console.print(Text(f"Watching {workspace.root}"), soft_wrap=True)
    keys = ", ".join(f"{key} {deed}" for key, deed in KEYS.items())
    spent = "A save spends no run; a run and a check do."
    words = [f"{keys}.", spent, *([priced(costs)] if costs else [])]
    show_paragraph(console, " ".join(words), begin="Keys: ")
