"""What every command of the command line shares: its options, its errors, and where it writes."""

import inspect
import json
import math
import sys
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec

import typer

from bugforge import completion
from bugforge.errors import BugforgeError, ToolError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from bugforge.catalogue import Catalogue

INTERRUPTED = 130
SCHEMA_VERSION = 1
"""Of the documents in docs/json.md; a change that could break a reader raises it."""

NARROWEST = 20
"""Columns of a console at least: on none, as COLUMNS may say, nothing at all would be printed."""

P = ParamSpec("P")


def _finite(seconds: float) -> float:
    if not math.isfinite(seconds):
        message = f"{seconds} is no time that ends"
        raise typer.BadParameter(message)
    return seconds


WorkspaceArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="[WORKSPACE]",
        help="The workspace; left out, the one you are in, else ./workspace.",
        show_default=False,
        autocompletion=completion.workspaces,
    ),
]
Feedback = Annotated[
    str,
    typer.Option(
        metavar="verdict|symptom|component|full",
        help="How much a failing check tells.",
        autocompletion=completion.feedbacks,
    ),
]
KeyDir = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Where the answer key is kept.", show_default=False),
]
Minutes = Annotated[int, typer.Option(min=0, help="The time asked of the learner; 0: no limit.")]
Runs = Annotated[int, typer.Option(min=0, help="How often the learner may run it; 0: no limit.")]
Force = Annotated[
    bool, typer.Option("--force", help="Replace the workspace there; its files are kept.")
]
TimeLimit = Annotated[
    float,
    typer.Option(
        metavar="SECONDS",
        min=1,
        callback=_finite,
        help="How long one run of a program may take.",
    ),
]
Html = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write it as a page, too.", show_default=False),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document, and all else to stderr.")
]


def handled(command: Callable[P, None]) -> Callable[P, None]:
    """Turn every error of a command into its words and its exit code."""

    @wraps(command)
    def told(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except BugforgeError as error:
            report_error(error, as_json=bool(kwargs.get("as_json")))
            raise typer.Exit(error.exit_code) from error
        except (KeyboardInterrupt, typer.Abort) as error:
            complain("Interrupted.", "Nothing of yours was changed.")
            raise typer.Exit(INTERRUPTED) from error
        except (typer.Exit, BrokenPipeError):
            raise
        except Exception as error:
            fault = _fault(error)
            report_error(fault, as_json=bool(kwargs.get("as_json")))
            raise typer.Exit(fault.exit_code) from error

    # `--help` would break the lines of a second paragraph where the source does.
    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    told.__doc__ = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    return told


def _fault(error: Exception) -> BugforgeError:
    """Say what an error means that nothing foresaw."""
    if isinstance(error, FileNotFoundError) and not _is_somewhere():
        return UsageError("The folder that you are in is gone.", "Go to another: cd FOLDER")
    if isinstance(error, ImportError):
        return ToolError(
            f"What Bugforge needs cannot be loaded: {error}.",
            "`bugforge doctor` looks at all of it, and says how to mend what is broken.",
        )
    return ToolError(
        f"Bugforge itself failed: {type(error).__name__}: {error}",
        "This is its fault and not yours; please report it with the command you gave.",
    )


def _is_somewhere() -> bool:
    """Whether the folder that the command was given in is there."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return False
    return True


def report_error(error: BugforgeError, *, as_json: bool) -> None:
    """Say what went wrong and its mend, on standard error, and as a document if asked for."""
    if as_json:
        document = {"error": error.what, "mend": error.mend, "exit_code": error.exit_code}
        print_json(document)
    complain(error.what, error.mend)


def complain(what: str, mend: str) -> None:
    """Say what is wrong and its mend, a line each, on standard error."""
    console = console_of(stderr=True)
    console.print("[bold red]bugforge:[/] ", end="")
    for words in (what, mend):
        console.print(words, markup=False, highlight=False, soft_wrap=True)


def console_of(*, stderr: bool = False) -> "Console":
    """Open the console for people; where standard output is a document's, on standard error."""
    from rich.console import Console  # noqa: PLC0415

    console = Console(stderr=stderr)
    is_wide = console.width >= NARROWEST  # such a one follows its window
    return console if is_wide else Console(stderr=stderr, width=NARROWEST)


def echo_run(*, as_json: bool = False) -> Callable[[bytes, bool], None]:
    """Pass on what a program writes, byte for byte, where people read it."""

    def show(chunk: bytes, is_error: bool) -> None:  # noqa: FBT001
        stream = sys.stderr if is_error or as_json else sys.stdout
        stream.buffer.write(chunk)
        stream.buffer.flush()

    return show


def known_catalogue() -> "Catalogue":
    """Load what is installed, and name what of it is broken."""
    from bugforge import catalogue  # noqa: PLC0415

    loaded = catalogue.load()
    if loaded.broken:
        from bugforge import display  # noqa: PLC0415

        display.show_broken_plugins(console_of(stderr=True), loaded)
    return loaded


def print_json(document: dict[str, Any]) -> None:
    """Print a command's document, with the version of its schema."""
    sys.stdout.write(json_text(document))
    sys.stdout.flush()


def json_text(document: dict[str, Any]) -> str:
    """Write a document, with the version of its schema."""
    return json.dumps({"schema_version": SCHEMA_VERSION, **document}, indent=2) + "\n"


def say(words: str) -> None:
    """Print words as they are, however long, in what the console can write."""
    console_of().print(words, markup=False, highlight=False, soft_wrap=True)


def mention(words: Iterable[str]) -> None:
    """Tell, a line each and on standard error, what takes nothing away from a command."""
    console = console_of(stderr=True)
    for line in words:
        console.print(line, style="yellow", markup=False, highlight=False, soft_wrap=True)
