"""Results as documents: plain data for `--json`, obeying the chosen feedback.

The schema is described in docs/json.md; a change that could break a reader raises it.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, Literal, get_args

from bugforge.analysis import Analysis, Fit
from bugforge.answers import AnswerKey, Bug
from bugforge.catalogue import Catalogue
from bugforge.checks import Reading
from bugforge.demonstrating import Demonstration
from bugforge.diff import solution, unified
from bugforge.experiments import Experiment, Shown, experiment_of, experiments
from bugforge.mend import forged_start
from bugforge.mutation import Form, Mutation
from bugforge.own_sites import Survey
from bugforge.own_verdict import OwnVerdict
from bugforge.questions import Asked
from bugforge.quizzing import Marked
from bugforge.revealing import Revealed
from bugforge.tally import Tally
from bugforge.tracks import TRACKS
from bugforge.training import Run
from bugforge.verify import Verdict
from bugforge.workspace import Workspace

Feedback = Literal["verdict", "symptom", "component", "full"]
FEEDBACKS: tuple[str, ...] = get_args(Feedback)


def exit_code(verdict: Verdict) -> int:
    """0 passed, 4 stopped at a limit, else 1."""
    if verdict.passed:
        return 0
    return 4 if verdict.limit else 1


def outcome(verdict: Verdict) -> str:
    """Name a verdict in one of its three words."""
    if verdict.passed:
        return "passed"
    return "failed" if verdict.broken else "could not tell"


def tells(feedback: str, level: Feedback) -> bool:
    """Whether a feedback reaches a level."""
    return FEEDBACKS.index(feedback) >= FEEDBACKS.index(level)


def tells_claims(feedback: str, level: Feedback, *, passed: bool) -> bool:
    """Whether of a learner's claims as much is told as at a level: all of it, once they passed."""
    return passed or tells(feedback, level)


def check_document(
    workspace: Workspace,
    verdict: Verdict,
    feedback: str,
    *,
    renewed: bool,
    analysis: Analysis | None,
) -> dict[str, Any]:
    """Describe a check, saying no more than its feedback allows. renewed, analysis: as of
    `Checked`.
    """
    document: dict[str, Any] = {
        "command": "check",
        "workspace": str(workspace.root),
        "id": workspace.manifest.id,
        "track": workspace.manifest.track,
        "feedback": feedback,
        "verdict": outcome(verdict),
        "exit_code": exit_code(verdict),
        "laws": {
            "kept": sum(reading.kept is True for reading in verdict.readings),
            "broken": len(verdict.broken),
            "could_not_tell": len(verdict.untold),
        },
        "crash": verdict.crash
        and {
            "type": verdict.crash.type,
            "message": verdict.crash.message,
            "file": verdict.crash.place and verdict.crash.place[0],
            "line": verdict.crash.place and verdict.crash.place[1],
        },
        "limit": verdict.limit
        and {
            "name": verdict.limit.limit,
            "used": verdict.limit.used,
            "allowed": verdict.limit.allowed,
        },
        "restore": list(verdict.restore),
        "isolation": list(verdict.isolation),
        "expected_renewed": renewed,
        "analysis": analysis and _analysis(analysis, feedback, passed=verdict.passed),
        "runs": [_run(run) for run in verdict.runs],
        "tests": verdict.tally and _tests(verdict.tally, feedback),
    }
    if isinstance(verdict, OwnVerdict):
        document |= {"models": list(verdict.models), "not_judged": list(verdict.unjudged)}
    if tells(feedback, "symptom"):
        place = tells(feedback, "component")
        document["broken"] = [_law(reading, place=place) for reading in verdict.broken]
    if tells(feedback, "full"):
        document["bugs"] = [
            {"number": number, "state": state} for number, state in sorted(verdict.bugs.items())
        ]
        document["changed_elsewhere"] = verdict.changed_elsewhere
    return document


def _analysis(analysis: Analysis, feedback: str, *, passed: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"claims": len(analysis.fits)}
    if tells_claims(feedback, "component", passed=passed):
        told["fitting"] = analysis.fitting
    if tells_claims(feedback, "full", passed=passed):
        told |= {
            "fits": [_fit(fit) for fit in analysis.fits],
            "unclaimed": list(analysis.unclaimed),
        }
    return told


