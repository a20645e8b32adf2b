"""Laws that every correct program keeps, whatever its form, stage by stage."""

from bugforge.properties.caching import CACHING
from bugforge.properties.classifying import CLASSIFYING
from bugforge.properties.construction import CONSTRUCTION
from bugforge.properties.decoding import DECODING
from bugforge.properties.forward import FORWARD
from bugforge.properties.learning import LEARNING
from bugforge.properties.multiplying import MULTIPLYING
from bugforge.properties.pipeline import PIPELINE
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
    *PIPELINE,
)
"""Stage by stage; `bugforge.judgement` puts them into the order in which they are judged."""
