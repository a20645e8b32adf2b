"""What a learner has practised, kept in their data folder: an embedded database of ended rounds.

It has a rollback journal and not a write-ahead log, which no network drive can share. One that is
damaged is set aside, and a new one begun; one of a newer version is left alone.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

from bugforge.errors import HistoryError
from bugforge.journal import locked
from bugforge.rounds import Met, Round
from bugforge.userdata import FOLDER

T = TypeVar("T")

FILE = "history.db"
ASIDE = "history.damaged-{}.db"
PATIENCE_SECONDS = 5.0
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE rounds (
            id TEXT PRIMARY KEY, workspace TEXT NOT NULL, track TEXT NOT NULL,
            program TEXT NOT NULL, made REAL NOT NULL, started REAL, ended REAL NOT NULL,
            seconds REAL, minutes INTEGER NOT NULL, runs INTEGER NOT NULL, hints INTEGER NOT NULL,
            outcome TEXT NOT NULL, score REAL
        )""",
        """CREATE TABLE bugs (
            round TEXT NOT NULL REFERENCES rounds (id) ON DELETE CASCADE, number INTEGER NOT NULL,
            kind TEXT NOT NULL, form TEXT NOT NULL, bug_class TEXT NOT NULL, stage TEXT NOT NULL,
            difficulty TEXT NOT NULL, outcome TEXT NOT NULL, seconds REAL, hints INTEGER NOT NULL,
            PRIMARY KEY (round, number)
        )""",
        "CREATE TABLE forgotten (round TEXT PRIMARY KEY)",
    ),
    ("ALTER TABLE rounds ADD COLUMN folder TEXT NOT NULL DEFAULT ''",),
)
"""What each version adds to the one before; `user_version` counts how many were carried out."""

DAMAGE = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
"""What a database raises that is not as it was written: no table, a broken page, no database."""

FAILURES = (sqlite3.Error, UnicodeDecodeError)
"""What a database raises; the second where it cannot even name what is wrong in letters."""

ROUND = [field.name for field in fields(Round) if field.name != "bugs"]
BUG = [field.name for field in fields(Met)]


