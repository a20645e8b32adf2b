"""The command line: parse, call, render, exit code; nothing else.

What a command needs is imported inside it, so that `bugforge --help` is quick.
"""

import os
import shlex
import signal
import sys
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bugforge import (
    __version__,
    cli_catalogue,
    cli_coaching,
    cli_history,
    cli_learning,
    cli_practice,
    completion,
)
from bugforge.command_line import (
    INTERRUPTED,
    AsJson,
    Feedback,
    Force,
    Html,
    KeyDir,
    Minutes,
    Runs,
    TimeLimit,
    WorkspaceArgument,
    complain,
    console_of,
    handled,
    known_catalogue,
    mention,
    print_json,
    report_error,
    say,
)
from bugforge.errors import UsageError

if TYPE_CHECKING:
    from bugforge.making import Made

app = typer.Typer(
    help="Forge practice variants of 'debug this transformer', and judge them by behaviour.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(cli_practice.app)
app.add_typer(cli_coaching.app)
app.add_typer(cli_learning.app)
app.add_typer(cli_history.app)
app.add_typer(cli_catalogue.app)


UNREAD = 141
"""As of a process that the system ends for writing to nobody: no verdict, so neither 0 nor 1."""

BY_HISTORY = "Its bugs were chosen by what your history says you need most."
NO_HISTORY = "Your history says nothing of such bugs yet; these were drawn as ever."


def main() -> None:
    """Run the command line and exit with its code."""
    for ending in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        signal.signal(ending, lambda number, _: sys.exit(128 + number))  # unwinding as it goes
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a name that cannot be written is no reason to fail
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _done()
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit) as error:
        # Where who read the output has gone, typer and rich end with the code of a failure.
        if not isinstance(error.__context__ or error, BrokenPipeError):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = UNREAD
    sys.exit(code)


def _done() -> int:
    """Run the command that is given; give its exit code."""
    if "" in sys.argv[1:]:  # as a path it would be the folder that one is in
        usage = UsageError("An argument is empty.", "Leave it out; or is a variable not set?")
        report_error(usage, as_json="--json" in sys.argv)
        return usage.exit_code
    try:
        code = typer.main.get_command(app).main(standalone_mode=False)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        # What the parser raises; its classes differ between releases of typer.
        message = getattr(error, "format_message", None)
        if message is None and type(error).__name__ != "Abort":
            raise
        if message is None:
            return INTERRUPTED
        context = getattr(error, "ctx", None)
        command = context.command_path if context else _command_given()
        if words := message().rstrip("."):  # where there are none, the help was shown
            usage = UsageError(words, f"`{command} --help` shows what it takes.")
            report_error(usage, as_json="--json" in sys.argv)
        return UsageError.exit_code
    return code if isinstance(code, int) else 0


def _command_given() -> str:
    """Name the command that the words of the command line begin with."""
    named, commands = ["bugforge"], getattr(typer.main.get_command(app), "commands", {})
    for word in sys.argv[1:]:
        if word not in commands:
            break
        named.append(word)
        commands = getattr(commands[word], "commands", {})
    return " ".join(named)


def _show_version(asked: bool) -> None:  # noqa: FBT001
    if asked:
        typer.echo(f"bugforge {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Say the version."),
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        _next_step()


@handled
def _next_step() -> None:
    """Say what to do next, in the state that this folder is found in."""
    from bugforge import firstminute, nextstep  # noqa: PLC0415

    firstminute.show_next(console_of(), nextstep.situation(Path.cwd()))


@app.command()
@handled
def doctor(as_json: AsJson = False) -> None:
    """Find faults of the set-up, and say the mend of each; exits 1 where there is one."""
    from bugforge import doctor, firstminute  # noqa: PLC0415

    console = console_of(stderr=as_json)
    findings = []
    for finding in doctor.examine(doctor.Setting(Path.cwd(), sys.stdout)):
        firstminute.show_finding(console, finding)
        findings.append(finding)
    firstminute.show_conclusion(console, findings)
    if as_json:
        print_json(firstminute.doctor_document(findings))
    raise typer.Exit(0 if doctor.is_well(findings) else 1)


