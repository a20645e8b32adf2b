"""The commands that help along: hints, and watching a workspace."""

from functools import partial
from typing import Annotated

import typer

from bugforge.command_line import (
    AsJson,
    KeyDir,
    TimeLimit,
    WorkspaceArgument,
    console_of,
    handled,
    print_json,
)

app = typer.Typer()


@app.command()
@handled
def hint(
    workspace: WorkspaceArgument = None,
    only_list: Annotated[
        bool, typer.Option("--list", help="Show the hints taken so far, and take none.")
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
