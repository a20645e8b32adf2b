"""Scaffolding a plugin: a distribution with one mutation or rewrite in it, ready to be changed."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from bugforge.catalogue import MUTATIONS, REWRITES, Catalogue, refuse_unknown
from bugforge.errors import UsageError, WorkspaceError
from bugforge.files import beside, unwritable
from bugforge.mutation import ID_SHAPE as MUTATION_ID
from bugforge.rewrite import ID_SHAPE as REWRITE_ID

GROUPS = {"mutation": MUTATIONS, "rewrite": REWRITES}
SHAPES = {"mutation": MUTATION_ID, "rewrite": REWRITE_ID}


@dataclass(frozen=True)
class Scaffold:
    """A plugin that was scaffolded. what: mutation or rewrite."""

    what: str
    id: str
    folder: Path
    distribution: str
    module: Path

    def document(self) -> dict[str, Any]:
        """Describe it for `--json`."""
        return {
            "command": "dev new",
            "what": self.what,
            "id": self.id,
            "folder": str(self.folder.resolve()),
            "distribution": self.distribution,
            "module": str(self.module.resolve()),
        }


def scaffold(what: str, id_: str, to: Path | None, catalogue: Catalogue) -> Scaffold:
    """Write a plugin of this id into a new folder whole, or not at all.

    to: the folder; named after the distribution, by default. Raises UsageError for an id that is
    none or is taken, and WorkspaceError for a folder that is taken or cannot be written.
    """
    refuse_unknown("kind of plugin", what, GROUPS)
    _check_id(what, id_, catalogue)
    distribution = f"bugforge-{id_}"
    module = distribution.replace("-", "_")
    folder = to if to is not None else Path(distribution)
    words = {
        "id": id_,
        "what": what,
        "group": GROUPS[what],
        "class_name": "".join(word.capitalize() for word in id_.split("-")),
        "distribution": distribution,
        "module": module,
    }
    texts = {
        "pyproject.toml": _filled("plugin.toml", words),
        "README.md": _filled("plugin.md", words),
        f"{module}.py": _filled(f"{what}.txt", words),
    }
    _write(folder, texts)
    return Scaffold(what, id_, folder, distribution, folder / f"{module}.py")


def _check_id(what: str, id_: str, catalogue: Catalogue) -> None:
    if not SHAPES[what].fullmatch(id_) or not id_[0].isalpha():
        raise UsageError(
            f"{id_!r} is no id for a {what}.",
            "Use words of small letters and digits, joined by hyphens, such as mask-too-wide.",
        )
    taken = catalogue.origins if what == "mutation" else catalogue.rewrite_origins
    if id_ in taken:
        raise UsageError(f"The id {id_} is taken by {taken[id_]}.", "Choose another.")


def _filled(template: str, words: dict[str, str]) -> str:
    text = (files("bugforge.templates") / template).read_text(encoding="utf-8")
    return Template(text).substitute(words)


def _write(folder: Path, texts: dict[str, str]) -> None:
    """Write files beside a folder's place, then move them there whole."""
    if folder.exists() or folder.is_symlink():
        raise WorkspaceError(f"{folder} is there already.", "Name a folder that is not: --to DIR")
    try:
        with beside(folder) as fresh:
            for name, text in texts.items():
                (fresh / name).write_text(text, encoding="utf-8", newline="\n")
            fresh.rename(folder)
    except OSError as error:
        raise unwritable(error, folder) from error
