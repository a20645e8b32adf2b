"""Which tokens a model reads: seen where it is called, or else where they are looked up."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import embedding, one_hot
from torch.overrides import TorchFunctionMode

from .program import Program


@dataclass
class Call:
    """One call of a model: the tokens (B, T) that it gave logits for, and whether a gradient has
    come back to these since.
    """

    rows: Tensor
    taught: bool = False


@dataclass
class Reads:
    """The tokens that a program's models read, gradients being kept or not.

    calls: of the model itself. lookups: tokens (B, T) that were looked up in a table of as many
    rows as there are tokens, or made vectors of that length; a program may do without calls.
    """

    calls: list[Call] = field(default_factory=list)
    lookups: list[Tensor] = field(default_factory=list)

    def drained(self) -> list[Tensor]:
        """Give what has been read since the last time: for learning, if anything was."""
        calls, lookups = self.calls[:], self.lookups[:]
        self.calls.clear()
        self.lookups.clear()
        taught = [call.rows for call in calls if call.taught]
        return taught or [call.rows for call in calls] or lookups


@contextmanager
def reads(program: Program, vocab: int, *, learning: bool) -> Iterator[Reads]:
    """Note what the program's models read; while learning, only where gradients are kept."""
    seen = Reads()
    model_class = program.model.GPT
    inner = model_class.forward

    def outer(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = inner(self, *args, **kwargs)
        if torch.is_grad_enabled() or not learning:
            idx = next(iter((*args, *kwargs.values())))
            seen.calls.append(_call(idx.detach().clone(), result, vocab))
        return result

    model_class.forward = outer
    try:
        with _Lookups(vocab, seen.lookups, learning=learning):
            yield seen
    finally:
        model_class.forward = inner


def _call(idx: Tensor, result: tuple[Tensor | None, ...], vocab: int) -> Call:
    """Note a call with tokens (B, N), of which forward may have cut some off."""
    logits = result[0]
    places = idx.size(1) if logits is None else logits.numel() // (len(idx) * vocab)
    call = Call(idx[:, : places or idx.size(1)])

    def note(_: Tensor) -> None:
        call.taught = True

    for part in result:
        if isinstance(part, Tensor) and part.requires_grad:
            part.register_hook(note)  # type: ignore[no-untyped-call]
    return call


class _Lookups(TorchFunctionMode):
    """Notes the tokens that are looked up in a table of tokens, (V, C), or made vectors (V,)."""

    def __init__(self, vocab: int, noted: list[Tensor], *, learning: bool) -> None:
        super().__init__()
        self.vocab = vocab
        self.noted = noted
        self.learning = learning

    def __torch_function__(
        self,
        func: Any,
        types: Any,  # torch's own signature
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        given = [*args, *(kwargs or {}).values()]
        if func is embedding:
            self._note(given[1], given[0])
        elif func is Tensor.__getitem__:
            self._note(given[0], given[1])
        elif func is one_hot and given[1:] == [self.vocab]:
            self._note(torch.empty(self.vocab, 1), given[0])
        return func(*args, **(kwargs or {}))

    def _note(self, table: Tensor, tokens: Any) -> None:
        is_table = table.dim() > 1 and table.size(0) == self.vocab and table.is_floating_point()
        counts = torch.is_grad_enabled() or not self.learning
        if is_table and counts and isinstance(tokens, Tensor) and tokens.dim() > 1:
            places = torch.arange(tokens.size(1), device=tokens.device)
            if not torch.equal(tokens[0], places):  # positions, in a table as long by chance
                self.noted.append(tokens.detach().clone())


def read_tokens(
    program: Program, model: Any, vocabulary: Any, parts: Iterable[str], vocab: int
) -> Tensor | None:
    """Find out which tokens (N,), of so many, the program's model reads for a text, part by part.

    It may read more than the text, to the right, or the text bit by bit. None where the tokens
    cannot be seen.
    """
    read = []
    for part in parts:
        with reads(program, vocab, learning=False) as seen:
            program.train.sample(model, vocabulary, part, 1)
        tokens = torch.cat([rows[0] for rows in seen.drained()] or [torch.empty(0)])[: len(part)]
        if len(tokens) < len(part):
            return None
        read.append(tokens)
    return torch.cat(read).to("cpu", torch.int64)


def in_parts(text: str, span: int) -> Iterator[str]:
    """Cut a text into parts that a model can read."""
    yield from (text[start : start + span] for start in range(0, len(text), span))
