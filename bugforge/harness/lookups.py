"""Which tokens a model reads: seen where they are looked up, in whatever function that is."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import embedding, one_hot
from torch.overrides import TorchFunctionMode

from .program import Program


class Lookups(TorchFunctionMode):
    """Notes the tokens (B, T) that are looked up in a table of tokens, (V, C).

    learning: whether only those count for which gradients are kept.
    """

    def __init__(self, vocab: int, *, learning: bool) -> None:
        super().__init__()
        self.vocab = vocab
        self.learning = learning
        self.noted: list[Tensor] = []
        self.as_vectors: list[Tensor] = []

    def __torch_function__(
        self,
        func: Any,
        types: Any,  # torch's own signature
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        given = [*args, *(kwargs or {}).values()]  # table and tokens, or tokens and table
        if func is embedding:
            self._note(given[1], given[0])
        elif func is Tensor.__getitem__:
            self._note(given[0], given[1])
        elif func in (torch.index_select, Tensor.index_select):
            self._note(given[0], given[2])
        elif func is one_hot and given[1:] == [self.vocab]:
            self.as_vectors.append(given[0].detach().clone())
        return func(*args, **(kwargs or {}))

    def drained(self) -> list[Tensor]:
        """Give what has been noted since the last time.

        Tokens made vectors count where none is looked up: they may be read, or be targets.
        """
        noted, self.noted = self.noted or self.as_vectors, []
        self.as_vectors = []
        return noted

    def _note(self, table: Tensor, tokens: Any) -> None:
        is_table = table.dim() > 1 and table.size(0) == self.vocab and table.is_floating_point()
        counts = torch.is_grad_enabled() or not self.learning
        if is_table and counts and isinstance(tokens, Tensor) and tokens.dim() > 1:
            self.noted.append(tokens.detach().clone())


def read_tokens(
    program: Program, model: Any, vocabulary: Any, text: str, span: int
) -> Tensor | None:
    """Find out which tokens (N,) the program's model reads for a text, `span` at a time.

    None where that cannot be seen.
    """
    read = []
    for start in range(0, len(text), span):
        part = text[start : start + span]
        with Lookups(len(set(text)), learning=False) as lookups:
            program.train.sample(model, vocabulary, part, 1)
        noted = lookups.drained()
        if not noted or noted[0].shape != (1, len(part)):
            return None
        read.append(noted[0][0])
    return torch.cat(read).cpu()
