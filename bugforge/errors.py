"""What goes wrong, in words: one tree, each error with its mend and its exit code."""


class BugforgeError(Exception):
    """Anything Bugforge tells its user in one or two lines: what is wrong, and the mend."""

    exit_code = 3

    def __init__(self, what: str, mend: str) -> None:
        """Say what went wrong, and where; and what the user can do about it."""
        super().__init__(f"{what}\n{mend}")
        self.what = what
        self.mend = mend


class UsageError(BugforgeError):
    """The command was asked for something it cannot do, or of a folder it cannot use."""

    exit_code = 2


class WorkspaceError(UsageError):
    """A folder that is no workspace, or one that cannot be read or written."""


class AnswerKeyError(UsageError):
    """An answer key that is missing, damaged or another workspace's."""


class HistoryError(UsageError):
    """A history that cannot be read or written."""


class NoFitError(UsageError):
    """A request for bugs that no program can hold."""


class ToolError(BugforgeError):
    """A fault of Bugforge's own, or of the machine it runs on."""


class PluginError(ToolError):
    """A plugin that failed at its work, though it could be loaded."""


class LostError(ToolError):
    """The process that runs programs is gone."""
