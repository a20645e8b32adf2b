"""Results for people: readable in plain ASCII, at 80 columns, with and without colour."""

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from bugforge.analysis import Analysis, Fit
from bugforge.answers import AnswerKey, Bug
from bugforge.catalogue import BUILT_IN, Catalogue
from bugforge.claims import ANALYSIS, Claim
from bugforge.curve import draw_curve
from bugforge.diff import solution, unified
from bugforge.documents import Derivation
from bugforge.exactness import EXPECTED
from bugforge.experiments import INNER, Experiment
from bugforge.mend import Mended, forged_start
from bugforge.mutation import PROVENANCE_WORDS, SECTIONS, Form, Mutation
from bugforge.own_sites import Survey
from bugforge.own_verdict import OwnVerdict
from bugforge.prose import WIDEST, many, show_paragraph, show_table
from bugforge.recordings import Crash, plain
from bugforge.report import outcome, tells, tells_claims
from bugforge.revealing import Revealed
from bugforge.sandbox import WALLS
from bugforge.tracks import TRACKS
from bugforge.training import Run
from bugforge.verify import Progress, Verdict

CURVE_WIDTH = 60
ELSEWHERE = "It does what no set of these makes it do: something else was changed, too."


@contextmanager
def progress(console: Console) -> Iterator[Progress]:
    """Show what is being done: as a moving line in a terminal, else as a line each."""

    def say(words: str) -> None:
        console.print(f"{words} ...", highlight=False)

    if console.is_terminal:
        with console.status("Starting", spinner="line") as status:
            yield status.update
    else:
        yield say


