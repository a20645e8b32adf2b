"""Where the command begins: loaded at once, so that Ctrl-C is told well however early it comes."""

import gc
import sys

INTERRUPTED = 130
SELDOM = 50_000
"""New objects between two searches for unused ones: syntax trees are many, and last; with 700, the
default, a tenth of the time of `new` goes there.
"""


def main() -> None:
    """Run the command line."""
    gc.set_threshold(SELDOM)
    try:
        from bugforge import cli  # noqa: PLC0415  # what takes its time to load

        cli.main()
    except KeyboardInterrupt:
        sys.stderr.write("bugforge: Interrupted.\n")
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
