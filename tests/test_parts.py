"""Laws of files that are read part by part."""

import ast

from hypothesis import given
from hypothesis import strategies as st

from bugforge.parts import code_of, divided, scope_at, scopes

SNIPPETS = (
    "import torch\n",
    "x = 1\n\n\n",
    "def f(a):\n    return a\n",
    "def g(\n    a,\n) -> int:\n    return a\n\n",
    "class A:\n    x = 1\n\n    def m(self):\n        def inner():\n            pass\n",
    "@one\n@two(\n    3,\n)\nclass B:\n    @property\n    def n(self):\n        pass\n",
    "async def h():\n    pass\n",
    'text = """\ndef no():\n    pass\n"""\n',
    "def doc():\n    '''\nclass No:\n'''\n",
    "y = [\n1,\n]\n",
    "if x:\n    pass\nelse:\n    pass\n",
    "# a remark\u2028def no(): pass\n",
    "define = defer = classes = 1\n",
    "z = 1 + \\\n2\n",
    "'a string'\n",
    "\n# a remark\n",
)


@given(st.lists(st.sampled_from(SNIPPETS), max_size=8), st.sampled_from(("\n", "\r\n")))
def test_parts_are_read_as_the_whole_is(snippets: list[str], end: str) -> None:
    """Whatever a file holds, its parts are all of it, and what stands in them is what a parser
    finds in the whole, at the same lines.
    """
    text = "".join(snippets).replace("\n", end)
    assert "".join(divided(text)) == text
    found = {scope.name: (scope.start, scope.end) for scope in scopes(text)}
    expected = {
        name: (min([node.lineno, *(each.lineno for each in node.decorator_list)]), node.end_lineno)
        for name, node in _defined(text)
    }
    assert found == expected
    for name, node in _defined(text):
        assert scope_at(text, node.lineno) == name
        assert ast.parse(code_of(text, name)).body


def _defined(text: str) -> list[tuple[str, ast.FunctionDef | ast.ClassDef]]:
    found: list[tuple[str, ast.FunctionDef | ast.ClassDef]] = []
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.append((node.name, node))
        if isinstance(node, ast.ClassDef):
            inner = (each for each in node.body if isinstance(each, ast.FunctionDef))
            found += [(f"{node.name}.{each.name}", each) for each in inner]
    return found