@contextmanager
def counting(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    """Show how much of each deed is done: as bars in a terminal, else as a line a deed."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    bars: dict[str, TaskID] = {}
    with Bars(*columns, console=console, disable=not console.is_terminal) as shown:

        def count(words: str, done: int, total: int) -> None:
            if words not in bars:
                bars[words] = shown.add_task(words, total=total)
                if not console.is_terminal:
                    console.print(f"{words} ({total}) ...", highlight=False)
            shown.update(bars[words], completed=done)

        yield count


def show_verdict(console: Console, verdict: Verdict, feedback: str) -> None:
    """Show the curve, the sample beside the sentence, and the verdict at its feedback."""
    for run in verdict.runs:
        _show_run(console, run)
    if verdict.limit:
        console.print(
            f"[bold red]Stopped:[/] the program used more {verdict.limit.limit} than it may: "
            f"{verdict.limit.used} of {verdict.limit.allowed}."
        )
    elif verdict.crash:
        show_crash(console, verdict.crash)
    if isinstance(verdict, OwnVerdict):
        _show_own(console, verdict)
    else:
        console.print(headline(verdict))
    missing = [wall for wall in WALLS if wall not in verdict.isolation]
    if (verdict.runs or verdict.passed) and missing:
        show_paragraph(console, f"{', '.join(missing)}.", begin="Not walled off on this system: ")
    show_told(console, verdict, feedback)


def show_crash(console: Console, crash: Crash) -> None:
    """Say how a program ends that does not run through."""
    console.print("[bold red]It does not run through:[/]")
    show_paragraph(console, str(crash), begin="  ")


def show_told(console: Console, verdict: Verdict, feedback: str) -> None:
    """Show what to restore, and what feedback tells beside the verdict: laws that are broken, and
    bugs that are left.
    """
    for words in verdict.restore:
        show_paragraph(console, words, begin="  to restore: ")
    if tells(feedback, "symptom"):
        place = tells(feedback, "component")
        for reading in verdict.broken:
            stage = f" ({reading.stage})" if place else ""
            show_paragraph(console, f"{reading.sentence}{stage}", begin="  not so: ")
    if tells(feedback, "full"):
        colours = {"fixed": "green", "remaining": "red", "could not tell": "yellow"}
        for number, state in sorted(verdict.bugs.items()):
            console.print(f"  bug {number}: [{colours[state]}]{state}[/]", highlight=False)
        if verdict.changed_elsewhere:
            show_paragraph(console, ELSEWHERE, begin="  ")


def show_analysis(
    console: Console, analysis: Analysis | None, feedback: str, *, passed: bool
) -> None:
    """Say what a learner's claims come to, as far as feedback allows, where there are some."""
    if not analysis:
        return
    claims = many(len(analysis.fits), "claim")
    if not tells_claims(feedback, "component", passed=passed):
        words = f"{claims} read; what fits is told once all is mended, or by --feedback component."
        show_paragraph(console, words, begin=f"{ANALYSIS}: ")
        return
    words = f"{analysis.fitting} of {claims} fit a planted bug in place and class."
    show_paragraph(console, words, begin=f"{ANALYSIS}: ")
    if tells_claims(feedback, "full", passed=passed):
        for fit in analysis.fits:
            show_paragraph(console, _fit(fit), begin=f"  claim {fit.claim.number}: ")
        for number in analysis.unclaimed:
            show_paragraph(console, "no claim names its place.", begin=f"  bug {number}: ")


def _fit(fit: Fit) -> str:
    if fit.bug is None:
        return "fits nothing that was planted."
    if fit.whole:
        return f"fits bug {fit.bug}."
    if fit.in_place:
        return f"names the place of bug {fit.bug}, and another class."
    return f"names the class of bug {fit.bug}, and another place."


def show_renewed(console: Console, *, renewed: bool) -> None:
    """Say that the tensors that are expected were not those of this machine, where it is so."""
    if renewed:
        words = f"{EXPECTED} was not what a correct program makes here, and is written anew."
        show_paragraph(console, words, begin="Mind: ")


def headline(verdict: Verdict) -> str:
    """Put a verdict into a line, with its markup."""
    if verdict.passed:
        again = sum(run.attempts - 1 for run in verdict.runs)
        retrained = f" It was trained again {again} times for an unlucky sample." if again else ""
        back = ", the sentence came back, and so did one it had never seen" if verdict.runs else ""
        return (
            f"[bold green]Passed.[/] All {len(verdict.readings)} laws hold{back}.{retrained} "
            "Well done."
        )
    broken, untold = len(verdict.broken), len(verdict.untold)
    laws = f"{broken} {'law is' if broken == 1 else 'laws are'} broken"
    hidden = f", {untold} could not be judged" if untold else ""
    word = "Not yet" if outcome(verdict) == "failed" else "Could not tell"
    return f"[bold red]{word}.[/] {laws}{hidden}, of {len(verdict.readings)}."


def _show_own(console: Console, verdict: OwnVerdict) -> None:
    """Show the verdict on a user's own program, and what it does not cover."""
    compared, broken = len(verdict.readings), len(verdict.broken)
    where = ", ".join(verdict.models)
    if verdict.passed:
        console.print(
            f"[bold green]Passed.[/] Nothing differs in {compared} comparisons of {where} with "
            "the correct program. Well done."
        )
    else:
        console.print(f"[bold red]Not yet.[/] {where}: {broken} of {compared} comparisons differ.")
    for words in verdict.unjudged:
        show_paragraph(console, words, begin="  not judged: ")


def _show_run(console: Console, run: Run) -> None:
    if not run.losses:
        return
    if not run.unseen:
        ascii_only = console.options.ascii_only
        width = max(10, min(CURVE_WIDTH, console.width - 12))
        console.print("[bold]Loss[/] (nats per token)")
        for line in draw_curve(run.losses, width=width, ascii_only=ascii_only):
            console.print(Text(f"  {line}"), no_wrap=True)
    console.print(f"[bold]{'A sentence never shown' if run.unseen else 'The sentence'}[/]")
    _show_line(console, "wanted", run.text)
    _show_line(console, "sample", run.sample or "")


def _show_line(console: Console, label: str, words: str) -> None:
    width = max(20, min(console.width, WIDEST) - 12)
    for index, piece in enumerate(textwrap.wrap(plain(words), width) or [""]):
        console.print(Text(f"  {label if index == 0 else '':6}  {piece}"), no_wrap=True)


def show_bug(console: Console, key: AnswerKey, bug: Bug, claim: Claim | None) -> None:
    """Show a planted bug in full, and what the learner says of it, if anything."""
    places = sorted({(edit.name, forged_start(key, edit) + 1) for edit in bug.edits})
    where = ", ".join(f"{name}, line {line}" for name, line in places)
    console.rule(f"[bold]Bug {bug.number}[/]: {bug.kind}", align="left", characters="-")
    console.print(Text(f"{bug.title}."))
    console.print(Text(f"{where}   {bug.bug_class}, {bug.stage}, {bug.difficulty}"), style="dim")
    show_diff(console, unified(key, bug))
    _show_sections(
        console,
        {
            **{label: getattr(bug, name) for name, label in SECTIONS.items()},
            "Where it was met": _met(bug.provenance),
        },
    )
    if claim:
        _show_claim(console, "What you wrote", claim)


def show_other_claims(console: Console, claims: Iterable[Claim]) -> None:
    """Show what the learner says that fits nothing that was planted."""
    for claim in claims:
        _show_claim(console, "What you wrote, and fits nothing that was planted", claim)


def _show_claim(console: Console, title: str, claim: Claim) -> None:
    console.print(f"[bold]{title}[/]")
    for row in claim.words.splitlines():
        show_paragraph(console, plain(row), begin="  ")
    console.print()


def show_solution(console: Console, key: AnswerKey) -> None:
    """Show how what the learner was to write may be written, where there was something."""
    if key.given:
        console.rule("[bold]A solution[/]", align="left", characters="-")
        show_diff(console, solution(key))


def show_derivation(console: Console, derivation: Derivation | None) -> None:
    """Show what the learner has worked out on paper, if anything, beside how the key does it."""
    if not derivation:
        return
    if derivation.own:
        console.rule("[bold]Your derivation[/]", align="left", characters="-")
        _show_page(console, derivation.own)
    console.rule("[bold]The derivation[/]", align="left", characters="-")
    _show_page(console, derivation.right)


def _show_page(console: Console, page: str) -> None:
    for row in page.splitlines():
        console.print(Text(plain(row)), soft_wrap=True)
    console.print()


def show_decoys(console: Console, decoys: Iterable[str]) -> None:
    """Say what looks like a bug and is none."""
    for index, decoy in enumerate(decoys):
        if index == 0:
            console.rule("[bold]No bugs, though they look it[/]", align="left", characters="-")
        show_paragraph(console, decoy, begin="  ")


def show_applied(console: Console, revealed: Revealed) -> None:
    """Say what was written into the workspace, if anything was."""
    if revealed.mended and revealed.key.given:
        _show_solved(console, revealed.mended, revealed)
    elif revealed.mended:
        _show_mended(console, revealed.mended, revealed.workspace.root)


def _show_solved(console: Console, mended: Mended, revealed: Revealed) -> None:
    """Say where a solution was written, and where what was there lies now."""
    files = ", ".join(mended.files) or "nothing, since it stands there already"
    where = escape(str(revealed.workspace.root))
    console.print(f"[green]Written into {where}:[/] {files}.")
    for path in revealed.aside:
        console.print(f"What you had written lies in {escape(path.name)}.", highlight=False)


def _show_mended(console: Console, mended: Mended, where: Path) -> None:
    """Say which bugs were taken out of the workspace."""
    if mended.taken_out:
        numbers = ", ".join(map(str, mended.taken_out))
        bugs = "bug" if len(mended.taken_out) == 1 else "bugs"
        console.print(f"[green]Mended in {escape(str(where))}:[/] {bugs} {numbers}.")
    for number in mended.changed:
        console.print(
            f"[yellow]Left alone:[/] bug {number}, since you have changed its place; "
            "the diff above says what to do."
        )


def show_list(console: Console, catalogue: Catalogue) -> None:
    """Show kinds of bugs as a table, and below it who brings those that are not built in."""
    if not catalogue.kinds:
        console.print("No kind is all of that. `bugforge list` shows every kind.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("kind", "class", "stage", "difficulty", "shows as"):
        table.add_column(column, no_wrap=True, overflow="fold" if column == "kind" else "ellipsis")
    for id_, kind in catalogue.kinds.items():
        table.add_row(id_, kind.bug_class, kind.stage, kind.difficulty, kind.visibility)
    show_table(console, table)
    _show_origins(console, catalogue.kinds, catalogue.origins)
    forms = sum(len(kind.forms) for kind in catalogue.kinds.values())
    console.print(
        f"{many(len(catalogue.kinds), 'kind')}, {many(forms, 'form')}. Spoilers: bugforge show KIND"
    )


def show_tracks(console: Console) -> None:
    """List the tracks, the default first."""
    for track in TRACKS:
        console.print(f"[bold]{track.name}[/]", highlight=False)
        show_paragraph(console, f"{track.trains[0].upper()}{track.trains[1:]}.", begin="  ")
        trains = f"trains for about {track.seconds} seconds" if track.seconds else "trains nothing"
        show_paragraph(console, f"The program {trains}.", begin="  ")
    console.print("Forge one with: bugforge new --track NAME", highlight=False)


def show_survey(console: Console, found: Survey) -> None:
    """Show which kinds find a place in a program, and the lines they find."""
    for id_, places in found.found.items():
        lines: dict[str, dict[int, None]] = {}
        for place in places:
            lines.setdefault(place.name, {})[place.line] = None
        where = "  ".join(
            f"{name}:{','.join(map(str, sorted(numbers)))}" for name, numbers in lines.items()
        )
        console.print(Text(f"{id_:26} {where}"), soft_wrap=True)
    of = len(found.found) + len(found.none)
    files = many(len(found.files), "file")
    console.print(f"{len(found.found)} of {of} kinds find a place in {files}.", highlight=False)


def show_rewrites(console: Console, catalogue: Catalogue) -> None:
    """Show rewrites as a table, and below it who brings those that are not built in."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("rewrite", no_wrap=True)
    table.add_column("ways", justify="right")
    table.add_column("what is written otherwise")
    for id_, rewrite in catalogue.rewrites.items():
        table.add_row(id_, str(len(rewrite.choices())), escape(rewrite.title()))
    show_table(console, table)
    _show_origins(console, catalogue.rewrites, catalogue.rewrite_origins)
    ways = sum(len(rewrite.choices()) for rewrite in catalogue.rewrites.values())
    console.print(f"{many(len(catalogue.rewrites), 'rewrite')}, {many(ways, 'way')}.")


def _show_origins(console: Console, ids: Iterable[str], origins: Mapping[str, str]) -> None:
    brought: dict[str, list[str]] = {}
    for id_ in ids:
        brought.setdefault(origins[id_], []).append(id_)
    for origin in sorted(set(brought) - {BUILT_IN}):
        show_paragraph(console, f"{', '.join(brought[origin])}.", begin=f"From {origin}: ")


def show_broken_plugins(console: Console, catalogue: Catalogue) -> None:
    """Name the plugins that could not be loaded, and the mend."""
    for plugin in catalogue.broken:
        console.print(
            f"[yellow]Left out:[/] the plugin of {escape(plugin.origin)} is broken.",
            highlight=False,
            soft_wrap=True,
        )
        for words in (plugin.what, plugin.mend):
            console.print(Text(f"  {words}"), soft_wrap=True)


def show_kind(
    console: Console,
    kind: type[Mutation],
    origin: str,
    experiment: Experiment | None,
    only: Form | None,
) -> None:
    """Show a kind's page, with the experiment that exposes it. only: the one form that was asked
    for.
    """
    page = kind.page
    name = f"{kind.id}/{only.name}" if only else kind.id
    console.rule(f"[bold]{name}[/]", align="left", characters="-")
    console.print(Text(f"{page.title}."))
    words = f"{kind.bug_class}, {kind.stage}, {kind.difficulty}, shows as {kind.visibility}"
    console.print(Text(words if origin == BUILT_IN else f"{words}, from {origin}"), style="dim")
    for form in (only,) if only else kind.forms:
        console.print(f"\n[bold]Form:[/] {form.name}", highlight=False)
        for mark, code in (("-", form.correct), ("+", form.buggy)):
            show_diff(console, "\n".join(mark + line for line in code.splitlines()))
    console.print()
    _show_sections(
        console,
        {
            **{label: getattr(page, name) for name, label in SECTIONS.items()},
            "What reveals it": ", ".join(sorted(kind.killed_by)),
            "Where it was met": _met(kind.provenance),
        },
    )
    if experiment:
        show_experiment(console, experiment)
        option = f" --form {only.name}" if only else ""
        console.print(Text(f"See it run: bugforge demo {kind.id}{option}"), soft_wrap=True)


def show_experiment(console: Console, experiment: Experiment) -> None:
    """Show an experiment and what is to be seen by it."""
    show_code(console, experiment)
    show_paragraph(console, experiment.see, begin="  ")
    console.print()


def show_code(console: Console, experiment: Experiment) -> None:
    """Show an experiment's code, as it is typed beside a program."""
    console.print(f"[bold]An experiment:[/] {experiment.title.lower()}", highlight=False)
    for line in experiment.code.splitlines():
        console.print(Text(f"  {line}", style="cyan"), soft_wrap=True)
    if experiment.inner:
        show_paragraph(console, INNER, begin="  ")


def _met(provenance: Iterable[str]) -> str:
    return ", ".join(PROVENANCE_WORDS.get(source, source) for source in provenance)


def show_diff(console: Console, diff: str) -> None:
    """Print a diff as it is, however wide, so that it can be copied."""
    colours = {"-": "red", "+": "green", "@": "cyan"}
    for line in diff.splitlines():
        console.print(Text(line, style=colours.get(line[:1], "")), soft_wrap=True)


def _show_sections(console: Console, sections: dict[str, str]) -> None:
    for title, words in sections.items():
        console.print(f"[bold]{title}[/]")
        show_paragraph(console, words, begin="  ")
    console.print()