def _tell_made(made: "Made", minutes: int, key_dir: Path | None) -> None:
    """Say what was made, and what to do next."""
    if made.bugs:
        plural = "bug" if made.bugs == 1 else "bugs"
        say(f"Forged {made.target}: {made.bugs} {plural}, seed {made.seed}.")
    else:
        say(f"Made {made.target}: a program to {made.deed}, seed {made.seed}.")
    if made.aside:
        say(f"The files that lay there are kept in {made.aside}.")
    problem = made.target / "PROBLEM.md"
    time = "" if not minutes else " in 1 minute" if minutes == 1 else f" in {minutes} minutes"
    say(f"Read {problem}, {made.deed} the program{time}, then:")
    words = ["bugforge", "check", str(made.target)]
    say("  " + shlex.join([*words, "--key-dir", str(key_dir)] if key_dir else words))


@app.command()
@handled
def new(
    workspace: Annotated[
        Path | None,
        typer.Argument(
            metavar="[WORKSPACE]", help="The folder to make.", show_default="./workspace"
        ),
    ] = None,
    bugs: Annotated[
        int | None,
        typer.Option(min=1, max=6, help="How many bugs.", show_default="4; 6 in pipeline"),
    ] = None,
    source: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            metavar="PATH",
            help="Plant them in a program of yours: its folder or a file; may be repeated.",
            show_default=False,
        ),
    ] = None,
    track: Annotated[
        str, typer.Option(help="Which exercise.", autocompletion=completion.tracks)
    ] = "classic",
    seed: Annotated[
        str | None,
        typer.Option(help="The same seed gives the same workspace.", show_default="drawn"),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID[/FORM]",
            help="A kind to plant; may be repeated.",
            show_default=False,
            autocompletion=completion.forms,
        ),
    ] = None,
    weak: Annotated[
        bool,
        typer.Option("--weak", help="Draw those first that your history says you need most."),
    ] = False,
    stage: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Draw the other bugs from this stage; may be repeated.",
            show_default=False,
            autocompletion=completion.stages,
        ),
    ] = None,
    difficulty: Annotated[
        str | None,
        typer.Option(
            metavar="easy|medium|hard",
            help="Draw bugs so hard.",
            show_default=False,
            autocompletion=completion.difficulties,
        ),
    ] = None,
    program: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The track's program: gpt, nano, single, rotary; of tests: attention, training, "
            "decoding.",
            show_default="drawn; easy: gpt",
            autocompletion=completion.programs,
        ),
    ] = None,
    marked: Annotated[
        bool, typer.Option("--marked", help="Mark the regions that hold bugs by comments.")
    ] = False,
    single_file: Annotated[
        bool, typer.Option("--single-file", help="Put the program into one file, main.py.")
    ] = False,
    minutes: Minutes = 60,
    runs: Runs = 4,
    slow: Annotated[
        int,
        typer.Option(
            metavar="SECONDS", min=0, max=3600, help="Let each `bugforge run` wait so long first."
        ),
    ] = 0,
    key_dir: KeyDir = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Forge a fresh workspace with bugs in it."""
    from bugforge import making  # noqa: PLC0415

    order = making.Order(
        target=workspace,
        source=tuple(source or ()),
        track=track,
        seed=seed,
        bugs=bugs,
        kinds=tuple(kind or ()),
        stages=tuple(stage or ()),
        difficulty=difficulty,
        program=program,
        marked=marked,
        single_file=single_file,
        minutes=minutes,
        runs=runs,
        slow=slow,
        key_dir=key_dir,
        force=force,
        past=cli_history.past() if weak else None,
    )
    if making.runs_programs(order):
        from bugforge import display  # noqa: PLC0415

        with display.progress(console_of(stderr=True)) as progress:
            made = making.make(order, known_catalogue(), progress)
    else:
        made = making.make(order, known_catalogue())
    if weak:
        mention([BY_HISTORY if made.by_history else NO_HISTORY])
    if as_json:
        print_json(made.document("new"))
        return
    _tell_made(made, minutes, key_dir)


@app.command()
@handled
def extend(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="What to add: kv-cache, ragged, token-classifier or sequence-classifier.",
            show_default=False,
            autocompletion=completion.follow_ups,
        ),
    ],
    workspace: WorkspaceArgument = None,
    to: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="The folder to make.", show_default="WORKSPACE-NAME, beside it"
        ),
    ] = None,
    minutes: Minutes = 60,
    runs: Runs = 4,
    key_dir: KeyDir = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Go on from a workspace that passed: the same program, with more to write."""
    from bugforge import documents, extending  # noqa: PLC0415

    allowance = documents.Allowance(minutes, runs)
    order = extending.Further(name, workspace, to, allowance, key_dir, force)
    made = extending.extend(order, known_catalogue())
    mention(made.told)
    if as_json:
        print_json(made.document("extend"))
    else:
        _tell_made(made, minutes, key_dir)


