"""Source and form in, source out: finds the sites of a form and plants it there. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

import libcst as cst
import libcst.matchers as m

from bugforge.edits import Edit
from bugforge.mutation import Form


@dataclass(frozen=True)
class Source:
    """One file of a program, parsed once, its nodes indexed by type so that it is walked once."""

    name: str
    module: cst.Module
    nodes: dict[str, tuple[cst.CSTNode, ...]]
    functions: dict[cst.CSTNode, cst.CSTNode]
    """Every node to the function around it, or to the module where there is none."""

    @property
    def text(self) -> str:
        """The file as it is written."""
        return self.module.code


@dataclass(frozen=True)
class Plant:
    """A form planted at one site, as the edits that turn the source into the mutant's."""

    form: Form
    edits: tuple[Edit, ...]


def parse(name: str, text: str) -> Source:
    """Parse a file. Raises `libcst.ParserSyntaxError` where it is not Python."""
    module = cst.parse_module(text)
    nodes: dict[str, list[cst.CSTNode]] = {}
    functions: dict[cst.CSTNode, cst.CSTNode] = {}
    for node, function in _walk(module, module):
        nodes.setdefault(type(node).__name__, []).append(node)
        functions[node] = function
    return Source(name, module, {kind: tuple(found) for kind, found in nodes.items()}, functions)


def plants(source: Source, form: Form) -> Iterator[Plant]:
    """Plant the form at each of its sites in turn, in the order of the text."""
    for node in _candidates(source, form.site):
        if not m.matches(node, form.site) or not _stands_inside(source, node, form.inside):
            continue
        mutated = form.mutate(node)
        if mutated is None:
            continue
        if isinstance(mutated, cst.RemovalSentinel):
            module = source.module.deep_remove(node)
        else:
            module = source.module.deep_replace(node, mutated)
        assert isinstance(module, cst.Module)
        edits = tuple(line_edits(source.name, source.text, module.code))
        if edits:
            yield Plant(form, edits)


def line_edits(name: str, before: str, after: str) -> Iterator[Edit]:
    """The runs of whole lines in which two texts differ."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag != "equal":
            yield Edit(name, start, tuple(old[start:end]), tuple(new[new_start:new_end]))


def _candidates(source: Source, site: m.BaseMatcherNode) -> Iterable[cst.CSTNode]:
    # A matcher for one node type is named after it; combined ones (m.OneOf) must look everywhere.
    kind = type(site).__name__
    if hasattr(cst, kind):
        return source.nodes.get(kind, ())
    return (node for nodes in source.nodes.values() for node in nodes)


def _stands_inside(source: Source, node: cst.CSTNode, shape: m.BaseMatcherNode | None) -> bool:
    return shape is None or bool(m.findall(source.functions[node], shape))


def _walk(node: cst.CSTNode, function: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, cst.CSTNode]]:
    yield node, function
    inner = node if isinstance(node, cst.FunctionDef) else function
    for child in node.children:
        yield from _walk(child, inner)
