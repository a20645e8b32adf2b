"""The direction of imports, and what stands alone."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from bugforge.judgement import checks
from bugforge.probe import INSTRUMENTS
from bugforge.training import not_judged

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "bugforge"


def _imports(path: Path) -> Iterator[str]:
    """Name every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _rows() -> dict[str, int]:
    """Read the rows of modules from ARCHITECTURE.md."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    table = text.split("| row | modules |")[1].split("\n\n")[0].splitlines()[2:]
    return {
        name: number for number, line in enumerate(table) for name in re.findall(r"`(\w+)`", line)
    }


def _modules() -> dict[str, list[Path]]:
    """Name every module or package of the command, with its files."""
    modules = {path.stem: [path] for path in PACKAGE.glob("*.py") if path.stem != "__init__"}
    modules["properties"] = list((PACKAGE / "properties").glob("*.py"))
    del modules["warm"]
    return modules


def test_imports_run_one_way() -> None:
    """Every module is in ARCHITECTURE.md, and imports only from rows above it or its own; and
    there is no circle.
    """
    rows, modules = _rows(), _modules()
    assert set(modules) == set(rows)
    arrows = {
        name: {
            imported.split(".")[1]
            for path in paths
            for imported in _imports(path)
            if imported.startswith("bugforge.") and imported.split(".")[1] in modules
        }
        - {name}
        for name, paths in modules.items()
    }
    for name, targets in arrows.items():
        assert all(rows[target] <= rows[name] for target in targets), (name, targets)
    while arrows:
        free = {name for name, targets in arrows.items() if not targets & set(arrows)}
        assert free, f"a circle among {sorted(arrows)}"
        arrows = {name: targets for name, targets in arrows.items() if name not in free}


def test_the_harness_stands_alone() -> None:
    """What runs beside a learner's code imports nothing of Bugforge."""
    for path in [PACKAGE / "warm.py", *(PACKAGE / "harness").glob("*.py")]:
        assert not [name for name in _imports(path) if name.startswith("bugforge")], path


def test_the_reference_is_plain() -> None:
    """The reference imports torch and the standard library, and nothing of ours."""
    for path in (ROOT / "reference" / "gpt").glob("*.py"):
        names = {name.split(".")[0] for name in _imports(path)}
        assert names <= {"dataclasses", "math", "sys", "torch", "model"}, path


def test_mutations_import_only_the_api() -> None:
    """A built-in mutation needs no more than one from elsewhere may use."""
    for path in (ROOT / "mutations").rglob("*.py"):
        names = {name for name in _imports(path) if name.startswith("bugforge")}
        assert all(name.startswith("bugforge.mutation") for name in names), path


def test_only_the_command_line_prints_and_exits() -> None:
    """No other module of the command calls print or sys.exit."""
    for path in (p for paths in _modules().values() for p in paths):
        is_line = path.name.startswith("cli") or path.name == "command_line.py"
        if not is_line and path.name != "__main__.py":
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"(?<![\w.])print\(|sys\.exit\(|import typer", text), path


def test_the_session_in_the_readme_counts_all_laws() -> None:
    """The session that README.md shows speaks of as many laws as there are."""
    of_training = [law for unseen in (False, True) for law in not_judged(unseen=unseen, why="")]
    laws = 1 + len(checks(INSTRUMENTS)) + len(of_training)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"All {laws} laws hold" in text
    assert f"could not be judged, of {laws}." in text
