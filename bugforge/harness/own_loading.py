"""A user's own program loaded as definitions: what its files define is kept, what they do is not.

A script trains as soon as it is imported. So of each file only imports, classes, functions and
plain values are carried out, and what names a usual size gets a small one. What a file lacks
here (data that is not there, a library that is not installed) is left undefined.
"""

import ast
import builtins
import copy
import importlib
import sys
from collections.abc import Collection, Iterable
from functools import partial
from importlib.machinery import FileFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

VOCAB, BLOCK, BATCH, WIDTH, HEADS, LAYERS = 10, 11, 5, 24, 3, 2
"""No two axes are equally long, so that a mistaken axis shows."""

_USUAL: dict[int | float | str, str] = {
    VOCAB: "vocab_size n_vocab vocab vocabulary_size num_tokens",
    BLOCK: "block_size context_length context_size max_seq_len max_seq_length seq_len seq_length"
    " max_len max_length n_ctx ctx_len n_positions sequence_length",
    BATCH: "batch_size",
    WIDTH: "n_embd n_embed emb_dim embed_dim embedding_dim d_model dim hidden_size d_in d_out"
    " num_embeddings_dim n_emb",
    HEADS: "n_head n_heads num_heads nhead num_attention_heads",
    WIDTH // HEADS: "head_size head_dim d_head d_k",
    LAYERS: "n_layer n_layers num_layers depth num_blocks n_blocks",
    40: "d_ff ff_dim hidden_dim mlp_dim ffn_dim",
    0.0: "dropout drop_rate attn_pdrop resid_pdrop embd_pdrop p_drop attn_drop resid_drop"
    " drop_prob dropout_rate dropout_p",
    True: "bias qkv_bias",
    "cpu": "device device_type",
}
USUAL = {name: value for value, names in _USUAL.items() for name in names.split()}
"""Small values for the names that sizes usually have."""

FAILED = "_bugforge_failed"
"""Set in a module of which a statement needed what is not here."""
DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def load(
    folder: Path, names: Iterable[str], plain: Collection[str]
) -> tuple[dict[str, ModuleType], dict[str, str], dict[str, Exception]]:
    """Import the files of a program, by their relative names. plain: those that in the
    correct program only define, so that every definition must succeed; what else they do is
    carried out, too, as far as it can be.

    Gives the modules; for each file of which something is left out, what that is; and what was
    raised by those that cannot be imported.
    """
    left_out: dict[str, str] = {}
    loader: Any = partial(_Definitions, folder=folder, left_out=left_out, plain=plain)

    def hook(path: str) -> FileFinder:
        if not Path(path).is_relative_to(folder):
            raise ImportError
        return FileFinder(path, (loader, [".py"]))

    sys.path_hooks.insert(0, hook)
    sys.path.insert(0, str(folder))
    sys.path += sorted({str((folder / name).parent) for name in names} - {str(folder)})
    modules, errors = {}, {}
    for name in names:
        try:
            modules[name] = importlib.import_module(_dotted(name))
        except Exception as error:  # noqa: BLE001  # whatever the program's code raises
            errors[name] = error
            left_out[name] = f"it cannot be imported: {type(error).__name__}: {error}"[:200]
    return modules, left_out, errors


def _dotted(name: str) -> str:
    parts = name.removesuffix(".py").split("/")
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


class _Definitions(SourceFileLoader):
    def __init__(
        self,
        name: str,
        path: str,
        *,
        folder: Path,
        left_out: dict[str, str],
        plain: Collection[str],
    ) -> None:
        super().__init__(name, path)
        self.folder = folder
        self.left_out = left_out
        self.plain = plain

    def source_to_code(self, data: Any, path: Any, **_: Any) -> Any:  # type: ignore[override]
        tree = ast.parse(data, path)
        deeds: list[int] = []
        name = Path(path).relative_to(self.folder).as_posix()
        if name in self.plain:  # what is made by a call here may be what a mend needs
            kept = [node for node in tree.body if not _is_command(node)]
            tree.body = [
                _small(node) if _is_kept(node) else _guarded(_small(node)) for node in kept
            ]
        else:
            tree.body = [_guarded(_small(node)) for node in _definitions(tree.body, deeds)]
        if deeds:
            self.left_out[name] = (
                f"it does something as it is imported, from line {deeds[0]} on, which is not judged"
            )
        return compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)


def _is_command(node: ast.stmt) -> bool:
    """Whether this is done for its own sake, as training is, and makes nothing that has a name."""
    return isinstance(node, ast.Expr | ast.While | ast.For)


def _is_kept(node: ast.stmt) -> bool:
    """Whether this does nothing, so that a program in which it fails is wrong."""
    deeds: list[int] = []
    _definitions([copy.deepcopy(node)], deeds)
    return not deeds


def _definitions(body: list[ast.stmt], deeds: list[int]) -> list[ast.stmt]:
    """Keep the statements that define something, and note the lines of the others."""
    kept = []
    for node in body:
        if isinstance(node, ast.If) and not _asks_for_main(node):
            node.body = _definitions(node.body, deeds) or [ast.Pass()]
            node.orelse = _definitions(node.orelse, deeds)
        elif isinstance(node, ast.Try):
            node.body = _definitions(node.body, deeds) or [ast.Pass()]
            for handler in node.handlers:
                handler.body = _definitions(handler.body, deeds) or [ast.Pass()]
        elif not _defines(node):
            deeds.append(node.lineno)
            continue
        kept.append(node)
    return kept


def _defines(node: ast.stmt) -> bool:
    match node:
        case ast.Assign(value=value) | ast.AnnAssign(value=value) | ast.AugAssign(value=value):
            return value is None or not any(map(_is_deed, ast.walk(value)))
        case ast.Expr(value=value):
            return isinstance(value, ast.Constant)
        case _:
            return isinstance(node, (*DEFINITIONS, ast.If, ast.Pass))


def _asks_for_main(node: ast.If) -> bool:
    return any(isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(node.test))


def _is_deed(node: ast.AST) -> bool:
    """Whether this calls what the program itself names, so that it might do anything."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and (not hasattr(builtins, node.func.id) or node.func.id in {"open", "exec", "eval"})
    )


def _small(node: ast.stmt) -> ast.stmt:
    """Give a usual size its small value."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        if isinstance(target, ast.Name) and target.id in USUAL:
            node.value = ast.copy_location(ast.Constant(USUAL[target.id]), node.value)
    return node


def _guarded(node: ast.stmt) -> ast.stmt:
    """Let a statement fail that needs what is not here; a definition of the program's must not."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return node
    if isinstance(node, ast.ImportFrom) and node.module == "__future__":
        return node
    failed = ast.Assign([ast.Name(FAILED, ast.Store())], ast.Constant(value=True))
    handler = ast.ExceptHandler(ast.Name("Exception", ast.Load()), None, [failed])
    return ast.copy_location(ast.Try([node], [handler], [], []), node)