def _fit(fit: Fit) -> dict[str, Any]:
    return {
        "claim": fit.claim.number,
        "bug": fit.bug,
        "in_place": fit.in_place,
        "in_class": fit.in_class,
    }


def _tests(tally: Tally, feedback: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "score": tally.score,
        "right_programs": tally.right,
        "false_alarms": [{"test": a.failed or None, "error": a.error} for a in tally.alarms],
        "wrong_programs": tally.wrong,
        "least": tally.least,
        "caught": len(tally.caught),
        "missed": len(tally.missed),
        "classes": [
            {"class": name, "caught": caught, "missed": of - caught}
            for name, (caught, of) in tally.by_class().items()
        ],
    }
    if tells(feedback, "component"):
        told["survivors"] = survivors(tally, feedback)
    return told


def survivors(tally: Tally, feedback: str) -> list[dict[str, str]]:
    """Describe the wrong programs that no test fails on, from the feedback on that tells of each:
    the stage of its bug; and in full the kind and the form, too.
    """
    if not tells(feedback, "component") or tally.alarms:
        return []
    in_full = tells(feedback, "full")
    return [
        {
            "class": wrong.kind.bug_class,
            "stage": wrong.kind.stage,
            **({"kind": wrong.kind.id, "form": wrong.form.name} if in_full else {}),
        }
        for wrong in tally.missed
    ]


def _law(reading: Reading, *, place: bool) -> dict[str, Any]:
    law: dict[str, Any] = {"law": reading.sentence}
    if place:
        law |= {
            "name": reading.check,
            "stage": reading.stage,
            "value": _number(reading.value),
            "bound": _number(reading.bound),
        }
    return law


def _run(run: Run) -> dict[str, Any]:
    return {
        "sentence": run.text,
        "prompt": run.prompt,
        "sample": run.sample,
        "exact": run.exact,
        "never_shown": run.unseen,
        "losses": [_number(loss) for loss in run.losses],
        "final_loss": _number(run.final_loss),
        "seconds": run.recording.facts.get("seconds"),
        "trainings": run.attempts,
    }


def _number(value: float | None) -> float | None:
    # JSON knows neither NaN nor infinity.
    return value if value is not None and math.isfinite(value) else None


def reveal_document(revealed: Revealed) -> dict[str, Any]:
    """Describe what the answer key holds, and what was mended."""
    key, mended = revealed.key, revealed.mended
    analysis = revealed.analysis
    return {
        "command": "reveal",
        "workspace": str(revealed.workspace.root),
        "id": key.id,
        "track": key.track,
        "seed": key.seed,
        "options": key.options,
        "bugs": [
            {**bug_document(key, bug), "claimed": _claimed(analysis, bug)} for bug in revealed.bugs
        ],
        "other_claims": [claim.words for claim in analysis.others] if analysis else [],
        "ways": list(key.ways),
        "decoys": list(key.decoys),
        "plugins": list(key.plugins),
        "solution": solution(key) if key.given else None,
        "derivation": revealed.derivation and asdict(revealed.derivation),
        "applied": mended
        and {
            "mended": mended.taken_out,
            "left_alone": mended.changed,
            "written": sorted(mended.files) if key.given else [],
            "put_aside": [path.name for path in revealed.aside],
        },
    }


def _claimed(analysis: Analysis | None, bug: Bug) -> str | None:
    claim = analysis.of(bug.number) if analysis else None
    return claim.words if claim else None


def bug_document(key: AnswerKey, bug: Bug) -> dict[str, Any]:
    """Describe a planted bug in full."""
    return {
        "number": bug.number,
        "kind": bug.kind,
        "form": bug.form,
        "class": bug.bug_class,
        "stage": bug.stage,
        "difficulty": bug.difficulty,
        "title": bug.title,
        "places": [{"file": edit.name, "line": forged_start(key, edit) + 1} for edit in bug.edits],
        "diff": unified(key, bug),
        "what": bug.what,
        "why": bug.why,
        "symptom": bug.symptom,
        "find": bug.find,
        "other_fixes": bug.other_fixes,
        "hints": list(bug.hints),
        "provenance": list(bug.provenance),
    }


