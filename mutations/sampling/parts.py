"""The parts of generation, known by what they do."""

import libcst.matchers as m

from ..patterns import ALL

DRAWING = m.Call(func=m.Attribute(attr=m.Name("multinomial")))
"""A token is drawn by its probability."""

PICKING = DRAWING | m.Call(func=m.Attribute(attr=m.Name("argmax")))
"""A token is drawn, or the likeliest taken."""

NEWEST = m.Subscript(
    value=m.Name(),
    slice=[
        ALL,
        m.SubscriptElement(m.Slice(lower=m.UnaryOperation(operator=m.Minus()), upper=None)),
    ],
)
"""The newest tokens: idx[:, -block_size:]."""
