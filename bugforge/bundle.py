"""Several files in one: names and contents, byte for byte the same for the same files."""

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath

MAX_BYTES = 256 * 1024**2


class DamagedError(Exception):
    """Bytes that are no bundle, or one that was not made here."""


def bundled(files: Mapping[str, str | bytes]) -> bytes:
    """Put files, contents by their names, into one."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def unbundled(data: bytes) -> dict[str, bytes]:
    """Take the files out again. Raises DamagedError, also for names that lead elsewhere."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > MAX_BYTES:
                raise DamagedError
            found = {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, zlib.error, ValueError, OSError, RuntimeError, EOFError) as error:
        raise DamagedError from error
    for name in found:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise DamagedError
    return found
