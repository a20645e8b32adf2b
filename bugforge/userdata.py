"""Where what a learner has practised is kept."""

import os
from pathlib import Path

FOLDER = "BUGFORGE_DATA"
"""The environment variable that names the folder, where the user wants another."""


def data_folder() -> Path:
    """Give the folder that results are kept in."""
    named = os.environ.get(FOLDER)
    if named:
        return Path(named).expanduser()
    import platformdirs  # noqa: PLC0415  # where it is not named

    return platformdirs.user_data_path("bugforge", appauthor=False)
