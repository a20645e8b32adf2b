"""Models of a user's own program: which of its modules can be built and called, and how."""

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from .own_loading import BATCH, BLOCK, LAYERS, USUAL, WIDTH

CONFIGS = {"config", "cfg", "conf", "args", "params", "hparams", "configuration", "c"}
NUMBERS = {"layer_id", "layer_idx", "layer_index", "block_idx"}
LONGEST = 1024
"""Tokens; models that read more have a context of which no end is looked for."""
MOST = 4
"""Models of one program that are judged, at the most."""


class Sizes(dict[str, Any]):
    """A configuration by the usual names, read as attributes or as items."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


@dataclass(frozen=True)
class Subject:
    """A module class of the program that can be built and called.

    file, name: where it is. config: how its configuration is made. tokens: whether it is called
    with tokens (B, T), else with numbers (B, T, C). context: the most tokens that it reads, where
    there is an end to that.
    """

    file: str
    name: str
    config: str
    tokens: bool
    context: int | None = None

    def build(self, modules: dict[str, ModuleType]) -> nn.Module:
        """Build it, small."""
        cls = getattr(modules[self.file], self.name)
        return _built(cls, dict(_configs(cls, modules))[self.config])


def subjects(modules: dict[str, ModuleType]) -> tuple[list[Subject], dict[str, str]]:
    """Find the modules that can be built and called and are no part of others, those that read
    tokens where there are such; and say of the others why not.
    """
    found: dict[type[nn.Module], tuple[Subject, nn.Module]] = {}
    failed: dict[str, str] = {}
    for file, module in modules.items():
        for name, cls in vars(module).items():
            if not (isinstance(cls, type) and issubclass(cls, nn.Module)):
                continue
            if cls.__module__ != module.__name__:
                continue
            try:
                found[cls] = _tried(file, name, cls, modules)
            except Exception as error:  # noqa: BLE001  # whatever the program's code raises
                failed[name] = f"{type(error).__name__}: {error}"[:200]
    parts = {type(part) for _, model in found.values() for part in list(model.modules())[1:]}
    whole = [subject for cls, (subject, _) in found.items() if cls not in parts]
    models = dict(found.values())
    readers = [
        dataclasses.replace(subject, context=_context(models[subject]))
        for subject in whole
        if subject.tokens
    ]
    return (readers or whole)[:MOST], failed


def _context(model: nn.Module) -> int | None:
    """Find how many tokens a model reads at the most, which may not be what it was asked for."""
    read, refused = BLOCK, BLOCK + 1
    while _reads(model, refused):
        read, refused = refused, 2 * refused
        if read > LONGEST:
            return None
    while refused - read > 1:
        middle = (read + refused) // 2
        read, refused = (middle, refused) if _reads(model, middle) else (read, middle)
    return read


def _reads(model: nn.Module, length: int) -> bool:
    try:
        with torch.no_grad():
            model(example(tokens=True, length=length)[:1])
    except Exception:  # noqa: BLE001  # whatever the program's code raises
        return False
    return True


def example(*, tokens: bool, length: int = BLOCK) -> Tensor:
    """Give an input to try a model with."""
    if tokens:
        return torch.arange(BATCH * length).view(BATCH, length) % 7
    return torch.randn(BATCH, length, WIDTH, generator=torch.Generator().manual_seed(0))


def _tried(
    file: str, name: str, cls: type[nn.Module], modules: dict[str, ModuleType]
) -> tuple[Subject, nn.Module]:
    problem: Exception = TypeError("it takes what Bugforge does not know how to give")
    for config, make in _configs(cls, modules):
        for tokens in (True, False):
            try:
                model = _built(cls, make)
                with torch.no_grad():
                    model(example(tokens=tokens))
            except Exception as error:  # noqa: BLE001  # whatever the program's code raises
                problem = error
            else:
                return Subject(file, name, config, tokens), model
    raise problem


def _built(cls: type[nn.Module], config: Callable[[], Any]) -> nn.Module:
    given: dict[str, Any] = {}
    for name, parameter in _parameters(cls).items():
        if name in USUAL:
            given[name] = USUAL[name]
        elif name in NUMBERS:
            given[name] = LAYERS - 1
        elif name.lower() in CONFIGS or name.endswith(("config", "args", "cfg")):
            given[name] = config()
        elif parameter.default is parameter.empty:
            raise TypeError(f"nothing is known to give for {name!r}")
    return cls(**given)


def _configs(
    cls: type[nn.Module], modules: dict[str, ModuleType]
) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Give the ways to make a configuration, by name, the likeliest first."""
    default = getattr(cls, "get_default_config", None)
    if default is not None:
        yield "get_default_config", lambda: _shrunk(default())
    classes = {
        value.__qualname__: value
        for module in modules.values()
        for value in vars(module).values()
        if isinstance(value, type) and _is_config(value)
    }
    near = sorted(classes, key=lambda name: classes[name].__module__ != cls.__module__)
    for name in near:
        yield name, lambda name=name: _config(classes[name])  # type: ignore[misc]
    yield "usual names", lambda: Sizes(USUAL)


def _is_config(cls: type) -> bool:
    named = cls.__name__.endswith(("Config", "Args", "Params", "Hyperparameters"))
    return not issubclass(cls, nn.Module) and (named or dataclasses.is_dataclass(cls))


def _config(cls: type) -> Any:
    known = {name: USUAL[name] for name in _parameters(cls) if name in USUAL}
    return _shrunk(cls(**known))


def _shrunk(config: Any) -> Any:
    """Give a configuration that has been made its small sizes."""
    names = [*vars(type(config)), *(vars(config) if hasattr(config, "__dict__") else ())]
    for name in names:
        if name in USUAL:
            setattr(config, name, USUAL[name])
        elif name == "model_type":  # minGPT's: a name of sizes, or else sizes
            setattr(config, name, None)
    return config


def _parameters(cls: type) -> dict[str, inspect.Parameter]:
    """Give what a class is made with, what it takes in any number left out."""
    various = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {
        name: parameter
        for name, parameter in inspect.signature(cls).parameters.items()
        if parameter.kind not in various
    }
