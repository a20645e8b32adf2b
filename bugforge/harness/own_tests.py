"""A learner's own tests, run by pytest on a program that lies nowhere."""

import sys
from collections.abc import Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

from .job import Recording

BRIEFLY = ("-q", "-x", "--tb=no", "-p", "no:cacheprovider")
LONGEST = 300
"""Characters that are told of an error."""


def run_tests(spec: dict[str, Any]) -> Recording:
    """Run the tests of a folder on a program, up to the first that fails.

    Tells pytest's exit code, which is 0 where there are some and all passed; and which failed, and
    how.
    """
    import pytest  # noqa: PLC0415  # no other task needs it

    sys.meta_path.insert(0, _Modules(spec.pop("files")))
    sys.path.insert(0, str(Path.cwd()))
    faults = _Faults()
    code = pytest.main([*BRIEFLY, f"--rootdir={Path.cwd()}", spec["tests"]], plugins=[faults])
    return Recording(facts={"code": int(code), "failed": faults.failed, "error": faults.error})


class _Modules(MetaPathFinder, Loader):
    """Imports modules from texts that are on no disk, so that tests see what a program does, and
    cannot read how it is written.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        self.codes = {
            name.removesuffix(".py"): compile(text, name, "exec", dont_inherit=True)
            for name, text in files.items()
        }

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return spec_from_loader(fullname, self) if fullname in self.codes else None

    def exec_module(self, module: ModuleType) -> None:
        exec(self.codes[module.__name__], module.__dict__)  # noqa: S102  # as an import does


class _Faults:
    """Keeps what the first test that failed is called, and its error, in a line."""

    def __init__(self) -> None:
        self.failed = self.error = ""

    def pytest_exception_interact(self, node: Any, call: Any) -> None:
        """Take what pytest tells of an error in a test, or in collecting it."""
        if not self.failed:
            first, *others = str(call.excinfo.exconly()).strip().splitlines() or [""]
            if others and "::" not in str(
                node.nodeid
            ):  # of a file: what is wrong with it comes last
                first = others[-1].removeprefix("E").strip()
            self.failed, self.error = str(node.nodeid), first[:LONGEST]
