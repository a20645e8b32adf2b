"""The commands of a practice: its clock, its runs, and what was changed."""

from typing import Annotated

import typer

from bugforge.command_line import (
    INTERRUPTED,
    AsJson,
    Html,
    KeyDir,
    TimeLimit,
    WorkspaceArgument,
    console_of,
    echo_run,
    handled,
    mention,
    print_json,
)

app = typer.Typer()


@app.command()
@handled
def start(workspace: WorkspaceArgument = None, as_json: AsJson = False) -> None:
    """Start the clock of a workspace; the first run does so, too."""
    from bugforge import practising, standing  # noqa: PLC0415

    clocked = practising.start(workspace)
    standing.show_clocked(console_of(stderr=as_json), clocked)
    if as_json:
        print_json(standing.clocked_document("start", clocked))


@app.command()
@handled
def run(
    workspace: WorkspaceArgument = None,
    script: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Which file of the workspace to run.", show_default="train.py"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the program as you would, count the run, and say what is left."""
    from bugforge import running, standing  # noqa: PLC0415

    with standing.countdown(console_of(stderr=True)) as wait:
        ran = running.run(workspace, script, echo_run(as_json=as_json), wait)
    standing.show_ran(console_of(stderr=as_json), ran)
    if as_json:
        print_json(standing.run_document(ran))
    raise typer.Exit(INTERRUPTED if ran.interrupted else int(ran.exit_code != 0))


@app.command()
@handled
def status(workspace: WorkspaceArgument = None, as_json: AsJson = False) -> None:
    """Say how the practice stands: time, runs, checks, and what is changed."""
    from bugforge import resetting, standing  # noqa: PLC0415
    from bugforge.workspace import find  # noqa: PLC0415

    found = find(workspace)
    changed = resetting.known_changes(found)
    if as_json:
        print_json(standing.status_document(found, changed))
    else:
        standing.show_status(console_of(), found, changed)


@app.command()
@handled
def pause(workspace: WorkspaceArgument = None, as_json: AsJson = False) -> None:
    """Stop the clock for a while."""
    from bugforge import practising, standing  # noqa: PLC0415

    clocked = practising.pause(workspace)
    standing.show_clocked(console_of(stderr=as_json), clocked)
    if as_json:
        print_json(standing.clocked_document("pause", clocked))


@app.command()
@handled
def resume(workspace: WorkspaceArgument = None, as_json: AsJson = False) -> None:
    """Let the clock go on."""
    from bugforge import practising, standing  # noqa: PLC0415

    clocked = practising.resume(workspace)
    standing.show_clocked(console_of(stderr=as_json), clocked)
    if as_json:
        print_json(standing.clocked_document("resume", clocked))


@app.command()
@handled
def diff(workspace: WorkspaceArgument = None, as_json: AsJson = False) -> None:
    """Show what you have changed so far."""
    from bugforge import display, resetting, standing  # noqa: PLC0415
    from bugforge.workspace import find  # noqa: PLC0415

    found = find(workspace)
    changed = resetting.changes(found)
    console = console_of()
    if as_json:
        print_json(standing.diff_document(found, changed))
    elif console.is_terminal:
        display.show_diff(console, "".join(change.diff for change in changed))
    else:  # byte for byte, so that `patch -p1` takes it
        typer.echo("".join(change.diff for change in changed).encode(), nl=False)


@app.command()
@handled
def reset(workspace: WorkspaceArgument = None, as_json: AsJson = False) -> None:
    """Put the workspace back as it was forged, and your attempt aside."""
    from bugforge import resetting, standing  # noqa: PLC0415

    done = resetting.reset(workspace)
    standing.show_reset(console_of(stderr=as_json), done)
    if as_json:
        print_json(standing.reset_document(done))


@app.command()
@handled
def report(
    workspace: WorkspaceArgument = None,
    html: Html = None,
    as_json: AsJson = False,
    key_dir: KeyDir = None,
    time_limit: TimeLimit = 120.0,
) -> None:
    """Look back on a practice that has ended: when each bug fell, the score, what to do next."""
    from bugforge import debriefing, display, recounting  # noqa: PLC0415
    from bugforge.workspace import find  # noqa: PLC0415

    if html:
        from bugforge import webpage  # noqa: PLC0415

        webpage.refuse_no_page(html)
    found = find(workspace)
    with display.progress(console_of(stderr=True)) as progress:
        debrief = debriefing.debrief(found, key_dir, time_limit, progress)
    if html:
        webpage.write_page(html, debrief)
        mention([f"Written: {html}"])
    recounting.show_report(console_of(stderr=as_json), debrief)
    mention(debrief.told)
    if as_json:
        print_json(recounting.report_document(found, debrief))
