"""A learner's own tests, run by pytest on a program."""

from pathlib import Path
from typing import Any

from .job import Recording
from .program import Program


class _Outcomes:
    """What became of each test: a pytest plugin."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.failed: list[str] = []

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Keep what failed, and what passed when it was called."""
        if report.failed:
            self.failed.append(report.nodeid)
        elif report.when == "call" and report.passed:
            self.passed.append(report.nodeid)


def run_tests(_: Program, spec: dict[str, Any]) -> Recording:
    """Run the tests that lie beside a program, up to the first that fails; tell which passed and
    which failed, and pytest's own exit code, which is 0 where there are some and all passed.
    """
    import pytest  # noqa: PLC0415  # no other job needs it

    outcomes = _Outcomes()
    quiet = [
        "-q",
        "-x",
        "--tb=no",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(Path.cwd()),
        spec["tests"],
    ]
    code = pytest.main(quiet, plugins=[outcomes])
    facts = {"code": int(code), "passed": outcomes.passed, "failed": outcomes.failed}
    return Recording(facts=facts)
