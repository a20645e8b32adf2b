"""What a child process does: import one program, run what the job asks, write what it saw."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors.torch import load_file, save_file

from .expected import expected
from .experiment import experiment
from .faults import described
from .instruments import INSTRUMENTS
from .job import Job, Recording
from .multiplying import Multiplying
from .multiplying import instruments as multiplying
from .own import record_own
from .own_tests import run_tests
from .pipeline import Pipeline
from .pipeline import instruments as of_pipelines
from .program import Program
from .training import replay, train_and_sample
from .weights import Pairing, drawn, read_weights, write_weights

R = TypeVar("R", bound=Recording)


def prepare(task: str) -> None:
    """Load, in the process that forks children, what each child with such a task would load."""
    if task == "tests":
        import pytest  # noqa: F401, PLC0415  # no other task needs it


def run(spec: dict[str, Any]) -> None:
    """Carry out one job and write a file per recording into its `out` folder.

    A recording that ends in an exception holds that exception instead; later ones still run.
    """
    torch.set_num_threads(1)
    folder, out = Path(spec["program"]), Path(spec["out"])
    os.chdir(folder)
    sys.dont_write_bytecode = True
    if spec["task"] == "own":
        record_own(spec, folder, partial(_recorded, out, folder))
        return
    if spec["task"] == "tests":
        _recorded(out, folder, "tests", lambda: run_tests(spec))
        return
    subject = SUBJECTS[spec.get("subject", "language")]
    program = _recorded(out, folder, "import", lambda: _Imported(subject.load(folder)))
    if program is None:
        return
    task = spec["task"]
    if task == "record":
        instruments = subject.instruments(program.value, spec)
        for name in spec["instruments"]:
            _recorded(out, folder, name, instruments[name])
    else:
        _recorded(out, folder, task, lambda: DEEDS[task](program.value, spec))


DEEDS: dict[str, Callable[[Any, dict[str, Any]], Recording]] = {
    "expected": expected,
    "experiment": experiment,
    "replay": replay,
    "train": train_and_sample,
}
"""What else can be asked of a program, by the name of the task."""


class _Imported(Recording):
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


def _language(program: Program, spec: dict[str, Any]) -> dict[str, Callable[[], Recording]]:
    """Give the instruments that record a language model, by name."""
    given = load_file(spec["inputs"])
    data = given.pop("data")
    held_out = given.pop("held out", data[:0])
    weights_file, width = Path(spec["weights"]), spec["sizes"]["n_embd"]
    if spec["draw_weights"]:
        write_weights(drawn(program.build(**spec["sizes"]), spec["seed"], width), weights_file)
    job = Job(
        sizes=spec["sizes"],
        fields=spec["fields"],
        weights=read_weights(weights_file),
        pairing=Pairing(**spec["pairing"], width=width),
        otherwise=[Pairing(**pairing, width=width) for pairing in spec["otherwise"]],
        inputs=given,
        data=data,
        held_out=held_out,
        text=spec["text"],
        samplings=spec["samplings"],
        drawn_on=spec["drawn_on"],
        seed=spec["seed"],
        rotary=spec["rotary"],
    )
    return {name: partial(record, program, job) for name, record in INSTRUMENTS.items()}


@dataclass(frozen=True)
class _Subject:
    """How programs of one subject are imported, and what records one, by name."""

    load: Callable[[Path], Any]
    instruments: Callable[[Any, dict[str, Any]], dict[str, Callable[[], Recording]]]


SUBJECTS: dict[str, _Subject] = {
    "language": _Subject(Program, _language),
    "matmul": _Subject(Multiplying, multiplying),
    "pipeline": _Subject(Pipeline, of_pipelines),
}


def _recorded(out: Path, folder: Path, name: str, record: Callable[[], R]) -> R | None:
    seen: R | None = None
    facts: dict[str, Any]
    tensors: dict[str, torch.Tensor] = {}
    try:
        seen = record()
        facts = {"facts": seen.facts}
        tensors = {k: v.detach().contiguous().clone() for k, v in seen.tensors.items()}
    except BaseException as error:  # noqa: BLE001  # whatever the learner's code raises is data
        facts = {"error": described(error, folder)}
    _write(out / name, tensors, facts)
    return seen


def _write(path: Path, tensors: dict[str, torch.Tensor], facts: dict[str, Any]) -> None:
    # Written beside, then renamed: a child that dies half-way leaves no half recording.
    beside = path.with_suffix(".part")
    save_file(tensors, beside, metadata={"facts": json.dumps(facts)})
    beside.rename(path.with_suffix(".safetensors"))
