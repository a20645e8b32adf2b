"""The learner's own training, from scratch, on one sentence; and the sample it ends with."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from .faults import described
from .job import Recording
from .lookups import in_parts, read_tokens
from .notes import built_models, counted_steps
from .program import Program
from .weights import Pairing, Place, pairs, roles, third_of, turned


def train_and_sample(program: Program, spec: dict[str, Any]) -> Recording:
    """Train with the program's own configuration, then continue the prompt greedily.

    `main` is run, too, where that is asked. Records the loss of each step (nats per token), how
    the steps were taken, the sample, the tokens (N,) of what is learned, a window's length, the
    seconds it took; and the trained parameters, with the sizes of their model and their roles in
    one of the sizes given, so that they can be tried in the correct program.
    """
    seen = Recording()
    text, learned, prompt = spec["text"], spec["learned"], spec["prompt"]
    config = program.config()
    began = time.perf_counter()
    with built_models(program, {}) as built, counted_steps() as count:
        trained = program.train.train(text, config, spec["seed"])
    model, vocabulary, losses, *_ = trained
    seen.facts["seconds"] = time.perf_counter() - began
    seen.facts["block_size"] = int(config.block_size)
    seen.facts["losses"] = [float(loss) for loss in losses]
    seen.facts["sample"] = str(
        program.train.sample(model, vocabulary, prompt, len(learned) - len(prompt))
    )
    seen.facts["steps"] = {
        "asked": int(config.steps),
        "taken": count.steps,
        "optimizers": len(count.optimizers),
        "forgotten": count.forgotten,
    }
    if built:
        sizes = {name: int(getattr(built[-1].config, name)) for name in spec["sizes"]}
        twin = program.build(**{**spec["sizes"], "n_layer": sizes["n_layer"]})
        seen.facts["sizes"] = sizes
        seen.facts["roles"] = roles(twin, spec["sizes"]["n_embd"])
    parts = in_parts(learned, config.block_size)
    tokens = read_tokens(program, model, vocabulary, parts, len(set(text)))
    if tokens is not None:
        seen.tensors["tokens"] = tokens
    if spec["main"]:
        with _trained_already(program, (text, config), trained):
            seen.facts["main"] = _ending(program.train.main)
    for name, parameter in model.named_parameters():
        seen.tensors[f"weights/{name}"] = parameter.detach().to("cpu").clone()
    return seen


@contextmanager
def _trained_already(program: Program, asked: tuple[Any, ...], given: Any) -> Iterator[None]:
    """Answer `train`, where it is asked the same again, with what it gave: main need not wait."""
    inner = program.train.train

    def outer(text: str, config: Any, *args: Any, **kwargs: Any) -> Any:
        return given if (text, config) == asked else inner(text, config, *args, **kwargs)

    program.train.train = outer  # type: ignore[attr-defined]
    argv, sys.argv = sys.argv, ["train.py"]
    try:
        yield
    finally:
        program.train.train = inner  # type: ignore[attr-defined]
        sys.argv = argv


def _ending(main: Callable[[], object]) -> dict[str, Any] | None:
    """Run a program's main, and describe the error that it ends in, if it does."""
    try:
        main()
    except BaseException as error:  # noqa: BLE001  # whatever the learner's code raises is data
        if not isinstance(error, SystemExit) or error.code:
            return described(error, Path.cwd())
    return None


def replay(program: Program, spec: dict[str, Any]) -> Recording:
    """Continue the beginning of `tokens` greedily, with weights that another program trained."""
    seen = Recording()
    given = load_file(spec["weights"])
    model = program.build(**spec["sizes"])
    twin = program.build(**spec["twin"])
    own = {name: parameter.detach() for name, parameter in model.named_parameters()}
    trained = {name.removeprefix("weights/"): value for name, value in given.items()}
    places = roles(twin, spec["twin"]["n_embd"])
    pairing = Pairing(**spec["pairing"])
    kept_turned = turned(places, pairing)
    for name, role in pairs(spec["roles"], places, pairing).items():
        held = third_of(own, role)
        place = Place(role, held.shape, role in kept_turned)
        held.copy_(place.read(third_of(trained, name)))
    wanted = given["tokens"]
    idx = wanted[None, : spec["prompt_tokens"]]
    grown = model.generate(idx, wanted.numel() - idx.size(1), temperature=0)
    seen.tensors["tokens"] = grown[0]
    return seen
