"""The session that README.md shows, and its picture: one recording, complete in itself."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parent.parent
SVG = "{http://www.w3.org/2000/svg}"
LARGEST = 150_000


def _session() -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(
        r"<!-- session.*?-->\n```\n(.*?)```\n<!-- end of session -->", text, re.DOTALL
    )
    assert found
    return found[1]


def test_text_and_picture_are_one_recording() -> None:
    """Every line of the text is in the picture, in its order, and no other."""
    picture = ET.parse(ROOT / "docs" / "session.svg")  # noqa: S314  # our own
    drawn = ["".join(line.itertext()) for line in picture.iter(f"{SVG}text")]
    assert drawn == [line for line in _session().splitlines() if line]


def test_the_picture_needs_nothing_else() -> None:
    """It is small, has a name and a description, loads nothing, and names no place on a machine."""
    text = (ROOT / "docs" / "session.svg").read_text(encoding="utf-8")
    assert len(text.encode()) < LARGEST
    root = ET.fromstring(text)  # noqa: S314  # our own
    named = {element.get("id"): element.text for element in root if element.get("id")}
    assert all(named[id_] for id_ in root.attrib["aria-labelledby"].split())
    assert not re.search(r"url\(|href|@import|<script", text)
    assert not re.search(r"(?<![\w<])/(tmp|home|root|work|Users|private)/", text + _session())
    assert "prefers-color-scheme: dark" in text
    assert "prefers-reduced-motion" in text
