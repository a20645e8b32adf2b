"""A learner's own tests, run by pytest on a program that lies nowhere."""

import os
import random
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from .job import Recording

BRIEFLY = ("-q", "-x", "--tb=no")
LONGEST = 300
"""Characters that are told of an error."""


def run_tests(spec: dict[str, Any]) -> Recording:
    """Run the tests of a folder on a program, up to the first that fails.

    Tells pytest's exit code, which is 0 where there are some and all passed; and which failed, and
    how. What draws at random without a seed draws the same each time, so that the same tests come
    to the same; hypothesis does so, and has no deadline for an example, where it is told of a CI.
    """
    import pytest  # noqa: PLC0415  # no other task needs it

    sys.meta_path.insert(0, _Modules(spec.pop("files")))
    sys.path.insert(0, str(Path.cwd()))
    os.environ["CI"] = "true"
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  # that is what tests draw from
    torch.manual_seed(0)
    faults, alone = _Faults(), _Alone(pytest.hookimpl(wrapper=True)(_alone))
    options = [*BRIEFLY, f"--rootdir={Path.cwd()}", spec["tests"]]
    code = pytest.main(options, plugins=[faults, alone])
    if code == pytest.ExitCode.USAGE_ERROR:
        faults.error = faults.error or _refusal(Path(spec["log"]))
    return Recording(facts={"code": int(code), "failed": faults.failed, "error": faults.error})


def _refusal(log: Path) -> str:
    """Give the line in which pytest tells why it did not begin: of an option, or of a conftest."""
    sys.stderr.flush()
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").split("\n")]
    raised = [line.removeprefix("E").strip() for line in lines if line.startswith("E  ")]
    told = [line for line in lines if "error:" in line.lower()]
    return (raised or told or [""])[-1][:LONGEST]


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


class _Alone:
    """Hands pytest a hook that comes before those of plugins."""

    def __init__(self, hook: Callable[[Any], Any]) -> None:
        self.pytest_cmdline_main = hook


def _alone(config: Any) -> Generator[None, Any, Any]:
    """Keep all in this process: another, as pytest-xdist starts some, would find no program."""
    if hasattr(config.option, "numprocesses"):
        config.option.numprocesses = 0
    return (yield)


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
