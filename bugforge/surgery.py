"""Source and form in, source out: finds the sites of a form and plants it there. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property

import libcst as cst
import libcst.matchers as m

from bugforge.edits import Edit
from bugforge.errors import PluginError
from bugforge.layout import laid_out
from bugforge.mutation import Form
from bugforge.tree import children, rebuilt, types_of


@dataclass(frozen=True)
class Source:
    """One file of a program, parsed once and walked once.

    nodes: by the name of their type. parents: of every node but the module.
    """

    name: str
    text: str
    module: cst.Module
    nodes: dict[str, list[cst.CSTNode]]
    parents: dict[cst.CSTNode, cst.CSTNode]

    @cached_property
    def written(self) -> dict[cst.CSTNode, str]:
        """The code of each statement of the module."""
        return {part: self.module.code_for_node(part) for part in self.module.body}

    def with_node(self, node: cst.CSTNode, changed: cst.CSTNode | cst.RemovalSentinel) -> str:
        """Write the file with another node, or none, in a node's place."""
        while node in self.parents:
            parent = self.parents[node]
            node, changed = parent, rebuilt(parent, node, changed)
        assert isinstance(changed, cst.Module)
        if not changed.has_trailing_newline:
            return changed.code
        parts = (*changed.header, *changed.body, *changed.footer)
        # Most statements are the very same nodes still: to write them all anew takes far longer.
        return "".join(self.written.get(part) or changed.code_for_node(part) for part in parts)

    def around(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """Give all that a node stands in, from its parent to the module."""
        while node in self.parents:
            node = self.parents[node]
            yield node

    def scope(self, node: cst.CSTNode) -> cst.CSTNode:
        """Give the innermost function around a node, or else the module."""
        functions = (other for other in self.around(node) if isinstance(other, cst.FunctionDef))
        return next(functions, self.module)


@dataclass(frozen=True)
class Site:
    """A place in a file where a form can be planted, and the node that would stand there."""

    source: Source
    node: cst.CSTNode
    mutated: cst.CSTNode | cst.RemovalSentinel

    def plant(self) -> tuple[Edit, ...]:
        """Give the edits that plant the form here."""
        kept = set(self.source.text.splitlines(keepends=True))  # a user's own may be long
        planted = laid_out(self.source.with_node(self.node, self.mutated), kept)
        return tuple(line_edits(self.source.name, self.source.text, planted))


def parse(name: str, text: str) -> Source:
    """Parse a file. Raises `libcst.ParserSyntaxError` where it is not Python."""
    module = cst.parse_module(text)
    nodes: dict[str, list[cst.CSTNode]] = {"Module": [module]}
    parents: dict[cst.CSTNode, cst.CSTNode] = {}

    def visit(parent: cst.CSTNode) -> None:
        for child in children(parent):
            nodes.setdefault(type(child).__name__, []).append(child)
            parents[child] = parent
            visit(child)

    visit(module)
    return Source(name, text, module, nodes, parents)


def sites(source: Source, form: Form) -> Iterator[Site]:
    """Find where a form can be planted. Raises PluginError where its own code fails."""
    try:
        yield from _sites(source, form)
    except Exception as error:
        raise PluginError(
            f"The form {form.name!r} in {form.mutate.__module__} failed: "
            f"{type(error).__name__}: {error}",
            "Mend the plugin, or uninstall it; `bugforge dev test` tries one.",
        ) from error


def _sites(source: Source, form: Form) -> Iterator[Site]:
    if form.beside is not None and not _all_that_hold(source, form.beside):
        return
    matching = list(_all_of(source, form.site))
    if matching and form.inside is not None:
        holding = _all_that_hold(source, form.inside)
        matching = [node for node in matching if source.scope(node) in holding]
    for node in matching:
        mutated = form.mutate(node)
        if mutated is not None:
            yield Site(source, node, mutated)


def line_edits(name: str, before: str, after: str) -> Iterator[Edit]:
    """The runs of whole lines in which two texts differ."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag != "equal":
            yield Edit(name, start, tuple(old[start:end]), tuple(new[new_start:new_end]))


def _all_of(source: Source, shape: m.BaseMatcherNode) -> Iterator[cst.CSTNode]:
    types = types_of(shape)
    kinds = (nodes for name, nodes in source.nodes.items() if types is None or name in types)
    return (node for nodes in kinds for node in nodes if m.matches(node, shape))


def _all_that_hold(source: Source, shape: m.BaseMatcherNode) -> set[cst.CSTNode]:
    return {holder for node in _all_of(source, shape) for holder in (node, *source.around(node))}
