"""Kinds of bug that are known and that nothing plants, and why: `mutations/left_out.toml`."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class LeftOut:
    """A kind that is not planted.

    why: one of the reasons that several may share, and what more there is to say of this one.
    """

    id: str
    stage: str
    title: str
    why: str


def left_out() -> tuple[LeftOut, ...]:
    """Read the kinds, in the order of stages."""
    path = files("bugforge.mutations") / "left_out.toml"
    known = tomllib.loads(path.read_text(encoding="utf-8"))
    return tuple(
        LeftOut(
            id=kind["id"],
            stage=kind["stage"],
            title=kind["title"],
            why="; ".join(filter(None, (known["reasons"][kind["reason"]], kind.get("more")))),
        )
        for kind in known["kinds"]
    )
