"""The answer key: what was planted, sealed so that nobody stumbles over it.

The seal is compression and a text encoding: it hides the answer from the eye, from search and
from an editor. It does not hide it from someone who decodes it; for that, keep the key away
with `--key-dir`. A digest shows a key that was cut short or altered.
"""

import base64
import dataclasses
import hashlib
import json
import textwrap
import zlib
from dataclasses import dataclass
from typing import Any, Literal

from bugforge.edits import Edit, apply_edits
from bugforge.errors import AnswerKeyError

SCHEMA = 5
MAGIC = "bugforge-key"
WIDTH = 100
SPOILT = (AttributeError, LookupError, RecursionError, TypeError, ValueError, zlib.error)
"""What reading a key can raise that Bugforge has not written."""

State = Literal["fixed", "remaining", "could not tell"]
"""What is known of a bug of a key."""


@dataclass(frozen=True)
class Bug:
    """One planted bug: its number, its kind, the edits that planted it, and its explanation.

    number: counts from 1, in an order that says nothing about place.
    """

    number: int
    kind: str
    form: str
    bug_class: str
    stage: str
    difficulty: str
    title: str
    what: str
    why: str
    symptom: str
    find: str
    other_fixes: str
    hints: tuple[str, ...]
    provenance: tuple[str, ...]
    edits: tuple[Edit, ...]


@dataclass(frozen=True)
class AnswerKey:
    """All that was chosen for a workspace: enough to explain it, judge it and forge it again.

    reference: the program that it is forged from. pristine: the correct one, text by file name.
    ways: how it is written where that is not as in the reference. decoys: why what looks like a bug
    in it is right. plugins: the distributions, beside Bugforge, that bring some of its ways.
    given: what a learner begins with, text by file name, where that is no program with bugs in it
    but one that lacks what they are to write. tests: right tests of it, where they are to write
    some, too.
    """

    id: str
    track: str
    version: str
    seed: str
    options: dict[str, Any]
    text: str
    pristine: dict[str, str]
    bugs: tuple[Bug, ...]
    ways: tuple[str, ...] = ()
    decoys: tuple[str, ...] = ()
    reference: str = "gpt"
    plugins: tuple[str, ...] = ()
    given: dict[str, str] = dataclasses.field(default_factory=dict)
    tests: dict[str, str] = dataclasses.field(default_factory=dict)

    def program(self, planted: frozenset[int]) -> dict[str, str]:
        """Give the program with the bugs of these numbers left in, text by file name."""
        edits = [edit for bug in self.bugs if bug.number in planted for edit in bug.edits]
        return apply_edits(self.pristine, edits)

    @property
    def is_single_file(self) -> bool:
        """Whether the program was asked for as one file."""
        return bool(self.options.get("single_file"))

    @property
    def solution(self) -> dict[str, str]:
        """All that a learner might have written, text by file name."""
        return {**self.pristine, **self.tests}

    @property
    def forged(self) -> dict[str, str]:
        """The program as the learner was given it."""
        return dict(self.given) or self.program(frozenset(bug.number for bug in self.bugs))


def seal(key: AnswerKey) -> str:
    """Write a key as text in which nothing can be read."""
    plain = json.dumps(dataclasses.asdict(key), sort_keys=True).encode()
    packed = zlib.compress(plain, 9)
    body = "\n".join(textwrap.wrap(base64.b85encode(packed).decode(), WIDTH))
    digest = hashlib.sha256(packed).hexdigest()
    return f"{MAGIC} {SCHEMA} {digest}\n{body}\n"


def unseal(text: str, where: str) -> AnswerKey:
    """Read a sealed key. Raises AnswerKeyError where it is damaged or of a newer version."""
    head, _, body = text.partition("\n")
    words = head.split()
    if len(words) != 3 or words[0] != MAGIC or not words[1].isdecimal():  # noqa: PLR2004
        raise _damaged(where)
    if int(words[1]) > SCHEMA:
        raise AnswerKeyError(
            f"The answer key {where} was made by a newer Bugforge.",
            "Upgrade: pip install --upgrade bugforge",
        )
    if int(words[1]) < SCHEMA:
        raise AnswerKeyError(
            f"The answer key {where} was made by an older Bugforge.",
            "Forge the workspace again, or install the version that its manifest names.",
        )
    try:
        packed = base64.b85decode("".join(body.split()))
    except ValueError as error:
        raise _damaged(where) from error
    if hashlib.sha256(packed).hexdigest() != words[2]:
        raise _damaged(where)
    try:
        return _from_json(json.loads(zlib.decompress(packed)))
    except (
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
        zlib.error,
    ) as error:
        raise _damaged(where) from error


def _from_json(data: Any) -> AnswerKey:
    bugs = tuple(
        Bug(
            **{
                **bug,
                "hints": tuple(bug["hints"]),
                "provenance": tuple(bug["provenance"]),
                "edits": tuple(
                    Edit(e["name"], e["start"], tuple(e["old"]), tuple(e["new"]))
                    for e in bug["edits"]
                ),
            }
        )
        for bug in data["bugs"]
    )
    told = {name: tuple(data[name]) for name in ("ways", "decoys", "plugins")}
    return AnswerKey(**{**data, **told, "bugs": bugs})


def _damaged(where: str) -> AnswerKeyError:
    return AnswerKeyError(
        f"The answer key {where} is damaged: it was cut short or altered.",
        "Put the original back, or forge the workspace again with the same seed and options.",
    )
