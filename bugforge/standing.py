"""How a practice stands, told to people and as documents."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from rich.console import Console
from rich.text import Text

from bugforge import display, scores
from bugforge.checking import Checked
from bugforge.clock import Standing, spoken
from bugforge.curve import draw_curve
from bugforge.display import CURVE_WIDTH
from bugforge.errors import WorkspaceError
from bugforge.output import Output, by_step
from bugforge.practising import Clocked
from bugforge.prose import many, show_paragraph
from bugforge.resetting import Change, Reset
from bugforge.running import Ran
from bugforge.scoring import score
from bugforge.timeline import Line, timeline
from bugforge.workspace import Manifest, Workspace

STATES = {
    "not started": "The clock has not started; `bugforge start` or the first run starts it.",
    "running": "The clock is running.",
    "paused": "The clock is paused; `bugforge resume` lets it go on.",
    "passed": "Passed, and the clock has stopped.",
    "revealed": "Revealed, and the clock has stopped.",
}


def show_left(console: Console, manifest: Manifest, stands: Standing) -> None:
    """Say what was used of the time and of the runs, and what is left."""
    show_paragraph(console, _time(manifest, stands), begin="Time: ")
    show_paragraph(console, _runs(manifest, stands), begin="Runs: ")


def show_checked(console: Console, checked: Checked, feedback: str) -> None:
    """Show a check at its feedback, and what is left where the clock was ever set going."""
    display.show_verdict(console, checked.verdict, feedback)
    scores.show_tally(console, checked.verdict.tally, feedback)
    display.show_analysis(console, checked.analysis, feedback, passed=checked.verdict.passed)
    display.show_renewed(console, renewed=checked.renewed)
    with suppress(WorkspaceError):  # a journal that cannot be read takes no verdict away
        manifest, stands = checked.workspace.manifest, checked.workspace.standing()
        if stands.began:
            show_left(console, manifest, stands)
            if stands.state == "passed":
                show_score(console, manifest, stands)


def show_score(console: Console, manifest: Manifest, stands: Standing) -> None:
    """Say the score, and what took points off it."""
    scored = score(stands, manifest.minutes, manifest.runs)
    off = {
        many(scored.rungs, "hint"): scored.hints,
        "what was revealed": scored.reveals,
        "time over": scored.time,
        "runs over": scored.runs,
    }
    taken = [f"{cost:.3g} for {what}" for what, cost in off.items() if cost]
    words = f"{scored.points} of 100{', less ' if taken else ''}{', '.join(taken)}."
    show_paragraph(console, words, begin="Score: ")


def score_document(manifest: Manifest, stands: Standing) -> dict[str, Any]:
    """Describe the score: what is left of 100 points, and what took off how many."""
    scored = score(stands, manifest.minutes, manifest.runs)
    return {
        "points": scored.points,
        "hints_taken": scored.rungs,
        "off": {
            "hints": round(scored.hints, 2),
            "reveals": round(scored.reveals, 2),
            "time": scored.time,
            "runs": scored.runs,
        },
    }


def _time(manifest: Manifest, stands: Standing) -> str:
    used, left = spoken(stands.seconds), stands.left(manifest.minutes)
    if left is None:
        return f"{used} used; there is no limit."
    of = f"{used} of {many(manifest.minutes, 'minute')} used"
    return f"{of}, {spoken(left)} left." if left >= 0 else f"{of}, {spoken(-left)} over."


def _runs(manifest: Manifest, stands: Standing) -> str:
    left = stands.runs_left(manifest.runs)
    if left is None:
        return f"{stands.runs} used; there is no limit."
    of = f"{stands.runs} of {manifest.runs} used"
    return f"{of}, {left} left." if left >= 0 else f"{of}, {-left} over."


def show_clocked(console: Console, clocked: Clocked) -> None:
    """Say what a deed on the clock did, or that there was nothing to do, and what is left."""
    already = "" if clocked.changed else " already"
    words = {"running": "running", "paused": "paused"}[clocked.stands.state]
    console.print(f"The clock is {words}{already}.", highlight=False)
    show_left(console, clocked.workspace.manifest, clocked.stands)


def show_status(console: Console, workspace: Workspace, changed: Sequence[Change] | None) -> None:
    """Say how a practice stands, what happened in it, and which files were changed.

    changed: None where that is not to be known.
    """
    stands = workspace.standing()
    console.print(Text(f"{workspace.root} ({workspace.manifest.track})"), soft_wrap=True)
    show_paragraph(console, STATES[stands.state], begin="")
    show_left(console, workspace.manifest, stands)
    if lost := workspace.lost():
        show_paragraph(console, lost, begin="Journal: ")
    if stands.marks:
        show_score(console, workspace.manifest, stands)
    for line in timeline(stands):
        number = f"{line.number}." if line.number else ""
        words = f"  {number:>4} {spoken(line.seconds):>8}  {line.name:7} {_result(line)}"
        console.print(Text(words.rstrip()), no_wrap=True)
    if changed:
        files = ", ".join(
            change.name if change.status == "changed" else f"{change.name} ({change.status})"
            for change in changed
        )
        show_paragraph(console, f"{files}.", begin="Changed: ")
    elif changed is not None:
        console.print("Nothing is changed yet.")


def _result(line: Line) -> str:
    words = line.result or ""
    if line.losses:
        words += f"{', ' if words else ''}loss {line.losses[0]:.2f} to {line.losses[-1]:.2f}"
    return words


def show_ran(console: Console, ran: Ran) -> None:
    """Say how a run ended, draw its losses, and say what is left."""
    losses = by_step(ran.output.losses)
    if len(losses) > 1:
        console.print("[bold]Loss[/] (nats per token)")
        width = max(10, min(CURVE_WIDTH, console.width - 12))
        for line in draw_curve(losses, width=width, ascii_only=console.options.ascii_only):
            console.print(Text(f"  {line}"), no_wrap=True)
    if ran.interrupted:
        console.print("[yellow]Interrupted;[/] the run counts, and what it wrote is kept.")
    elif ran.exit_code < 0:
        console.print(f"[bold red]{ran.script} was ended by signal {-ran.exit_code}.[/]")
    elif ran.exit_code:
        console.print(f"[bold red]{ran.script} failed[/] (exit code {ran.exit_code}).")
    show_left(console, ran.workspace.manifest, ran.stands)
    if ran.stands.ended:
        show_paragraph(console, STATES[ran.stands.state], begin="")


@contextmanager
def countdown(console: Console) -> Iterator[Callable[[int], None]]:
    """Show, second by second, how long a slow workspace still lets one wait."""

    def wait(seconds: int) -> None:
        end = time.monotonic() + seconds
        if not console.is_terminal:
            console.print(
                f"Waiting {many(seconds, 'second')}, as on a slow editor ...", highlight=False
            )
            time.sleep(seconds)
            return
        with console.status("Waiting", spinner="line") as status:
            while (left := end - time.monotonic()) > 0:
                status.update(f"Waiting {math.ceil(left)} s, as on a slow editor")
                time.sleep(min(left, 0.5))

    yield wait


def show_reset(console: Console, done: Reset) -> None:
    """Say what was put back, and where the attempt lies now."""
    if done.aside is None:
        done_so = "the practice begins anew" if done.is_anew else "so there is nothing to put back"
        words = f"Nothing is changed since it was forged, {done_so}."
        show_paragraph(console, words, begin="")
    else:
        show_paragraph(console, f"{', '.join(done.written) or 'nothing'}.", begin="Put back: ")
        if done.removed:
            show_paragraph(console, f"{', '.join(done.removed)}.", begin="Taken away: ")
        console.print(Text(f"Your attempt lies in {done.aside}"), soft_wrap=True)
    if not done.stands.began:
        show_paragraph(console, STATES[done.stands.state], begin="")


def standing_document(command: str, workspace: Workspace, stands: Standing) -> dict[str, Any]:
    """Describe how a practice stands."""
    manifest = workspace.manifest
    left = stands.left(manifest.minutes)
    return {
        "command": command,
        "workspace": str(workspace.root),
        "id": manifest.id,
        "track": manifest.track,
        "state": stands.state,
        "round": stands.round,
        "minutes": manifest.minutes,
        "runs": manifest.runs,
        "seconds_used": round(stands.seconds, 1),
        "seconds_left": None if left is None else round(left, 1),
        "runs_used": stands.runs,
        "runs_left": stands.runs_left(manifest.runs),
    }


def status_document(workspace: Workspace, changed: Sequence[Change] | None) -> dict[str, Any]:
    """Describe how a practice stands, what happened in it, and which files were changed.

    changed: None where that is not to be known.
    """
    stands = workspace.standing()
    return {
        **standing_document("status", workspace, stands),
        "slow": workspace.manifest.slow,
        "score": score_document(workspace.manifest, stands),
        "events": [_event(line) for line in timeline(stands)],
        "changed": None
        if changed is None
        else [{"file": change.name, "status": change.status} for change in changed],
        "unreadable": workspace.journal.unreadable(),
    }


def _event(line: Line) -> dict[str, Any]:
    return {
        "event": line.name,
        "time": line.time,
        "seconds_used": round(line.seconds, 1),
        "run": line.number,
        "result": line.result,
        "final_loss": _finite(line.losses[-1]) if line.losses else None,
    }


def clocked_document(command: str, clocked: Clocked) -> dict[str, Any]:
    """Describe a deed on the clock, and how the practice stands after it."""
    document = standing_document(command, clocked.workspace, clocked.stands)
    return {**document, "changed": clocked.changed}


def run_document(ran: Ran) -> dict[str, Any]:
    """Describe a run, and how the practice stands after it."""
    output: Output = ran.output
    return {
        **standing_document("run", ran.workspace, ran.stands),
        "run": ran.number,
        "script": ran.script,
        "exit_code": ran.exit_code,
        "interrupted": ran.interrupted,
        "seconds": round(ran.seconds, 3),
        "losses": [{"step": step, "loss": _finite(loss)} for step, loss in output.losses],
        "sample": output.sample,
        "tail": output.tail,
    }


def reset_document(done: Reset) -> dict[str, Any]:
    """Describe what was put back, and where the attempt lies now."""
    return {
        **standing_document("reset", done.workspace, done.stands),
        "written": list(done.written),
        "removed": list(done.removed),
        "aside": done.aside and str(done.aside),
    }


def diff_document(workspace: Workspace, changed: Sequence[Change]) -> dict[str, Any]:
    """Describe what a learner has changed."""
    return {
        "command": "diff",
        "workspace": str(workspace.root),
        "id": workspace.manifest.id,
        "files": [
            {"file": change.name, "status": change.status, "diff": change.diff}
            for change in changed
        ],
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
