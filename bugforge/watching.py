"""Watching a workspace: what is done at each save and each key, wherever those come from. Pure, but
for what it is given to do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

KEYS = {
    "h": "hint",
    "r": "run",
    "c": "check",
    "s": "status",
    "?": "keys",
    "q": "quit",
}
"""What is done at a key."""

HELP = "keys"
QUIT = "quit"


@dataclass(frozen=True)
class Saved:
    """The learner's files have changed. program: tells what they hold from what they held."""

    program: str


@dataclass(frozen=True)
class Pressed:
    """A key was pressed."""

    key: str


class Inbox(Protocol):
    """Where saves and keys come in."""

    def take(self) -> Saved | Pressed | None:
        """Wait for the next, and give it; None where there will be no more."""

    def waits(self) -> bool:
        """Whether there is one to be taken."""


Look = Callable[[Callable[[], bool]], bool]
"""Looks at the program and shows what it finds, as long as what it is given says False; tells
whether it came to an end.
"""


def watch(inbox: Inbox, first: str, look: Look, deeds: Mapping[str, Callable[[], None]]) -> None:
    """Look at a program whenever it has changed, and do what keys ask, until one says to quit.

    first: tells what the files hold at the beginning. A look is given up for whatever comes in, so
    that no program keeps one waiting, and begun anew behind it. deeds: by the words of KEYS; a key
    that is none of those shows which there are.
    """
    now, seen = first, None
    while True:
        if now != seen and not inbox.waits():
            seen = now if look(inbox.waits) else None  # what is shown is of neither
            continue
        match inbox.take():
            case Saved(program):
                now = program
            case Pressed(key):
                deed = KEYS.get(key.lower(), HELP)
                if deed == QUIT:
                    return
                deeds[deed]()
            case None:
                return
