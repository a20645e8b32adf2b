"""What was found out afterwards of a practice: which bugs each program still held, and what the
correct program does that the learner's can be seen beside. Found out once, and kept.
"""

import base64
import hashlib
import json
import math
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from bugforge.answers import SPOILT, AnswerKey, State
from bugforge.bundle import bundled
from bugforge.files import write_whole

RETRACED = "retraced"
SCHEMA = 1
NO_BUG = 0
"""Stands for the correct program among the numbers of bugs."""
States = Mapping[int, State]
Grid = tuple[tuple[float, ...], ...]
"""How far logits move, by position, then by the token that was changed."""


@dataclass(frozen=True)
class Found:
    """What was found out. states: of each bug, by the digest of a program. losses: of the correct
    program's training, by step. influence: by the number of the one bug that was left in; of
    NO_BUG, of the correct program. seen: whether losses and influence were looked for.
    """

    states: Mapping[str, States]
    losses: tuple[float, ...] = ()
    influence: Mapping[int, Grid] | None = None
    seen: bool = False

    def lacks(self, programs: Iterable[str]) -> bool:
        """Whether there is anything left to find out, these programs among it."""
        return not self.seen or not set(programs) <= set(self.states)


def digest(program: Mapping[str, bytes]) -> str:
    """Name a program by what its files hold."""
    return hashlib.sha256(bundled(program)).hexdigest()


def remembered(path: Path, key: AnswerKey) -> Found:
    """Read what was found out before; nothing, where it is not to be read or another key's."""
    try:
        data = json.loads(zlib.decompress(base64.b85decode(path.read_bytes())))
        if (data["schema"], data["id"]) == (SCHEMA, key.id):
            return _found(data)
    except (OSError, *SPOILT):
        pass
    return Found({})


def _found(data: Mapping[str, Any]) -> Found:
    states = {
        str(name): {int(number): _state(state) for number, state in told.items()}
        for name, told in data["states"].items()
    }
    grids = {
        int(number): tuple(tuple(_number(value) for value in row) for row in grid)
        for number, grid in data["influence"].items()
    }
    losses = tuple(_number(loss) for loss in data["losses"])
    return Found(states, losses, grids, seen=bool(data["seen"]))


def _state(told: str) -> State:
    if told not in get_args(State):
        raise ValueError(told)
    return cast("State", told)


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def remember(path: Path, key: AnswerKey, found: Found) -> None:
    """Keep what was found out, if that can be written; as unreadable as the key, since a practice
    of which one bug was revealed goes on.
    """
    data = {
        "schema": SCHEMA,
        "id": key.id,
        "states": {name: dict(told) for name, told in found.states.items()},
        "losses": [_plain(loss) for loss in found.losses],
        "influence": {
            number: [[_plain(value) for value in row] for row in grid]
            for number, grid in (found.influence or {}).items()
        },
        "seen": found.seen,
    }
    with suppress(OSError):
        write_whole(path, base64.b85encode(zlib.compress(json.dumps(data).encode(), 9)))


def _plain(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None
