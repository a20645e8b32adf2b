"""Every right program."""

from .accept_elsewhere import ELSEWHERE
from .accept_fused import FUSED
from .accept_label_shift import LABEL_SHIFT
from .accept_loop import LOOPS
from .accept_mask import MASKS
from .accept_positions import POSITIONS
from .accept_projection import PROJECTION
from .accept_schedule import SCHEDULES
from .accept_training_step import TRAINING_STEP
from .accept_typo import TYPO

RIGHT = (
    *LABEL_SHIFT,
    *POSITIONS,
    *MASKS,
    *PROJECTION,
    *TRAINING_STEP,
    *LOOPS,
    *SCHEDULES,
    *TYPO,
    *FUSED,
    *ELSEWHERE,
)
