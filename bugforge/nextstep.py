"""What to do next: the state that a folder is found in, and the commands that go on from it."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bugforge.errors import WorkspaceError
from bugforge.scoring import RUNG_SHARES
from bugforge.workspace import DEFAULT, HIDDEN, MANIFEST, Workspace, around, further, open_workspace

State = Literal[
    "none", "unusable", "unchecked", "running", "paused", "failed", "passed", "revealed"
]

VERDICTS: Mapping[str, State] = {
    "passed": "passed",
    "failed": "failed",
    "could not tell": "failed",
}


@dataclass(frozen=True)
class Step:
    """A command, as it is typed but for the workspace's name, and what it does. takes_key: whether
    it asks for the answer key.
    """

    command: str
    does: str
    takes_workspace: bool = True
    takes_key: bool = False


START = Step("bugforge start", "set the clock going")
RESUME = Step("bugforge resume", "let the clock go on")
STATUS = Step("bugforge status", "see what time and runs are left")
RUN = Step("bugforge run", "run the program, and draw its losses")
CHECK = Step("bugforge check", "judge the program by what it does", takes_key=True)
HINT = Step(
    "bugforge hint",
    f"help, for {RUNG_SHARES[0]:.0%} to {RUNG_SHARES[-1]:.0%} of a bug's points",
    takes_key=True,
)
SYMPTOM = Step(
    "bugforge check --feedback symptom", "the same, and which laws are broken", takes_key=True
)
REVEAL = Step("bugforge reveal", "open the answer key: places, reasons, fixes", takes_key=True)
REPORT = Step(
    "bugforge report", "look back: when each bug fell, the score, what to practise", takes_key=True
)
WEAK = Step("bugforge new FOLDER --weak", "forge what you need most", takes_workspace=False)
NEW = Step("bugforge new", "forge a workspace with four bugs", takes_workspace=False)
AGAIN = Step("bugforge new FOLDER", "forge another one", takes_workspace=False)
TRACKS_STEP = Step("bugforge tracks", "what else there is to practise", takes_workspace=False)
QUIZ = Step("bugforge quiz", "be asked what interviewers ask", takes_workspace=False)
DOCTOR = Step("bugforge doctor", "see whether all is set up well", takes_workspace=False)

NEXT: Mapping[State, tuple[Step, ...]] = {
    "none": (NEW, TRACKS_STEP, QUIZ, DOCTOR),
    "unusable": (AGAIN, DOCTOR),
    "unchecked": (START, RUN, CHECK),
    "running": (STATUS, RUN, CHECK, HINT),
    "paused": (RESUME, STATUS),
    "failed": (RUN, CHECK, SYMPTOM, HINT, REVEAL),
    "passed": (REPORT, REVEAL, WEAK, QUIZ),
    "revealed": (REPORT, CHECK, WEAK, QUIZ),
}
"""What is offered in each state, in order."""


@dataclass(frozen=True)
class Situation:
    """A state, the workspace that is in it, if there is one, and how to name that in a command
    (empty where it needs no name). wrong: why it cannot be used. others: more workspaces here.
    """

    state: State
    workspace: Workspace | None = None
    name: str = ""
    wrong: WorkspaceError | None = None
    others: tuple[Path, ...] = ()

    def steps(self) -> list[Step]:
        """Give the commands that go on from here; behind a pass, with what can be added and
        was not yet.
        """
        steps = list(NEXT[self.state])
        if self.state == "passed" and self.workspace:
            root = self.workspace.root
            names = [
                name
                for name in follow_ups(self.workspace.manifest.track)
                if not (further(root, name) / HIDDEN / MANIFEST).is_file()
            ]
            words = "go on with this program, and add to it"
            steps[:0] = [
                Step(f"bugforge extend {name}", words, takes_key=True) for name in names[:1]
            ]
        return steps

    def line(self, step: Step) -> str:
        """Write a command as it is to be typed here."""
        words = [step.command]
        if step.takes_workspace and self.name:
            words.append(shlex.quote(self.name))
        if step.takes_key and self.workspace and not self.workspace.manifest.key_inside:
            words.append("--key-dir DIR")
        return " ".join(words)


def situation(folder: Path) -> Situation:
    """Tell the state of the workspace that a folder lies in, or else of one that lies in it."""
    holder = around(folder)
    beside = inside(folder)
    root = holder or (folder / DEFAULT if folder / DEFAULT in beside else None)
    root = root or (beside[0] if beside else None)
    if root is None:
        return Situation("none")
    others = () if holder else tuple(path for path in beside if path != root)
    name = "" if holder or root == folder / DEFAULT else root.name
    try:
        workspace = open_workspace(root)
        state = _state(workspace)
    except WorkspaceError as error:
        return Situation("unusable", None, name, error, others)
    return Situation(state, workspace, name, None, others)


def follow_ups(track: str) -> list[str]:
    """Name what can be added to some program of a track."""
    from bugforge.tracks import TRACKS  # noqa: PLC0415  # libcst comes with it, and may be broken

    own = [program for known in TRACKS if known.name == track for program in known.all_programs]
    return [
        further.name
        for further in TRACKS
        if further.follows_up
        and further.name != track
        and any(program.base in own for program in further.all_programs)
    ]


def inside(folder: Path) -> list[Path]:
    """Give the workspaces that lie in a folder, the one touched last first."""
    try:
        found = [path for path in folder.iterdir() if (path / HIDDEN / MANIFEST).is_file()]
        return sorted(found, key=lambda path: (-path.stat().st_mtime, path.name))
    except OSError:
        return []


def _state(workspace: Workspace) -> State:
    """Tell the state of a workspace. Raises WorkspaceError where its journal cannot be read."""
    state: State = "unchecked"
    stands = workspace.standing()
    for mark in stands.marks:
        if mark.event.name == "reveal" and stands.ended:
            state = "revealed"
        elif mark.event.name == "reset":
            state = "unchecked"
        elif mark.event.name == "check":
            state = VERDICTS.get(str(mark.event.fields.get("verdict")), state)
    if stands.state == "paused":
        return "paused"
    return "running" if state == "unchecked" and stands.began else state
