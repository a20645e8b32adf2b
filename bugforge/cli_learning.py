"""The commands that show what bugs do, and those that ask: experiments, lessons, the quiz."""

import sys
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
)

app = typer.Typer()


@app.command()
@handled
def demo(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="The kind, as `list` names it.",
            show_default=False,
            autocompletion=completion.kinds,
        ),
    ],
    form: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="A way to write the bug, as `show` names it.",
            show_default="first",
            autocompletion=completion.forms_of,
        ),
    ] = None,
    as_json: AsJson = False,
    time_limit: TimeLimit = 120.0,
) -> None:
    """Run a kind's experiment on a small program, with the bug and without."""
    from bugforge import demonstrating, lessons, report  # noqa: PLC0415

    console = console_of(stderr=as_json)
    found = known_catalogue().kind(kind)
    plan = demonstrating.planned(found, demonstrating.form_of(found, form) if form else None)
    lessons.show_plan(console, plan)
    with demonstrating.demonstrating(time_limit) as demonstrate:
        shown = demonstrate(plan)
    lessons.show_demonstration(console, shown)
    if as_json:
        print_json({"command": "demo", **report.demonstration_document(shown)})
    raise typer.Exit(0 if shown.tells else 1)


@app.command()
@handled
def lesson(
    stage: Annotated[
        str,
        typer.Argument(
            metavar="STAGE",
            help="A part of the program, such as attention.",
            show_default=False,
            autocompletion=completion.stages,
        ),
    ],
    as_json: AsJson = False,
    time_limit: TimeLimit = 120.0,
) -> None:
    """Go through five experiments of a stage, the easiest bug first."""
    from bugforge import demonstrating, lessons, report  # noqa: PLC0415

    console = console_of(stderr=as_json)
    plans = [demonstrating.planned(kind) for kind in demonstrating.lesson(stage, known_catalogue())]
    pauses = console.is_terminal and sys.stdin.isatty()
    with demonstrating.demonstrating(time_limit) as demonstrate:
        held = list(lessons.Lesson(console, pauses).held(plans, demonstrate))
    if as_json:
        print_json(report.lesson_document(stage, held))
    raise typer.Exit(0 if all(shown.tells for shown in held) else 1)


@app.command()
@handled
def quiz(
    topic: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Of this topic.",
            show_default=False,
            autocompletion=completion.topics,
        ),
    ] = None,
    before: Annotated[
        str | None,
        typer.Option(
            metavar="TRACK",
            help="What is asked before this one.",
            show_default=False,
            autocompletion=completion.tracks,
        ),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="How many questions.")] = 5,
    seed: Annotated[
        str | None, typer.Option(help="Draws questions and numbers.", show_default=False)
    ] = None,
    question: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Only this one.",
            show_default=False,
            autocompletion=completion.questions,
        ),
    ] = None,
    answer: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="Answer it here, and not when asked.", show_default=False
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask what an interviewer asks, with numbers drawn afresh and worked answers."""
    from bugforge import asking, quizzing, report  # noqa: PLC0415

    asked = quizzing.asked(quizzing.Wish(topic, before, question, count, seed))
    if answer is not None:
        marked = quizzing.mark(asked, answer)
        asking.show_marked(console_of(stderr=as_json), marked)
        if as_json:
            print_json(report.marked_document(marked))
        raise typer.Exit(0 if marked.right else 1)
    if as_json:
        print_json(report.quiz_document(asked))
        return
    console = console_of()
    asking.show_score(console, quizzing.held(asked, asking.Asking(console)))
