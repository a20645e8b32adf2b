"""Every right program."""

from dataclasses import replace

from .accept_elsewhere import ELSEWHERE
from .accept_label_shift import LABEL_SHIFT
from .accept_mask import MASKS
from .accept_positions import POSITIONS
from .accept_projection import PROJECTION
from .accept_training_step import TRAINING_STEP
from .accept_typo import TYPO

MISJUDGED = {
    "layers_renamed_key_first": "layers renamed and reordered are not told apart",
    "layers_renamed_output_first": "layers renamed and reordered are not told apart",
    "sublayers_in_another_order_and_renamed": "layers renamed and reordered are not told apart",
    "tables_in_another_order_and_renamed": "layers renamed and reordered are not told apart",
    "query_and_key_exchange_names": "a layer that keeps its name is given its old weights",
    "shift_in_the_training_loop": "the step is judged by what get_batch gives it",
    "zeroed_in_the_loop": "the step is judged apart from the loop around it",
    "logits_from_a_method_of_their_own": "inputs are only seen where the model is called",
}
"""Known wrong verdicts, each to be mended: name of the program to why it is misjudged."""

RIGHT = tuple(
    replace(fixture, misjudged=MISJUDGED.get(fixture.name, ""))
    for fixture in (
        *LABEL_SHIFT,
        *POSITIONS,
        *MASKS,
        *PROJECTION,
        *TRAINING_STEP,
        *TYPO,
        *ELSEWHERE,
    )
)
