"""Every wrong program."""

from .reject_contract import CONTRACT
from .reject_elsewhere import ELSEWHERE
from .reject_fused import FUSED
from .reject_label_shift import LABEL_SHIFT
from .reject_loop import LOOPS
from .reject_mask import MASKS
from .reject_positions import POSITIONS
from .reject_projection import PROJECTION
from .reject_schedule import SCHEDULES
from .reject_training_step import TRAINING_STEP
from .reject_typo import TYPO

WRONG = (
    *LABEL_SHIFT,
    *POSITIONS,
    *MASKS,
    *PROJECTION,
    *TRAINING_STEP,
    *LOOPS,
    *SCHEDULES,
    *CONTRACT,
    *TYPO,
    *FUSED,
    *ELSEWHERE,
)
