"""What went wrong in a learner's program, as data."""

import traceback
from pathlib import Path
from typing import Any


def described(error: BaseException, folder: Path) -> dict[str, Any]:
    """An exception as the learner would see it, with the last of their own lines."""
    place = None
    if isinstance(error, SyntaxError):
        place = {"file": Path(error.filename or "").name, "line": error.lineno or 0}
    for frame in traceback.extract_tb(error.__traceback__):
        if Path(frame.filename).parent == folder:
            place = {"file": Path(frame.filename).name, "line": frame.lineno or 0}
    return {
        "type": type(error).__name__,
        "message": _message(error)[:500],
        "place": place,
    }


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:  # noqa: BLE001  # an exception of the learner's may not even have words
        return ""
