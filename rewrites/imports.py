"""Ways to import the parts of torch."""

from bugforge.rewrite import Restructuring, way


class Layers(Restructuring):
    """How torch's layers are imported."""

    id = "import-layers"
    subjects = ("language", "pipeline")
    ways = (way("dotted", ("from torch import nn", "import torch.nn as nn")),)


class Functions(Restructuring):
    """How torch's functions are imported."""

    id = "import-functions"
    subjects = ("language", "pipeline")
    ways = (
        way(
            "dotted",
            ("from torch.nn import functional as F", "import torch.nn.functional as F"),
        ),
    )
