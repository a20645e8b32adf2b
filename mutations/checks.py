"""Sets of checks that fall together, by what of a program's behaviour a bug changes."""

CRASH = frozenset({"runs"})
"""The program does not come through."""

NOT_A_NUMBER = frozenset({"finite"})
"""Everything is NaN from the first batch on."""

COMPUTATION = frozenset({"forward", "gradient", "update", "decode"})
"""Under the same weights the logits differ, and with them all that follows."""

LEARNING = frozenset({"gradient", "update"})
"""The logits are right and the gradients are not."""
