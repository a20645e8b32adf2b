"""Laws that every correct program keeps, whatever its form, stage by stage."""

from bugforge.properties.construction import CONSTRUCTION
from bugforge.properties.decoding import DECODING
from bugforge.properties.forward import FORWARD
from bugforge.properties.learning import LEARNING

LAWS = (*CONSTRUCTION, *FORWARD, *LEARNING, *DECODING)
"""In an order in which no law comes before one that it depends on."""
