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
        m.SubscriptElement(
            m.Slice(lower=m.UnaryOperation(m.Minus(), m.DoesNotMatch(m.Integer("1"))), upper=None)
        ),
    ],
)
"""The newest tokens, by a size: idx[:, -block_size:], and not kept[:, -1:]."""