@dataclass(frozen=True)
class History:
    """The history in a folder; where nothing is kept yet, it has no round.

    say: is told, in a sentence, that a damaged one was set aside. Several processes may use it at
    once. Every method raises HistoryError where it cannot be read or written.
    """

    folder: Path
    say: Callable[[str], None]

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.folder / FILE

    def note(self, round_: Round) -> None:
        """Keep a round, in place of what was kept of it; not one that was forgotten."""

        def deed(database: sqlite3.Connection) -> None:
            known = "SELECT 1 FROM forgotten WHERE round = ?"
            if database.execute(known, (round_.id,)).fetchone():
                return
            values = [getattr(round_, name) for name in ROUND]
            database.execute(f"INSERT OR REPLACE INTO rounds {_row(ROUND)}", values)
            database.executemany(
                f"INSERT INTO bugs {_row(['round', *BUG])}",
                [(round_.id, *(getattr(bug, name) for name in BUG)) for bug in round_.bugs],
            )

        self._done(deed, "IMMEDIATE")

    def rounds(self) -> list[Round]:
        """Give all that is kept, in the order in which rounds ended."""
        return self._done(_rounds, "DEFERRED") if self._is_there() else []

    def forget(self, which: Callable[[Round], bool]) -> list[Round]:
        """Take rounds away for good, and give them: noted once more, they stay forgotten."""

        def deed(database: sqlite3.Connection) -> list[Round]:
            chosen = [round_ for round_ in _rounds(database) if which(round_)]
            ids = [(round_.id,) for round_ in chosen]
            database.executemany("DELETE FROM rounds WHERE id = ?", ids)
            database.executemany("INSERT OR IGNORE INTO forgotten VALUES (?)", ids)
            return chosen

        return self._done(deed, "IMMEDIATE") if self._is_there() else []

    def asides(self) -> list[Path]:
        """Give the damaged ones that were set aside."""
        return sorted(self.folder.glob(ASIDE.format("*")))

    def _is_there(self) -> bool:
        try:
            self.path.stat()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._unusable(error) from error
        return True

    def _done(self, deed: Callable[[sqlite3.Connection], T], begin: str) -> T:
        """Do something with the database; where it is damaged, with a new one."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                return self._tried(deed, begin)
            except FAILURES as error:
                if not _is_damage(error):
                    raise
            with _alone(self.folder):
                try:  # another process may have begun a new one by now
                    return self._tried(deed, begin)
                except FAILURES as error:
                    if not _is_damage(error):
                        raise
                    aside = self._set_aside()
                self.say(f"The history was damaged: it lies in {aside} now, and a new one begins.")
                return self._tried(deed, begin)
        except (OSError, OverflowError, *FAILURES) as error:
            raise self._unusable(error) from error

    def _tried(self, deed: Callable[[sqlite3.Connection], T], begin: str) -> T:
        connection = sqlite3.connect(self.path, timeout=PATIENCE_SECONDS, isolation_level=None)
        with closing(connection) as database:
            database.execute("PRAGMA foreign_keys = ON")
            database.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten
            if self._version(database) < len(MIGRATIONS):
                with _transaction(database, "IMMEDIATE"):
                    self._migrate(database)
            with _transaction(database, begin):
                return deed(database)

    def _version(self, database: sqlite3.Connection) -> int:
        version = int(database.execute("PRAGMA user_version").fetchone()[0])
        if version > len(MIGRATIONS):
            raise HistoryError(
                f"The history {self.path} was written by a newer Bugforge.",
                "Upgrade: pip install --upgrade bugforge",
            )
        return version

    def _migrate(self, database: sqlite3.Connection) -> None:
        for statements in MIGRATIONS[self._version(database) :]:
            for statement in statements:
                database.execute(statement)
        database.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    def _set_aside(self) -> Path:
        """Give a damaged database another name, and what it would be rolled back by."""
        names = (self.folder / ASIDE.format(number) for number in range(1, 10000))
        aside = next(name for name in names if not name.exists())
        rollback = self.path.with_name(f"{FILE}-journal")
        if rollback.exists():
            rollback.rename(aside.with_name(f"{aside.name}-journal"))
        return self.path.rename(aside)

    def _unusable(self, error: Exception) -> HistoryError:
        what = (error.strerror if isinstance(error, OSError) else None) or str(error)
        return HistoryError(
            f"The history {self.path} cannot be used: {what}.",
            f"Make room, mend its permissions, or name another folder: {FOLDER}=DIR",
        )


def _rounds(database: sqlite3.Connection) -> list[Round]:
    bugs: dict[str, list[Met]] = {}
    for of, *values in database.execute(
        f"SELECT round, {', '.join(BUG)} FROM bugs ORDER BY round, number"  # noqa: S608  # no input
    ):
        bugs.setdefault(of, []).append(Met(*values))
    return [
        Round(**dict(zip(ROUND, values, strict=True)), bugs=tuple(bugs.get(values[0], ())))
        for values in database.execute(
            f"SELECT {', '.join(ROUND)} FROM rounds ORDER BY ended, id"  # noqa: S608  # as above
        )
    ]


def _row(names: list[str]) -> str:
    return f"({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"


def _is_damage(error: Exception) -> bool:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    if code is None:  # what Python itself finds: a text that is none, or a value of no use
        return isinstance(error, sqlite3.OperationalError | UnicodeDecodeError)
    return (code & 0xFF) in DAMAGE


@contextmanager
def _transaction(database: sqlite3.Connection, begin: str) -> Iterator[None]:
    """Do all of something, or nothing of it."""
    database.execute(f"BEGIN {begin}")
    with database:  # which ends it
        yield


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold a folder against other processes that would set the same database aside."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with locked(handle):
            yield
    finally:
        os.close(handle)
