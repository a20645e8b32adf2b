"""A process that has torch loaded and none of the learner's code: it forks a child per job.

Run as a script, by its path, so that nothing else of Bugforge is imported here. It reads one
JSON job a line from standard input and answers with one JSON line when a child has ended.
Children are kept in its own tree: those whose parent dies become this process's, so that the
command can find and end every one.
"""

import ctypes
import gc
import importlib.util
import json
import os
import resource
import select
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
POLL_SECONDS = 0.01
HARNESS = "_bugforge_harness"
"""A name that no file of a learner's has."""


def main() -> None:
    """Serve jobs until standard input ends."""
    child, isolation = _load_harness()
    version = str(child.torch.__version__)
    _adopt_orphans()
    gc.freeze()  # what is loaded stays; collecting it in each child would copy its pages
    running: dict[int, str] = {}
    pending = b""
    _say({"ready": True, "torch": version, "isolation": _try_isolation(isolation)})
    while True:
        readable, _, _ = select.select([0], [], [], POLL_SECONDS)
        if readable:
            chunk = os.read(0, 65536)
            if not chunk:
                return
            *lines, pending = (pending + chunk).split(b"\n")
            del chunk  # a child sees what is here, and its tests must not find the program's text
            while lines:
                spec = json.loads(lines.pop(0))
                child.prepare(spec["task"])
                pid = _fork(child, isolation, spec)
                running[pid] = spec["name"]
                _say({"started": spec["name"], "pid": pid})
        _reap(running)


def _reap(running: dict[int, str]) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if pid in running:
            _say({"ended": running.pop(pid), "exit": os.waitstatus_to_exitcode(status)})


def _fork(child: ModuleType, isolation: ModuleType, spec: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        os.setsid()
        _die_with_parent()
        _cut_off(Path(spec["log"]))
        resource.setrlimit(resource.RLIMIT_FSIZE, (spec["file_bytes"],) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if spec["walls"] is not None:
            _wall_in(isolation, spec)
        child.run(spec)
        status = 0
    except BaseException:  # noqa: BLE001  # the child must end here, never in the parent's loop
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
        finally:
            os._exit(status)


def _wall_in(isolation: ModuleType, spec: dict[str, Any]) -> None:
    """Isolate a child that is to run a learner's code; its own folders stay writable."""
    scratch = Path(spec["out"]) / "scratch"
    scratch.mkdir()
    os.environ.update(HOME=str(scratch), TMPDIR=str(scratch))
    tempfile.tempdir = None  # what was found out in this process is not for the child
    isolation.isolate([spec["out"], spec["program"]], spec["walls"])
    _die_with_parent()


def _try_isolation(isolation: ModuleType) -> list[str]:
    """Find out in a child of its own which walls hold here."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            held = isolation.isolate([], [str(Path.cwd())])
            os.write(writing, json.dumps(held).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        held_here = told.read()
    os.waitpid(pid, 0)
    return list(json.loads(held_here or b"[]"))


def _cut_off(log: Path) -> None:
    """Leave the child nothing of the parent's: no input, and its output into a file."""
    quiet = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(quiet, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.closerange(3, 1024)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _load_harness() -> tuple[ModuleType, ModuleType]:
    """Import what children do, and their walls, under a name apart from this package's."""
    folder = Path(__file__).with_name("harness")
    spec = importlib.util.spec_from_file_location(
        HARNESS, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[HARNESS] = package
    sys.modules["bugforge"] = None  # type: ignore[assignment]  # a learner may not import it
    spec.loader.exec_module(package)
    module = importlib.import_module(f"{HARNESS}.child")
    torch = module.torch
    torch.set_num_threads(1)
    # The first optimizer makes torch import its compiler: once here serves every child.
    torch.optim.AdamW([torch.zeros(1, requires_grad=True)]).step()
    return module, importlib.import_module(f"{HARNESS}.isolation")


def _adopt_orphans() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
        _die_with_parent()


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
