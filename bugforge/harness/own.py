"""The job of a user's own program: find what can be judged, and record it."""

import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from safetensors.torch import load_file

from .job import Recording
from .own_building import Subject, subjects
from .own_instruments import OWN_INSTRUMENTS, OwnJob
from .own_loading import FAILED, load
from .weights import Pairing, drawn, read_weights, write_weights

Record = Callable[[str, Callable[[], Recording]], Recording | None]


def record_own(spec: dict[str, Any], folder: Path, record: Record) -> None:
    """Record a program, by every instrument and for every model that the job names.

    Where it names none, those that there are, with what cannot be judged; their weights are drawn
    then, and written where others find them. `fused` says whether torch has its own attention.
    """
    if not spec["fused"] and hasattr(torch.nn.functional, "scaled_dot_product_attention"):
        del torch.nn.functional.scaled_dot_product_attention
    modules, left_out, errors = load(folder, spec["files"], spec["plain"])
    told = spec["subjects"]
    ran: set[str] = set()
    finding = told is None
    if finding:
        found, failed = subjects(modules)
        told = [asdict(subject) for subject in found]
        _note_functions(folder, ran)
    inputs = load_file(spec["inputs"])
    for number, fields in enumerate(told):
        subject = Subject(**fields)
        weights = Path(spec["weights"]) / str(number)
        if not weights.exists():
            write_weights(drawn(subject.build(modules), spec["seed"]), weights)
        job = OwnJob(
            modules=modules,
            subject=subject,
            weights=read_weights(weights),
            pairing=Pairing(**spec["pairing"]),
            inputs=inputs,
            seed=spec["seed"],
        )
        for name in spec["instruments"]:
            deed = partial(OWN_INSTRUMENTS[name], job)
            if subject.file in errors:
                deed = partial(_raised, errors[subject.file])
            record(f"{number} {name}", deed)
    if finding:
        sys.setprofile(None)
        facts = {"subjects": told, "left_out": left_out, "failed": failed, "ran": sorted(ran)}
        whole = (file for file in modules if file not in left_out)
        facts["plain"] = [file for file in whole if not hasattr(modules[file], FAILED)]
        record("found", lambda: Recording(facts=facts))


def _raised(error: Exception) -> Recording:
    raise error


def _note_functions(folder: Path, ran: set[str]) -> None:
    """Note each function of the program that is called from here on, as `file:Class.method`."""
    inside = f"{folder}{os.sep}"

    def note(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(inside):
            ran.add(f"{code.co_filename.removeprefix(inside)}:{code.co_qualname}")

    sys.setprofile(note)
