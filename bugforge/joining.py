"""A program of several files written as one, as a shared editor holds it. Pure."""

import ast
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bugforge.edits import Edit

MAIN = "main.py"
BETWEEN = ["\n", "\n"]


class NotJoinableError(Exception):
    """Two files give one name to different things, or one takes another whole."""


@dataclass(frozen=True)
class Joined:
    """One file, and where lines of the others, by file name and index from 0, stand in it."""

    text: str
    places: Mapping[tuple[str, int], int]

    def moved(self, edit: Edit) -> Edit:
        """Give an edit where it now stands. Raises NotJoinableError where its lines do not stand
        together any more.
        """
        around = range(edit.start, edit.end) or range(edit.start - 1, edit.start)
        places = [self.places.get((edit.name, line)) for line in around]
        first = places[0]
        if first is None or places != list(range(first, first + len(places))):
            message = f"{edit.name}, line {edit.start + 1} has no place in one file"
            raise NotJoinableError(message)
        return replace(edit, name=MAIN, start=first if edit.old else first + 1)


def join(files: Mapping[str, str]) -> Joined:
    """Write files as one: what they say of themselves, what they import, then one after another.

    Each may import names from those before it. Raises NotJoinableError.
    """
    modules = {name: ast.parse(text) for name, text in files.items()}
    _refuse_clashes(modules)
    own = {name.removesuffix(".py") for name in files}
    told = [words for module in modules.values() if (words := ast.get_docstring(module))]
    lines = _docstring(in_one_file("\n\n".join(told), files)) if told else []
    lines += _imports(modules.values(), own)
    places: dict[tuple[str, int], int] = {}
    for name, text in files.items():
        kept = _body(modules[name], text)
        lines += BETWEEN if lines else []
        places |= {(name, index): len(lines) + number for number, (index, _) in enumerate(kept)}
        lines += [line for _, line in kept]
    return Joined("".join(lines), places)


def in_one_file(words: str, files: Iterable[str]) -> str:
    """Say of one file what was said of several."""
    return re.sub(rf"\b({'|'.join(map(re.escape, files))})", MAIN, words)


def imported_from_one(code: str, files: Iterable[str]) -> str:
    """Let code import from one file what it imports from several."""
    modules = "|".join(re.escape(name.removesuffix(".py")) for name in files)
    whole = f"from {MAIN.removesuffix('.py')} import"
    return re.sub(rf"^from ({modules}) import", whole, code, flags=re.MULTILINE)


def joined(
    files: Mapping[str, str], bugs: Iterable[Iterable[Edit]]
) -> tuple[dict[str, str], list[tuple[Edit, ...]]]:
    """Give a program as one file, and the edits of each of its bugs where they now stand.

    Raises NotJoinableError.
    """
    whole = join(files)
    return {MAIN: whole.text}, [tuple(map(whole.moved, edits)) for edits in bugs]


def _refuse_clashes(modules: Mapping[str, ast.Module]) -> None:
    homes: dict[str, str] = {}
    for file, module in modules.items():
        for name in _defined(module):
            if homes.setdefault(name, file) != file:
                message = f"{name} stands in {homes[name]} and in {file}"
                raise NotJoinableError(message)


def _defined(module: ast.Module) -> Iterable[str]:
    """Name what a module defines at its top, imports aside."""
    for node in module.body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=targets):
                nodes = (node for target in targets for node in ast.walk(target))
                yield from (node.id for node in nodes if isinstance(node, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def _docstring(words: str) -> list[str]:
    end = "\n" if "\n" in words else ""
    return [*f'"""{words}{end}"""\n'.splitlines(keepends=True), "\n"]


def _imports(modules: Iterable[ast.Module], own: set[str]) -> list[str]:
    """Write the imports of all, each name once, the standard library's first."""
    plain: dict[str, str] = {}
    taken: dict[str, dict[str, str]] = {}
    bound: dict[str, str] = {}
    for module in modules:
        for node in module.body:
            for home, bind, words in _imported(node, own):
                source = f"{home}: {words}"
                if bound.setdefault(bind, source) != source:
                    message = f"{bind} is imported in two ways"
                    raise NotJoinableError(message)
                if isinstance(node, ast.Import):
                    plain[words] = home
                else:
                    taken.setdefault(home, {})[words] = bind
    lines: list[str] = []
    for is_standard in (True, False):
        whole = [words for words in sorted(plain) if _is_standard(plain[words]) is is_standard]
        parts = [home for home in sorted(taken) if _is_standard(home) is is_standard]
        some = [f"import {words}\n" for words in whole]
        some += [
            f"from {home} import {', '.join(sorted(taken[home], key=str.casefold))}\n"
            for home in parts
        ]
        lines += ["\n"] if lines and some else []
        lines += some
    return lines


def _imported(node: ast.stmt, own: set[str]) -> Iterable[tuple[str, str, str]]:
    """Give the module that each import is from, the name that it binds, and its words."""
    match node:
        case ast.Import(names=aliases):
            for alias in aliases:
                if alias.name in own:
                    message = f"{alias.name} is imported whole"
                    raise NotJoinableError(message)
                yield alias.name, alias.asname or alias.name.split(".")[0], _words(alias)
        case ast.ImportFrom(module=str(home), names=aliases):
            for alias in aliases:
                if home in own and alias.asname:
                    message = f"{alias.name} is imported under another name"
                    raise NotJoinableError(message)
                if home not in own:
                    yield home, alias.asname or alias.name, _words(alias)


def _words(alias: ast.alias) -> str:
    return f"{alias.name} as {alias.asname}" if alias.asname else alias.name


def _is_standard(module: str) -> bool:
    return module.split(".", maxsplit=1)[0] in sys.stdlib_module_names


def _body(module: ast.Module, text: str) -> Sequence[tuple[int, str]]:
    """Give the lines of a file, each with its index, but for its docstring and its imports."""
    lines = list(enumerate(text.splitlines(keepends=True)))
    nodes: list[ast.stmt] = [n for n in module.body if isinstance(n, ast.Import | ast.ImportFrom)]
    nodes += module.body[:1] if ast.get_docstring(module) is not None else []
    gone = {line - 1 for node in nodes for line in range(node.lineno, (node.end_lineno or 0) + 1)}
    kept = [(index, line) for index, line in lines if index not in gone]
    first = next((n for n, (_, line) in enumerate(kept) if line.strip()), len(kept))
    return kept[first:]