@app.command()
@handled
def tracks(as_json: AsJson = False) -> None:
    """List the tracks: what each trains, and how long it takes."""
    from bugforge import display, report  # noqa: PLC0415

    if as_json:
        print_json(report.tracks_document())
    else:
        display.show_tracks(console_of())


@app.command()
@handled
def check(
    workspace: WorkspaceArgument = None,
    feedback: Feedback = "verdict",
    as_json: AsJson = False,
    key_dir: KeyDir = None,
    time_limit: TimeLimit = 120.0,
) -> None:
    """Run, train and judge a workspace by what its program does."""
    from bugforge import checking, display, recounting, report, standing  # noqa: PLC0415
    from bugforge.sandbox import Limits, opened  # noqa: PLC0415

    lend = partial(opened, Limits(seconds=time_limit))
    with display.progress(console_of(stderr=True)) as progress:
        checked = checking.check(workspace, feedback, key_dir, lend, progress)
    standing.show_checked(console_of(stderr=as_json), checked, feedback)
    mention(checked.told)
    recounting.show_short(console_of(stderr=as_json), checked.workspace)
    if as_json:
        document = report.check_document(
            checked.workspace,
            checked.verdict,
            feedback,
            renewed=checked.renewed,
            analysis=checked.analysis,
        )
        print_json(document)
    raise typer.Exit(report.exit_code(checked.verdict))


@app.command()
@handled
def reveal(
    workspace: WorkspaceArgument = None,
    bug: Annotated[
        int | None,
        typer.Option(metavar="K", help="Only the bug of this number.", show_default=False),
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write the fix into the workspace.")
    ] = False,
    html: Html = None,
    as_json: AsJson = False,
    key_dir: KeyDir = None,
    time_limit: TimeLimit = 120.0,
) -> None:
    """Open the answer key: what was planted, why it is wrong, and how to mend it."""
    from bugforge import display, recounting, report, revealing  # noqa: PLC0415

    if html:
        from bugforge import debriefing, webpage  # noqa: PLC0415

        webpage.refuse_no_page(html)
    revealed = revealing.reveal(workspace, bug, key_dir, apply=apply)
    console = console_of(stderr=as_json)
    for planted in revealed.bugs:
        claim = revealed.analysis.of(planted.number) if revealed.analysis else None
        display.show_bug(console, revealed.key, planted, claim)
    if revealed.analysis and bug is None:
        display.show_other_claims(console, revealed.analysis.others)
    display.show_solution(console, revealed.key)
    display.show_derivation(console, revealed.derivation)
    display.show_decoys(console, revealed.key.decoys if bug is None else ())
    display.show_applied(console, revealed)
    mention(revealed.told)
    recounting.show_short(console, revealed.workspace)
    if html:
        try:
            with display.progress(console_of(stderr=True)) as progress:
                told = debriefing.look_back(
                    revealed.workspace, revealed.key, bug, key_dir, time_limit, progress
                )
        except KeyboardInterrupt as error:  # by now, a reveal is noted and files may be mended
            again = "the command again" + (", without --apply," if apply else "")
            mend = f"All else was done, and is noted; give {again} for the page."
            complain("Interrupted: no page was written.", mend)
            raise typer.Exit(INTERRUPTED) from error
        webpage.write_page(html, told)
        mention([f"Written: {html}"])
    if as_json:
        print_json(report.reveal_document(revealed))
    if revealed.mended and revealed.mended.changed:
        raise typer.Exit(1)
