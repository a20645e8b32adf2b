"""The commands of a learner's history: what it comes to, exported, and forgotten."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bugforge import completion
from bugforge.command_line import (
    AsJson,
    console_of,
    handled,
    json_text,
    mention,
    print_json,
)
from bugforge.errors import UsageError

if TYPE_CHECKING:
    from bugforge.history import History
    from bugforge.rounds import Past

app = typer.Typer()


def past() -> "Past":
    """Read what the learner has practised until now."""
    from bugforge.rounds import Past  # noqa: PLC0415

    return Past(_history().rounds(), time.time())


def _history() -> "History":
    from bugforge.history import History  # noqa: PLC0415
    from bugforge.userdata import data_folder  # noqa: PLC0415

    return History(data_folder(), lambda words: mention([words]))


@app.command()
@handled
def stats(as_json: AsJson = False) -> None:
    """Show how you stand with each class of bugs: success, time, and their trends."""
    from bugforge import recalling, spacing, tallying  # noqa: PLC0415

    known = past()
    found = tallying.tallied(known.rounds, len(spacing.due(known)))
    if as_json:
        print_json(recalling.stats_document(found))
    else:
        recalling.show_stats(console_of(), found)


@app.command()
@handled
def history(
    limit: Annotated[int, typer.Option(min=0, help="How many rounds; 0: all.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the rounds that you have practised, newest first."""
    from bugforge import recalling  # noqa: PLC0415

    newest = _history().rounds()[::-1]
    shown = newest[:limit] if limit else newest
    if as_json:
        print_json(recalling.rounds_document("history", shown))
    else:
        recalling.show_history(console_of(), shown, len(newest) - len(shown))


@app.command()
@handled
def export(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="Where to.", show_default="standard output"),
    ] = None,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="As a table with a row a bug, and not as JSON.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the file that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write your whole history, as JSON or as CSV."""
    from bugforge import keeping, recalling  # noqa: PLC0415

    if as_csv and as_json and file is None:
        raise UsageError("--csv and --json name two documents.", "Leave one of them out.")
    rounds = _history().rounds()
    document = recalling.rounds_document("export", rounds)
    text = recalling.csv_text(rounds) if as_csv else json_text(document)
    if file is None:
        typer.echo(text, nl=False)
        return
    keeping.write_export(file, text, force=force)
    if as_json:
        print_json({"command": "export", "file": str(file.resolve()), "rounds": len(rounds)})
    else:
        typer.echo(f"Wrote {file}.")


@app.command()
@handled
def forget(
    everything: Annotated[bool, typer.Option("--all", help="All that is kept.")] = False,
    workspace: Annotated[
        str | None,
        typer.Option(
            metavar="WORKSPACE",
            help="Of this one: its folder, the name of that, or how its id begins.",
            show_default=False,
            autocompletion=completion.remembered,
        ),
    ] = None,
    before: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Before this day, as YYYY-MM-DD.", show_default=False),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take rounds out of your history, for good."""
    from bugforge import keeping, recalling  # noqa: PLC0415

    if everything == bool(workspace or before):
        raise UsageError(
            "What is to be forgotten?", "Say --all, or else --workspace, --before, or both."
        )
    kept = _history()
    rounds = kept.rounds()
    chosen = keeping.chosen(rounds, workspace, before)
    meant = [round_ for round_ in rounds if chosen(round_)]
    if meant and not yes:
        if not sys.stdin.isatty():
            raise UsageError("There is nobody here to ask.", "Say --yes if you are sure.")
        meant = meant if typer.confirm(recalling.question(meant), err=True) else []
    ids = {round_.id for round_ in meant}
    gone = kept.forget(lambda round_: round_.id in ids) if meant else []
    if everything:
        mention(f"Damaged once, and still there: {path}" for path in kept.asides())
    if as_json:
        print_json(recalling.rounds_document("forget", gone))
    else:
        recalling.show_forgotten(console_of(), gone)
