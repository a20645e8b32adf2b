"""What a program does with caches of keys and values, beside what it does without."""

import gc
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import accumulate
from types import FunctionType, ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from .chunks import calls, counted, fresh_caches, in_chunks
from .job import Job, Recording
from .program import Program
from .unwritten import poisoned_memory, written
from .weights import LARGE, carry, with_random_weights

TILTED = ("low", "far apart")
"""Weights under which a mask that hides too little shows."""

CHUNKS = {
    "one by one": [1] * 11,
    "five, then one by one": [5, 1, 1, 1, 1, 1, 1],
    "in chunks": [5, 1, 3, 2],
    "growing chunks": [1, 4, 6],
    "all at once": [11],
    "all but one": [10, 1],
}
"""How many tokens are read at a time, for a context of 11."""

STEPS = tuple(range(1, 10))
"""Tokens generated, one more each time, to see what each costs, up to a context almost full."""

SOME_STEPS = (*STEPS[:2], *STEPS[-2:])
"""Tokens generated where it is enough to see what the second costs, and the last."""

LONG = 100
LONG_CHUNKS = [90, 1, 9]
"""A context some times as long as any program's own, and how it is read: room may be made at once,
but not for that context alone."""

APPENDED = [3, 1, 1, 2]
"""How many positions are appended at a time to a cache that no model uses."""

PROMPT = 2
LONG_PROMPT = 10
"""Tokens of prompts behind which a token is generated, and far from each other."""

ASKED: dict[str, dict[str, float]] = {
    "of one row": {"temperature": 0},
    "of rows": {"temperature": 0},
    "drawn": {"temperature": 0.8, "top_k": 4},
    "in training": {"temperature": 0},
}
"""How tokens are asked for whose costs are counted."""

NOT_HELD = (type, ModuleType, nn.Module)
"""What a cache may know of, and what leads from there is not its own."""


def caching(program: Program, job: Job) -> Recording:
    """Logits (B, T, V) of tokens read in chunks behind caches, and of the same read at once and
    without; those of two texts read in turn; how long the caches are after each chunk; and the
    operations that a prompt costs, and one token more, however it is asked for; and whether a cache
    that no model uses gives what is appended to it.
    """
    seen = Recording()
    model = program.build(**job.sizes)
    fresh = partial(fresh_caches, program, job)
    weights = {"given": (job.weights, 1.0), "large": (job.weights, LARGE)}
    weights |= {tilt: (tilted, 1.0) for tilt, tilted in job.tilts().items() if tilt in TILTED}
    for way, (values, scale) in weights.items():
        carry(model, values, job.pairing, scale)
        model.eval()
        for name in ("base", "alone") if way == "given" else ("base",):
            idx = job.inputs[name]
            with torch.no_grad():
                seen.tensors[f"whole/{way}/{name}"] = model(idx.clone())[0]
                for pattern, sizes in CHUNKS.items():
                    cached, _ = in_chunks(model, idx, sizes, fresh())
                    seen.tensors[f"cached/{way}/{name}/{pattern}"] = cached
    carry(model, job.weights, job.pairing)
    model.eval()
    with torch.no_grad():
        _first_of_all(program, job, fresh, seen)
        _long(program, job, fresh, seen)
        _appended(program, job, seen)
        sizes = CHUNKS["in chunks"]
        _, seen.facts["lengths"] = in_chunks(model, job.inputs["base"], sizes, fresh())
        seen.facts["read"] = list(accumulate(sizes))
        _in_turn(model, job, fresh, seen)
        _after_generating(model, job, fresh, seen)
        seen.facts["operations"] = {way: list(_operations(model, job, way)) for way in ASKED}
        seen.facts["operations alone"] = counted(lambda: model(job.inputs["one"][:1].clone()))
        _prompts(model, job, seen)
    return seen


def grouped(program: Program, job: Job) -> Recording:
    """Count the numbers that were written into the caches of a full context, and those of its keys
    and values, where heads share these.
    """
    seen = Recording()
    model = program.build(**job.sizes)
    carry(model.eval(), job.weights, job.pairing)
    idx, caches = job.inputs["base"], fresh_caches(program, job)
    with torch.no_grad(), poisoned_memory():
        in_chunks(model, idx, CHUNKS["in chunks"], caches)
    head_size = job.sizes["n_embd"] // job.sizes["n_head"]
    keys = idx.numel() * job.sizes["n_kv_head"] * head_size
    seen.facts["needed"] = 2 * job.sizes["n_layer"] * keys
    # Views of one buffer are held once.
    buffers = {held.untyped_storage().data_ptr(): held for held in _held(caches)}
    seen.facts["held"] = sum(map(written, buffers.values()))
    return seen


def _held(caches: list[Any]) -> Iterator[Tensor]:
    """Find the tensors that caches hold, in containers and objects of their own, too."""
    waiting, known = list(caches), set()
    while waiting:
        thing = waiting.pop()
        if id(thing) in known or isinstance(thing, NOT_HELD):
            continue
        known.add(id(thing))
        if isinstance(thing, Tensor):
            yield thing
        else:
            # A function knows all of its module, and holds what it encloses.
            is_function = isinstance(thing, FunctionType)
            waiting += thing.__closure__ or () if is_function else gc.get_referents(thing)


