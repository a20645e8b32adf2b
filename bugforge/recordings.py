"""What a child wrote: recordings read back as data, and never trusted to be whole."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

Array = NDArray[Any]


@dataclass(frozen=True)
class Crash:
    """An exception of the learner's program, as they would see it."""

    type: str
    message: str
    place: tuple[str, int] | None
    """The file and the line, from 1, of the last of their own lines."""

    def __str__(self) -> str:
        where = f" ({self.place[0]}, line {self.place[1]})" if self.place else ""
        return f"{self.type}: {self.message}{where}"


@dataclass(frozen=True)
class Recording:
    """What one instrument saw, or the crash it ended in."""

    tensors: dict[str, Array] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    crash: Crash | None = None


def plain(text: str) -> str:
    """Make a learner's text safe to show: what is not printable becomes its escape."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


SPOILT = (
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,
    RecursionError,
    SafetensorError,
    TypeError,
    ValueError,
)
"""What reading a file can raise that no honest child has written."""

ENDED_EARLY = Crash("SystemExit", "the program ended before it had done its work", None)


def read_crash(error: Any) -> Crash:
    """Read the description of an exception; where it is spoilt, the program ended early."""
    try:
        place = error["place"] and (plain(str(error["place"]["file"])), int(error["place"]["line"]))
        return Crash(plain(str(error["type"])), plain(str(error["message"])), place)
    except SPOILT:
        return ENDED_EARLY


def read_recording(folder: Path, name: str) -> Recording:
    """Read one recording; where there is none, or a spoilt one, the program ended early."""
    path = folder / f"{name}.safetensors"
    try:
        with safe_open(path, framework="numpy") as opened:
            head = json.loads(opened.metadata()["facts"])
            tensors = {key: np.asarray(opened.get_tensor(key)) for key in opened.keys()}  # noqa: SIM118
        if "error" in head:
            return Recording(crash=read_crash(head["error"]))
        return Recording(tensors, dict(head["facts"]))
    except SPOILT:
        return Recording(crash=ENDED_EARLY)


def first_crash(recordings: Iterable[Recording]) -> Crash | None:
    """Give the first crash among recordings, if there is one."""
    return next((recording.crash for recording in recordings if recording.crash), None)
