"""The commands about the catalogue: its kinds, their places and proofs, and plugins of your own."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from bugforge import completion
from bugforge.command_line import (
    AsJson,
    TimeLimit,
    console_of,
    handled,
    known_catalogue,
    print_json,
    say,
)
from bugforge.errors import UsageError

app = typer.Typer()
dev = typer.Typer(help="Make and test plugins.", no_args_is_help=True)
app.add_typer(dev, name="dev")


@app.command("list")
@handled
def list_(
    stage: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Of this stage.",
            show_default=False,
            autocompletion=completion.stages,
        ),
    ] = None,
    difficulty: Annotated[
        str | None,
        typer.Option(
            metavar="easy|medium|hard",
            help="As hard as this.",
            show_default=False,
            autocompletion=completion.difficulties,
        ),
    ] = None,
    shows: Annotated[
        str | None,
        typer.Option(
            metavar="crash|flat|plateau|leak|decode|invisible",
            help="Seen in this way by who trains and samples.",
            show_default=False,
            autocompletion=completion.visibilities,
        ),
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Brought by this.",
            show_default=False,
            autocompletion=completion.origins,
        ),
    ] = None,
    rewrites: Annotated[
        bool, typer.Option("--rewrites", help="List the rewrites, and not the kinds.")
    ] = False,
    docs: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write a page for every kind.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the kinds of bugs, all or some."""
    from bugforge import display, pages, report  # noqa: PLC0415

    if rewrites and (stage or difficulty or shows):
        raise UsageError(
            "--stage, --difficulty and --shows tell kinds apart, and --rewrites lists none.",
            "Leave one of them out; --origin is for both.",
        )
    kinds = known_catalogue().only(stage=stage, difficulty=difficulty, shows=shows, origin=origin)
    if docs:
        pages.write_pages(kinds, docs)
    if as_json:
        print_json(report.list_document(kinds))
    elif rewrites:
        display.show_rewrites(console_of(), kinds)
    else:
        display.show_list(console_of(), kinds)


@app.command()
@handled
def show(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="ID[/FORM]",
            help="The kind, as `list` names it, and of its forms the one to show.",
            autocompletion=completion.forms,
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Show the page of a kind of bug: what, why, symptom, how to find it, an experiment."""
    from bugforge import display, experiments, report  # noqa: PLC0415

    kinds = known_catalogue()
    found, forms = kinds.forms(kind)
    origin, known = kinds.origins[found.id], experiments.experiments()
    form = forms[0] if len(forms) < len(found.forms) else None
    if as_json:
        print_json(report.kind_document(found, origin, known, form))
    else:
        experiment = experiments.experiment_of(found, known, form)
        display.show_kind(console_of(), found, origin, experiment, form)


@app.command()
@handled
def sites(
    program: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...", help="A program's folder, or its files.", show_default=False
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """List which kinds of bugs find a place in a program of yours, and where."""
    from bugforge import display, own_sites, report  # noqa: PLC0415

    found = own_sites.survey(program, known_catalogue())
    if as_json:
        print_json(report.survey_document(found))
    else:
        display.show_survey(console_of(), found)


@app.command()
@handled
def audit(
    kinds: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID]...",
            help="Only these kinds.",
            show_default="all",
            autocompletion=completion.kinds,
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave out the pairs and the training.")
    ] = False,
    seed: Annotated[str, typer.Option(help="Draws the inputs and the sentence.")] = "0",
    program: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="In this program only: gpt, nano, single, ... (a wrong name lists all).",
            show_default="each",
            autocompletion=completion.programs,
        ),
    ] = None,
    docs: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the kill matrix as Markdown.", show_default=False),
    ] = None,
    as_json: AsJson = False,
    time_limit: TimeLimit = 120.0,
) -> None:
    """Prove the catalogue here: what each bug breaks, alone, in pairs and among others."""
    from bugforge import auditing, display, matrix  # noqa: PLC0415

    console = console_of(stderr=as_json)
    if docs:
        matrix.refuse_no_page(docs)
    scope = auditing.Scope(tuple(kinds or ()), quick, seed, time_limit, program)
    known = known_catalogue()
    audits = []
    with display.counting(console_of(stderr=True)) as counted:
        for found in auditing.audit(known, scope, counted):
            matrix.show_audit(console, found)
            audits.append(found)
    if docs:
        matrix.write_page(docs, audits)
    if as_json:
        print_json(matrix.audit_document(audits))
    raise typer.Exit(any(found.findings for found in audits))


@dev.command("new")
@handled
def dev_new(
    what: Annotated[
        str, typer.Argument(metavar="mutation|rewrite", help="What to make.", show_default=False)
    ],
    name: Annotated[str, typer.Argument(metavar="ID", help="Its id.", show_default=False)],
    to: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The folder to make.", show_default="./bugforge-ID"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Scaffold a plugin: a distribution of its own, with an example that works."""
    from bugforge import scaffolding  # noqa: PLC0415

    made = scaffolding.scaffold(what, name, to, known_catalogue())
    if as_json:
        print_json(made.document())
        return
    say(f"Scaffolded {made.folder}. Change {made.module.name} in it, and try it:")
    say(f"  {shlex.join(['pip', 'install', '--editable', str(made.folder)])}")
    say(f"  {shlex.join(['bugforge', 'dev', 'test', made.id])}")


@dev.command("test")
@handled
def dev_test(
    name: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="A mutation or a rewrite.",
            show_default=False,
            autocompletion=completion.plugins,
        ),
    ],
    as_json: AsJson = False,
    time_limit: TimeLimit = 120.0,
) -> None:
    """Test whether a plugin keeps its contract, clause by clause."""
    from bugforge import display, promises, testing  # noqa: PLC0415

    known = known_catalogue()
    with display.counting(console_of(stderr=True)) as counted:
        tested = testing.test(name, known, time_limit, counted)
    for plugin in tested:
        promises.show_tested(console_of(stderr=as_json), plugin)
    if as_json:
        print_json(promises.tested_document(tested))
    raise typer.Exit(not all(plugin.kept for plugin in tested))
