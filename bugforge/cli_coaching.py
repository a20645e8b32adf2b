"""The commands that help along: hints, and watching a workspace."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from bugforge.command_line import (
    AsJson,
    Feedback,
    KeyDir,
    TimeLimit,
    WorkspaceArgument,
    complain,
    console_of,
    echo_run,
    handled,
    print_json,
)
from bugforge.errors import BugforgeError

if TYPE_CHECKING:
    from bugforge.overseeing import Overseer
    from bugforge.terminal import Terminal

app = typer.Typer()


@app.command()
@handled
def hint(
    workspace: WorkspaceArgument = None,
    only_list: Annotated[
        bool,
        typer.Option("--list", help="Show the hints taken, and what each costs; take none."),
    ] = False,
    as_json: AsJson = False,
    key_dir: KeyDir = None,
    time_limit: TimeLimit = 120.0,
) -> None:
    """Give the next hint: the symptom to look at, the law to test, the function, then the line.

    It goes on with the bug whose hint was the last, as long as that remains; else with the one
    that shows first: a crash, then a flat loss, one that stalls, a leak, a wrong sample, and what
    cannot be seen. A bug is worth 100 points divided by the number of bugs, and its four hints cost
    8, 16, 24 and 32 % of that. No hint tells what is right.
    """
    from bugforge import coaching, display, guidance  # noqa: PLC0415
    from bugforge.sandbox import Limits, opened  # noqa: PLC0415

    console = console_of(stderr=as_json)
    if only_list:
        coached = coaching.taken(workspace, key_dir)
        guidance.show_taken(console, coached)
    else:
        lend = partial(opened, Limits(seconds=time_limit))
        with display.progress(console_of(stderr=True)) as progress:
            coached = coaching.coach(workspace, key_dir, lend, progress)
        guidance.show_coached(console, coached)
    if as_json:
        print_json(guidance.hint_document(coached))


@app.command()
@handled
def watch(
    workspace: WorkspaceArgument = None,
    feedback: Feedback = "verdict",
    key_dir: KeyDir = None,
    time_limit: TimeLimit = 120.0,
) -> None:
    """Say at each save how many laws are broken, from a process that has torch loaded.

    Nothing is trained on the sentence, and no run is spent. Keys: h for a hint, r to run, c to
    check, s for the status, q to quit. A run and a check count as ever. It works over SSH and on
    network file systems, where saves are found by looking for them.
    """
    from bugforge import glimpsing, overseeing, terminal, watching  # noqa: PLC0415
    from bugforge.catalogue import refuse_unknown  # noqa: PLC0415
    from bugforge.report import FEEDBACKS, tells  # noqa: PLC0415
    from bugforge.sandbox import Limits  # noqa: PLC0415
    from bugforge.snapshot import digest  # noqa: PLC0415
    from bugforge.workspace import find  # noqa: PLC0415

    refuse_unknown("feedback", feedback, FEEDBACKS)
    found = find(workspace)
    console = console_of()
    with (
        terminal.opened(found.root) as keys,
        overseeing.overseeing(
            overseeing.Watched(found, key_dir, tells(feedback, "full"), Limits(seconds=time_limit)),
            lambda words: console.print(f"{words} ...", highlight=False),
            partial(glimpsing.show_glimpse, console, feedback=feedback),
        ) as overseer,
    ):
        deeds = _deeds(overseer, feedback)
        deeds["keys"]()
        overseer.ready()
        watching.watch(
            keys,
            digest(found.root),
            overseer.look,
            {name: partial(_shielded, keys, overseer, deed) for name, deed in deeds.items()},
        )


def _deeds(overseer: "Overseer", feedback: str) -> dict[str, Callable[[], None]]:
    """What keys do, by name, each as the command of that name does it."""
    from bugforge import (  # noqa: PLC0415
        checking,
        coaching,
        display,
        glimpsing,
        guidance,
        resetting,
        running,
        standing,
    )

    console, found, key_dir = console_of(), overseer.watched.workspace, overseer.watched.key_dir

    def hinted() -> None:
        with display.progress(console) as progress:
            coached = coaching.coach(found.root, key_dir, overseer.lend, progress)
        guidance.show_coached(console, coached)

    def ran() -> None:
        with standing.countdown(console) as wait:
            ran = running.run(found.root, None, echo_run(), wait)
        standing.show_ran(console, ran)

    def checked() -> None:
        with display.progress(console) as progress:
            checked = checking.check(found.root, feedback, key_dir, overseer.lend, progress)
        standing.show_checked(console, checked, feedback)

    def told() -> None:
        standing.show_status(console, found, resetting.known_changes(found))

    return {
        "hint": hinted,
        "run": ran,
        "check": checked,
        "status": told,
        "keys": lambda: glimpsing.show_keys(console, found, coaching.costs(overseer.key)),
    }


def _shielded(keys: "Terminal", overseer: "Overseer", deed: Callable[[], None]) -> None:
    """Do what a key asks, with the terminal as usual; what goes wrong there ends no watch."""
    with keys.as_usual():
        try:
            deed()
        except BugforgeError as error:
            complain(error.what, error.mend)
        except KeyboardInterrupt:
            overseer.stop()
            complain("Stopped.", "Still watching; q quits.")
