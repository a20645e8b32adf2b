"""A user's own program, read from where it lies: its Python files and nothing else."""

import ast
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from libcst import ParserSyntaxError

from bugforge.errors import UsageError
from bugforge.surgery import Source, parse

OWN = "own"
"""The track that a workspace of a user's own program says it is of."""
LEFT_OUT = {"__pycache__", "build", "dist", "node_modules", "venv"}
MAX_BYTES = 1024**2
MAX_FILES = 200


@dataclass(frozen=True)
class OwnProgram:
    """A program: text by file name, and its files parsed. Names are relative, with slashes."""

    files: Mapping[str, str]
    sources: Sequence[Source]


def read_own(paths: Sequence[Path]) -> OwnProgram:
    """Read files that are named, and all Python files under folders that are.

    Raises UsageError where one is missing, cannot be read or is not Python, where two would have
    one name, and where there is none at all.
    """
    files: dict[str, str] = {}
    for path in paths:
        for name, place in _named(path):
            if name in files:
                raise UsageError(
                    f"Two files are called {name}.", "Name the folder that holds both."
                )
            files[name] = _text(place)
    words = " ".join(map(str, paths))
    if not files:
        raise UsageError(
            f"There is no Python file in {words}.", "Name a program's folder, or its files."
        )
    if len(files) > MAX_FILES:
        raise UsageError(
            f"There are more than {MAX_FILES} Python files in {words}.",
            "Name the files of the model and of its training.",
        )
    return OwnProgram(files, [_parsed(name, text) for name, text in files.items()])


def _named(path: Path) -> Iterator[tuple[str, Path]]:
    """Give the Python files that a path stands for, by the names they will have."""
    if path.is_dir():
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(f for f in set(folders) - LEFT_OUT if not f.startswith("."))
            for name in sorted(names):
                place = Path(folder, name)
                if name.endswith(".py") and not place.is_symlink():
                    yield place.relative_to(path).as_posix(), place
    elif not path.exists():
        raise UsageError(f"There is nothing at {path}.", "Name a program's folder, or its files.")
    elif path.suffix != ".py":
        raise UsageError(f"{path} is no Python file.", "Name a program's folder, or its files.")
    else:
        yield path.name, path


def _text(path: Path) -> str:
    mend = "Leave it out, by naming the files that you want."
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{path} is larger than 1 MB.", mend)
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", mend) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text.", mend) from error


def _parsed(name: str, text: str) -> Source:
    try:
        ast.parse(text)  # which bugs in it must pass, too
        return parse(name, text)
    except (SyntaxError, ParserSyntaxError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else error.raw_line
        raise UsageError(
            f"{name} is not Python that can be parsed: see line {line}.",
            "Mend it, or leave it out, by naming the files that you want.",
        ) from error
    except RecursionError as error:
        raise UsageError(
            f"{name} is nested too deeply to be parsed.",
            "Leave it out, by naming the files that you want.",
        ) from error
