"""Where the command begins: loaded at once, so that Ctrl-C is told well however early it comes."""

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line."""
    try:
        from bugforge import cli  # noqa: PLC0415  # what takes its time to load

        cli.main()
    except KeyboardInterrupt:
        sys.stderr.write("bugforge: Interrupted.\n")
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
