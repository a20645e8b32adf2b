"""Record the session that README.md shows: real commands, as text and as a picture that moves.

Writes docs/session.svg, and the text between the marks in README.md. What a learner would think out
and edit, the answer key does here; nothing else is made up.
"""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from bugforge.workspace import find, replace_files

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "session.svg"
README = ROOT / "README.md"
BEGIN, END = "<!-- session: `make session` -->\n", "<!-- end of session -->\n"
EDITING = "# ... some thinking, some editing ..."
COMMANDS = (
    "bugforge new --bugs 4 --seed 12",
    "cd workspace",
    "bugforge start",
    "bugforge check",
    EDITING,
    "bugforge check",
    "bugforge stats",
)
COLUMNS, ROWS = 80, 28
CELL, LINE, MARGIN = 8.4, 18, 16
"""Sizes of a character and of what is around them, in the picture's pixels."""
TYPING_SECONDS, READING_SECONDS, LAST_SECONDS = 1.2, 2.4, 6.0
COLOURS: dict[int | None, str] = {1: "red", 2: "green", 3: "yellow", 6: "cyan"}
"""Names of a terminal's own colours that Bugforge writes in."""
STYLE = """
svg { --paper: #fff; --ink: #1f2328; --edge: #d0d7de; --red: #b3261e; --green: #116329;
  --yellow: #7d4e00; --cyan: #0b5c73; }
@media (prefers-color-scheme: dark) { svg { --paper: #0d1117; --ink: #e6edf3; --edge: #30363d;
  --red: #ff7b72; --green: #56d364; --yellow: #e3b341; --cyan: #76e3ea; } }
rect { fill: var(--paper); stroke: var(--edge); }
text { font: 14px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: var(--ink);
  white-space: pre; }
.bold { font-weight: bold } .dim { opacity: .7 }
.red { fill: var(--red) } .green { fill: var(--green) } .yellow { fill: var(--yellow) }
.cyan { fill: var(--cyan) }
"""


@dataclass(frozen=True)
class Shown:
    """Lines that come up together, and how long they stay until the next do."""

    lines: list[Text]
    seconds: float


def main() -> None:
    """Record, and write both."""
    shown = recorded()
    PICTURE.write_text(picture(shown), encoding="utf-8")
    words = "\n".join(line.plain.rstrip() for block in shown for line in block.lines)
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    session = f"{BEGIN}```\n{words.strip()}\n```\n{END}"
    README.write_text(before + session + after, encoding="utf-8")


def recorded() -> list[Shown]:
    """Run the commands in a folder of their own."""
    shown = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {
            **os.environ,
            "BUGFORGE_DATA": str(folder / "data"),
            "COLUMNS": str(COLUMNS),
            "FORCE_COLOR": "1",
            "PYTHONIOENCODING": "utf-8",
            "TERM": "xterm",
        }
        for command in COMMANDS:
            typed = Text.assemble("$ ", (command, "dim" if command == EDITING else "bold"))
            gap = [Text("")] if command == EDITING else []
            shown.append(Shown([typed, *gap], TYPING_SECONDS))
            words = command.split()
            if command == EDITING:
                edit(folder)
            elif words[0] == "cd":
                folder /= words[1]
            else:
                lines = [*said(words, folder, environment), Text("")]
                shown.append(Shown(lines, READING_SECONDS))
    return [*shown[:-1], Shown(shown[-1].lines, LAST_SECONDS)]


def said(words: list[str], folder: Path, environment: dict[str, str]) -> list[Text]:
    """Run a command, and give what it prints for people."""
    ran = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        check=False,
    )
    return [Text.from_ansi(line) for line in ran.stdout.splitlines()]


def edit(folder: Path) -> None:
    """Take every bug out of a workspace."""
    workspace = find(folder)
    replace_files(workspace, dict(workspace.answer_key(None).program(frozenset())))


def picture(shown: list[Shown]) -> str:
    """Draw a terminal in which blocks come up one after another, and scroll as one does.

    Where nothing is to move, it shows the end.
    """
    width, height = COLUMNS * CELL + 2 * MARGIN, ROWS * LINE + 2 * MARGIN
    total = sum(block.seconds for block in shown)
    console = Console(width=COLUMNS)
    blocks, frames, scrolls = [], [], []
    row, begun = 0, 0.0
    for number, block in enumerate(shown):
        at = 100 * begun / total
        lines = [_line(console, line, row + i) for i, line in enumerate(block.lines)]
        blocks.append(f'<g class="b{number}">{"".join(lines)}</g>')
        frames.append(
            f"@keyframes b{number} {{ 0% {{ opacity: 0 }} {at:.2f}%, 100% {{ opacity: 1 }} }} "
            f".b{number} {{ animation: b{number} {total:.1f}s step-end infinite }}"
        )
        row += len(block.lines)
        begun += block.seconds
        scrolls.append((at, max(0, row - ROWS) * LINE))
    up = " ".join(f"{at:.2f}% {{ transform: translateY(-{by}px) }}" for at, by in scrolls)
    last = scrolls[-1][1]
    moving = "\n".join(
        [
            *frames,
            f"@keyframes up {{ {up} 100% {{ transform: translateY(-{last}px) }} }}",
            f".up {{ animation: up {total:.1f}s step-end infinite }}",
        ]
    )
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
                'role="img" aria-labelledby="title desc">'
            ),
            '<title id="title">A session with Bugforge</title>',
            (
                '<desc id="desc">A terminal: a workspace with four bugs is forged, a check fails, '
                "the program is mended, a check passes. README.md has all of it as text.</desc>"
            ),
            f"<style>{STYLE}.up {{ transform: translateY(-{last}px) }}",
            f"@media (prefers-reduced-motion: no-preference) {{\n{moving}\n}}</style>",
            f'<rect x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1:g}" rx="8"/>',
            f'<svg x="{MARGIN}" y="{MARGIN}" width="{COLUMNS * CELL:g}" height="{ROWS * LINE}">',
            '<g class="up">',
            *blocks,
            "</g></svg></svg>\n",
        ]
    )


def _line(console: Console, line: Text, row: int) -> str:
    text = line.copy()
    text.rstrip()
    if not text.plain:
        return ""
    spans = "".join(_span(segment) for segment in text.render(console))
    length = f'textLength="{len(text.plain) * CELL:g}" lengthAdjust="spacingAndGlyphs"'
    return f'<text y="{(row + 0.75) * LINE:g}" {length} xml:space="preserve">{spans}</text>\n'


def _span(segment: Segment) -> str:
    style = segment.style or Style()
    names = [name for name in ("bold", "dim") if getattr(style, name)]
    names += [COLOURS[style.color.number]] if style.color and style.color.number in COLOURS else []
    words = escape(segment.text)
    return f'<tspan class="{" ".join(names)}">{words}</tspan>' if names else words


if __name__ == "__main__":
    main()