def _first_of_all(
    program: Program, job: Job, fresh: Callable[[], list[Any]], seen: Recording
) -> None:
    """Read tokens in chunks by models that have read nothing before: what is made when it is first
    needed may be as long as that first text.
    """
    for pattern, sizes in CHUNKS.items():
        model = program.build(**job.sizes)
        carry(model.eval(), job.weights, job.pairing)
        cached, _ = in_chunks(model, job.inputs["base"], sizes, fresh())
        seen.tensors[f"cached/given/base/{pattern}, first of all"] = cached


def _long(program: Program, job: Job, fresh: Callable[[], list[Any]], seen: Recording) -> None:
    """Read a row (1, T) in a long context, in chunks and at once."""
    torch.manual_seed(job.seed)
    model = with_random_weights(program.build(**{**job.sizes, "block_size": LONG})).eval()
    idx = torch.randint(job.sizes["vocab_size"], (1, LONG))
    seen.tensors["whole/long"] = model(idx.clone())[0]
    seen.tensors["cached/long/in chunks"], _ = in_chunks(model, idx, LONG_CHUNKS, fresh())


def _appended(program: Program, job: Job, seen: Recording) -> None:
    """Tell whether appending to a cache gives all keys and values there are, and nothing else, with
    positions on any one axis.
    """
    shape = [2, job.sizes["n_embd"] // job.heads]
    if "n_head" in job.sizes:
        shape.insert(1, job.sizes.get("n_kv_head", job.heads))
    for axis in range(1, len(shape)):
        k, v = torch.randn(2, *shape[:axis], sum(APPENDED), *shape[axis:])
        seen.facts[f"appended/{axis}"] = False
        with suppress(Exception):  # another axis may be that of positions
            cache = program.cache().KVCache()
            given = [
                cache.append(*parts)
                for parts in zip(k.split(APPENDED, axis), v.split(APPENDED, axis), strict=True)
            ]
            seen.facts[f"appended/{axis}"] = all(
                torch.equal(all_k, k.narrow(axis, 0, end))
                and torch.equal(all_v, v.narrow(axis, 0, end))
                for (all_k, all_v), end in zip(given, accumulate(APPENDED), strict=True)
            )


def _in_turn(model: Any, job: Job, fresh: Callable[[], list[Any]], seen: Recording) -> None:
    """Read two texts of unlike sizes token by token, one token of each in turn."""
    texts = {"first": job.inputs["short"], "second": job.inputs["prompt"]}
    caches = {name: fresh() for name in texts}
    logits: dict[str, list[Tensor]] = {name: [] for name in texts}
    for place in range(texts["first"].size(1)):
        for name, idx in texts.items():
            token = idx[:, place : place + 1].clone()
            logits[name].append(model(token, caches=caches[name])[0])
    for name, idx in texts.items():
        seen.tensors[f"in turn/{name}"] = torch.cat(logits[name], 1)
        seen.tensors[f"whole in turn/{name}"] = model(idx.clone())[0]


def _after_generating(
    model: Any, job: Job, fresh: Callable[[], list[Any]], seen: Recording
) -> None:
    """Read a text, and generate another in the middle of that."""
    idx, caches = job.inputs["short"], fresh()
    before = model(idx[:, :3].clone(), caches=caches)[0]
    model.generate(job.inputs["prompt"].clone(), 2, temperature=0)
    after = model(idx[:, 3:].clone(), caches=caches)[0]
    seen.tensors["in turn/around generating"] = torch.cat((before, after), 1)
    seen.tensors["whole in turn/around generating"] = model(idx.clone())[0]


def _operations(model: Any, job: Job, way: str) -> Iterator[tuple[int, float]]:
    """Count the operations, a row, of generating so many tokens behind a short prompt."""
    alone = way == "of one row"
    prompt = job.inputs["alone" if alone else "base"][:, :PROMPT]
    model.train(way == "in training")
    for new in STEPS if alone else SOME_STEPS:
        operations = counted(partial(model.generate, prompt.clone(), new, **ASKED[way]))
        yield new, operations / len(prompt)
    model.eval()


def _prompts(model: Any, job: Job, seen: Recording) -> None:
    """Count what it takes to read prompts for one new token: operations, beside those of reading
    a long one without caches; and calls of torch, for a prompt of one token and a long one.
    """
    prompt = job.inputs["alone"][:, :LONG_PROMPT]
    one_token = partial(model.generate, max_new_tokens=1, temperature=0)
    seen.facts["operations of a prompt"] = counted(lambda: one_token(prompt.clone()))
    seen.facts["operations of reading it"] = counted(lambda: model(prompt.clone()))
    seen.facts["calls of a prompt"] = calls(lambda: one_token(prompt.clone()))
    seen.facts["calls of a token"] = calls(lambda: one_token(prompt[:, :1].clone()))
