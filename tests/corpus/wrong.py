"""Every wrong program."""

from dataclasses import replace

from .reject_contract import CONTRACT
from .reject_elsewhere import ELSEWHERE
from .reject_label_shift import LABEL_SHIFT
from .reject_loop import LOOPS
from .reject_mask import MASKS
from .reject_positions import POSITIONS
from .reject_projection import PROJECTION
from .reject_training_step import TRAINING_STEP
from .reject_typo import TYPO

MISJUDGED: dict[str, str] = {}
"""Known wrong verdicts, each to be mended: name of the program to why it is misjudged."""

WRONG = tuple(
    replace(fixture, misjudged=MISJUDGED.get(fixture.name, ""))
    for fixture in (
        *LABEL_SHIFT,
        *POSITIONS,
        *MASKS,
        *PROJECTION,
        *TRAINING_STEP,
        *LOOPS,
        *CONTRACT,
        *TYPO,
        *ELSEWHERE,
    )
)
