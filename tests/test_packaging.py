"""What a user installs: one package, with the texts that it needs."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_wheel_holds_bugforge_alone(tmp_path: Path) -> None:
    """A wheel puts `bugforge` into site-packages and nothing else, data files included."""
    # From a copy, since building leaves a folder that a later build would take old files from.
    source = tmp_path / "source"
    left_out = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT, source, ignore=left_out)
    alone = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *alone, "-w", tmp_path, source],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("bugforge-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"bugforge"}
    listed = {path.relative_to(ROOT / "mutations") for path in (ROOT / "mutations").rglob("*.py")}
    assert {f"bugforge/mutations/{path.as_posix()}" for path in listed} <= set(names)
    for needed in (
        "bugforge/mutations/left_out.toml",
        "bugforge/reference/sentences.txt",
        "bugforge/reference/gpt/model.py",
        "bugforge/templates/classic.md",
        "bugforge/templates/debrief.css",
        "bugforge/templates/debrief.html",
        "bugforge/templates/mutation.txt",
        "bugforge/templates/plugin.toml",
        "bugforge/templates/rewrite.txt",
        "bugforge/py.typed",
        "bugforge/warm.py",
        "bugforge/harness/child.py",
    ):
        assert needed in names
