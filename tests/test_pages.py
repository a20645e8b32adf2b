"""The catalogue's pages: those in docs/ are what the command writes today."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from bugforge.catalogue import load
from bugforge.experiments import INNER, experiment_of, experiments
from bugforge.left_out import left_out
from bugforge.mutation import STAGES
from bugforge.pages import pages

DOCS = Path(__file__).parent.parent / "docs"


def test_the_pages_are_current() -> None:
    """docs/ holds the pages of every kind as they would be written now, and of no other."""
    written = pages(load())
    held = {name: (DOCS / name).read_text(encoding="utf-8") for name in written}
    assert held == written, "run `make docs`"
    assert {f"kinds/{path.name}" for path in (DOCS / "kinds").iterdir()} < set(written)


def test_a_page_has_the_experiment() -> None:
    """A kind's page has the experiment that exposes it, as it is typed, what to see, and how to run
    it.
    """
    catalogue, known = load(), experiments()
    written = pages(catalogue)
    for id_, kind in catalogue.kinds.items():
        found, page = experiment_of(kind, known), written[f"kinds/{id_}.md"]
        assert found
        assert all(words in page for words in (found.title, f"\n{found.code}```", found.see))
        assert (INNER in page) == found.inner
        assert f"`bugforge demo {id_}`" in page


def test_links_lead_somewhere() -> None:
    """Each link between pages leads to a page that is written."""
    written = pages(load())
    for name, text in written.items():
        for target in re.findall(r"\]\((?!https:)([^)]+)\)", text):
            assert str(Path(name).parent / target) in written, (name, target)


def test_what_is_left_out_is_not_planted() -> None:
    """No kind is both planted and left out; each that is left out stands once, in the order of
    stages, with a reason; and a kind that a reason names is planted.
    """
    planted, kinds = load().kinds, left_out()
    assert not {kind.id for kind in kinds} & set(planted)
    assert len({kind.id for kind in kinds}) == len(kinds)
    assert list(kinds) == sorted(kinds, key=lambda kind: (STAGES.index(kind.stage), kind.id))
    for kind in kinds:
        assert kind.title, kind.id
        assert kind.why, kind.id
        assert set(re.findall(r"`([^`]+)`", kind.why)) <= set(planted), kind.id


def test_what_a_plugin_plants_is_not_told_as_left_out() -> None:
    """A kind that is left out here and that somebody brings stands among the planted ones alone."""
    catalogue, kind = load(), left_out()[0]
    told = f"| {kind.id} |"
    assert told in pages(catalogue)["catalogue.md"]
    like = next(iter(catalogue.kinds.values()))
    brought = replace(catalogue, kinds={kind.id: like}, origins={kind.id: "elsewhere"})
    assert told not in pages(brought)["catalogue.md"]


def test_the_command_writes_them(tmp_path: Path) -> None:
    """`list --docs` writes every page, and says where it cannot."""
    command = [sys.executable, "-m", "bugforge", "list", "--docs"]
    subprocess.run([*command, "docs"], cwd=tmp_path, check=True, capture_output=True)
    for name, text in pages(load()).items():
        assert (tmp_path / "docs" / name).read_text(encoding="utf-8") == text
    (tmp_path / "file").write_text("")
    refused = subprocess.run(
        [*command, "file"], cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert refused.returncode == 2
    assert "Name another folder" in refused.stderr