def kind_document(
    kind: type[Mutation], origin: str, known: Sequence[Experiment], only: Form | None = None
) -> dict[str, Any]:
    """Describe a kind of bug. known: the experiments of which one may expose it. only: the one form
    that was asked for.
    """
    page = kind.page
    experiment = experiment_of(kind, known, only)
    return {
        "id": kind.id,
        "class": kind.bug_class,
        "stage": kind.stage,
        "difficulty": kind.difficulty,
        "visibility": kind.visibility,
        "origin": origin,
        "title": page.title,
        "what": page.what,
        "why": page.why,
        "symptom": page.symptom,
        "find": page.find,
        "other_fixes": page.other_fixes,
        "forms": [
            {"name": form.name, "correct": form.correct, "buggy": form.buggy}
            for form in ((only,) if only else kind.forms)
        ],
        "killed_by": sorted(kind.killed_by),
        "experiment": experiment and experiment_document(experiment),
        "provenance": list(kind.provenance),
    }


def experiment_document(experiment: Experiment) -> dict[str, Any]:
    """Describe an experiment."""
    return {
        "id": experiment.id,
        "title": experiment.title,
        "code": experiment.code,
        "shows": experiment.shows,
        "unit": experiment.unit or None,
        "at_most": experiment.at_most,
        "at_least": experiment.at_least,
        "see": experiment.see,
        "inner_names": experiment.inner,
    }


def demonstration_document(shown: Demonstration) -> dict[str, Any]:
    """Describe an experiment and what it showed."""
    plan = shown.planned
    return {
        "kind": plan.mutant.kind.id,
        "form": plan.mutant.form.name,
        "program": plan.program.label,
        "experiment": experiment_document(plan.experiment),
        "right": _shown(shown.right),
        "wrong": _shown(shown.wrong),
        "tells": shown.tells,
    }


def lesson_document(stage: str, held: Iterable[Demonstration]) -> dict[str, Any]:
    """Describe the experiments of a lesson."""
    experiments = [demonstration_document(shown) for shown in held]
    return {"command": "lesson", "stage": stage, "demonstrations": experiments}


def _shown(shown: Shown) -> dict[str, Any]:
    return {
        "number": _number(shown.number),
        "curve": [_number(value) for value in shown.curve],
        "crash": shown.crash and str(shown.crash),
    }


def list_document(catalogue: Catalogue) -> dict[str, Any]:
    """Describe every kind and every rewrite, and the plugins that are broken."""
    known = experiments()
    return {
        "command": "list",
        "kinds": [
            kind_document(kind, catalogue.origins[id_], known)
            for id_, kind in catalogue.kinds.items()
        ],
        "rewrites": [
            {
                "id": id_,
                "origin": catalogue.rewrite_origins[id_],
                "title": rewrite.title(),
                "ways": list(rewrite.choices()),
            }
            for id_, rewrite in catalogue.rewrites.items()
        ],
        "broken": [asdict(plugin) for plugin in catalogue.broken],
    }


def tracks_document() -> dict[str, Any]:
    """Describe every track."""
    return {
        "command": "tracks",
        "tracks": [
            {
                "name": track.name,
                "title": track.title,
                "trains": track.trains,
                "seconds_to_train": track.seconds,
                "programs": [program.name for program in track.programs],
                "classes": list(track.bug_classes),
            }
            for track in TRACKS
        ],
    }


def quiz_document(asked: Sequence[Asked]) -> dict[str, Any]:
    """Describe questions, and not their answers."""
    return {"command": "quiz", "questions": [_asked(one) for one in asked]}


def marked_document(marked: Marked) -> dict[str, Any]:
    """Describe a question with an answer, whether that is right, and the worked one."""
    return {
        "command": "quiz",
        **_asked(marked.asked),
        "answer": marked.answer,
        "right": marked.right,
        "expected": marked.asked.expected,
        "solution": marked.asked.solution,
    }


def _asked(asked: Asked) -> dict[str, Any]:
    question = asked.question
    return {
        "id": question.id,
        "topic": question.topic,
        "track": question.track or None,
        "seed": asked.seed,
        "text": asked.text,
        "choices": list(asked.choices),
        "unit": question.unit or None,
    }


def survey_document(found: Survey) -> dict[str, Any]:
    """Describe which kinds find a place in a program."""
    return {
        "command": "sites",
        "files": list(found.files),
        "kinds": [
            {
                "id": id_,
                "sites": [
                    {"form": place.form, "file": place.name, "line": place.line} for place in places
                ],
            }
            for id_, places in found.found.items()
        ],
        "none": list(found.none),
    }
