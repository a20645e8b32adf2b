"""Laws that every correct program keeps, whatever its form, stage by stage."""

from bugforge.properties.caching import CACHING
from bugforge.properties.classifying import CLASSIFYING
from bugforge.properties.construction import CONSTRUCTION
from bugforge.properties.decoding import DECODING
from bugforge.properties.forward import FORWARD
from bugforge.properties.learning import LEARNING
from bugforge.properties.multiplying import MULTIPLYING
from bugforge.properties.pipeline_metrics import METRICS
from bugforge.properties.pipeline_passes import PASSES
from bugforge.properties.pipeline_rows import ROWS
from bugforge.properties.pipeline_training import TRAINING
from bugforge.properties.ragged import RAGGED
from bugforge.properties.regularised import REGULARISED
from bugforge.properties.scanning import SCANNING
from bugforge.properties.sequences import SEQUENCES

LAWS = (
    *CONSTRUCTION,
    *FORWARD,
    *LEARNING,
    *DECODING,
    *REGULARISED,
    *CACHING,
    *RAGGED,
    *CLASSIFYING,
    *SEQUENCES,
    *MULTIPLYING,
    *SCANNING,
    *ROWS,
    *PASSES,
    *TRAINING,
    *METRICS,
)
"""Stage by stage; `bugforge.judgement` puts them into the order in which they are judged."""
