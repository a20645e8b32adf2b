"""What the examples of several masks share, and how a mask's meaning is read."""

import libcst as cst

MASKED = 'att = q @ k.mT\natt = att.masked_fill(~mask[:T, :T], float("-inf"))\n'
MASKED_LATER = 'logits = logits.masked_fill(logits < kept[:, [-1]], float("-inf"))\n'


def kept_of(fill: cst.Call) -> cst.BaseExpression | None:
    """Give the mask of what may be seen, of which the fill takes the opposite."""
    match fill.args[0].value:
        case cst.UnaryOperation(operator=cst.BitInvert(), expression=kept):
            return kept
        case cst.Comparison(
            left=kept,
            comparisons=[
                cst.ComparisonTarget(operator=cst.Equal(), comparator=cst.Integer(value="0"))
            ],
        ):
            return kept
    return None
