"""A learner's program, imported from its folder and held by its public names only."""

import dataclasses
import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import Tensor

MODEL_NAMES = ("GPTConfig", "GPT")
CACHE_NAMES = ("KVCache",)
ROWS_NAMES = ("ClassifierConfig", "train_classifier", "accuracy")
TRAIN_NAMES = ("TrainConfig", "train", "sample", "main")


class ContractError(Exception):
    """The program lacks a name that its PROBLEM.md says it must keep."""


class Program:
    """The two modules of a program, which one file may be both of, and its configurations with
    chosen fields.
    """

    def __init__(self, folder: Path) -> None:
        """Import the program. Raises whatever its code raises, and ContractError."""
        self.folder = folder
        import_from(folder)
        is_one = (folder / "main.py").is_file() and not (folder / "train.py").is_file()
        self.model = named_module("main" if is_one else "model", folder, MODEL_NAMES)
        self.train = named_module("main" if is_one else "train", folder, TRAIN_NAMES)

    def build(self, **sizes: float) -> Any:
        """Build a model of the given sizes."""
        return self.model.GPT(self.model.GPTConfig(**sizes))

    def cache(self) -> ModuleType:
        """Give the module of its cache. Raises ContractError where there is none."""
        return named_module("cache", self.folder, CACHE_NAMES)

    def rows(self) -> ModuleType:
        """Give the module that classifies rows. Raises ContractError where there is none."""
        return named_module("classify", self.folder, ROWS_NAMES)

    def config(self, **fields: object) -> Any:
        """Give the program's own training configuration, some fields replaced."""
        config = self.train.TrainConfig()
        known = {field.name for field in dataclasses.fields(config)}
        missing = sorted(set(fields) - known)
        if missing:
            message = f"TrainConfig in train.py has no field {missing[0]}"
            raise ContractError(message)
        return dataclasses.replace(config, **fields)


def import_from(folder: Path) -> None:
    """Let modules of a program be found, before any others."""
    sys.path.insert(0, str(folder))


def named_module(name: str, folder: Path, names: tuple[str, ...]) -> ModuleType:
    """Import a module of a program, which has these names. Raises ContractError where one lacks."""
    if not (folder / f"{name}.py").is_file():
        message = f"{name}.py is missing"
        raise ContractError(message)
    module = importlib.import_module(name)
    for wanted in names:
        if not hasattr(module, wanted):
            message = f"{name}.py has no {wanted}"
            raise ContractError(message)
    return module


def given_tensor(value: object, function: str) -> Tensor:
    """Give what a function gave, if it is a tensor. Raises ContractError where it is none."""
    if not isinstance(value, Tensor):
        message = f"{function} gives no tensor but a {type(value).__name__}"
        raise ContractError(message)
    return value
