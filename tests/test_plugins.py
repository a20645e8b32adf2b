"""Plugins of other distributions: found, named, audited, forged, scaffolded; and broken ones."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import libcst as cst
import libcst.matchers as m
import pytest

from bugforge import contract, promises, testing
from bugforge.catalogue import Catalogue, load
from bugforge.linter import Linter
from bugforge.mutation import Form, Mutation
from bugforge.programs import GPT
from bugforge.rewrite import Restructuring, way
from bugforge.sentences import shipped
from bugforge.variant import Variant, written
from tests.test_cli import everything, run

ELSEWHERE = Path(__file__).parent / "elsewhere"
NAME = "bugforge-elsewhere"
KIND = "loss-summed"
REWRITE = "token-by-token"
TRIES = 20

PYPROJECT = """[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "bugforge-{name}"
version = "1.0"

[project.entry-points."bugforge.mutations"]
a-name-before-all-others = "bugforge_{name}"

[tool.setuptools]
py-modules = ["bugforge_{name}"]
"""
BROKEN = {
    "unimportable": ("import nowhere_at_all\n", "No module named 'nowhere_at_all'"),
    "exiting": ("raise SystemExit(7)\n", "SystemExit: 7"),
    "incomplete": (
        "from bugforge.mutation import Mutation\n\n\nclass Half(Mutation):\n    id = 'half-done'\n",
        "Half has no bug_class: set bug_class in the class body",
    ),
    "taking": (
        """from bugforge.mutations.attention.mask_use import MaskMissing


class Taking(MaskMissing):
    __doc__ = MaskMissing.__doc__
""",
        "its id mask-missing is taken by bugforge",
    ),
}
"""Modules of plugins that cannot be used, and what is said of each."""

FAILING = '''"""A kind whose own code fails where it finds a site."""

from bugforge.mutations.attention.mask_use import MaskMissing
from dataclasses import replace


def fail(node):
    raise KeyError("nothing here")


class Failing(MaskMissing):
    __doc__ = MaskMissing.__doc__
    id = "mask-failing"
    forms = tuple(replace(form, mutate=fail) for form in MaskMissing.forms)
'''


def _install(into: Path, *folders: Path) -> Path:
    """Install distributions into a folder, without a network."""
    alone = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", into)
    ran = subprocess.run(
        [sys.executable, "-m", "pip", "install", *map(str, (*alone, *folders))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return into


def _distribution(folder: Path, name: str, module: str) -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "pyproject.toml").write_text(PYPROJECT.format(name=name), encoding="utf-8")
    (folder / name / f"bugforge_{name}.py").write_text(module, encoding="utf-8")
    return folder / name


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the plugin of tests/elsewhere is installed."""
    folder = tmp_path_factory.mktemp("elsewhere")
    source = shutil.copytree(ELSEWHERE, folder / "source")  # building leaves something beside it
    return _install(folder / "installed", source)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which plugins are installed that are broken, each in a way of its own."""
    folder = tmp_path_factory.mktemp("broken")
    sources = [_distribution(folder, name, module) for name, (module, _) in BROKEN.items()]
    return _install(folder / "installed", *sources)


@pytest.fixture(scope="module")
def forged(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """Workspaces with the plugin's bug, by whether its rewrite is in them, too."""
    found: dict[bool, Path] = {}
    for seed in map(str, range(TRIES)):
        folder = tmp_path_factory.mktemp("forged")
        asked = ("--kind", KIND, "--bugs", "1", "--seed", seed, "--program", "gpt")
        assert run("new", *asked, cwd=folder, installed=[installed]).returncode == 0
        key = json.loads(run("reveal", "--json", cwd=folder).stdout)
        assert [bug["kind"] for bug in key["bugs"]] == [KIND]
        has = any(way.startswith(f"{REWRITE}/") for way in key["ways"])
        found.setdefault(has, folder / "workspace")
        if len(found) > 1:
            return found
    pytest.fail(f"of {TRIES} workspaces, all or none hold {REWRITE}")


def _copied(workspace: Path, folder: Path) -> Path:
    return Path(shutil.copytree(workspace, folder / "workspace"))


def test_a_plugin_is_found_with_its_origin(installed: Path, tmp_path: Path) -> None:
    """What another distribution brings is listed, shown and filtered by where it comes from."""
    every = run("list", cwd=tmp_path, installed=[installed])
    assert f"From {NAME}: {KIND}." in every.stdout.splitlines()
    assert every.stderr == ""
    for what, id_ in (((), KIND), (("--rewrites",), REWRITE)):
        own = run("list", "--origin", NAME, *what, cwd=tmp_path, installed=[installed])
        assert own.stdout.splitlines()[1].split()[0] == id_
        assert own.stdout.splitlines()[-2] == f"From {NAME}: {id_}."
        others = run("list", "--origin", "bugforge", *what, cwd=tmp_path, installed=[installed])
        assert id_ not in others.stdout
        assert "From" not in others.stdout
        assert len(others.stdout.splitlines()) > 10
    document = json.loads(
        run("list", "--origin", NAME, "--json", cwd=tmp_path, installed=[installed]).stdout
    )
    assert [(kind["id"], kind["origin"]) for kind in document["kinds"]] == [(KIND, NAME)]
    assert [(one["id"], one["origin"]) for one in document["rewrites"]] == [(REWRITE, NAME)]
    assert f"from {NAME}" in run("show", KIND, cwd=tmp_path, installed=[installed]).stdout


def test_a_plugin_is_audited(installed: Path, tmp_path: Path) -> None:
    """The audit proves a kind of another distribution as it proves those built in."""
    ran = run(
        "audit", KIND, "--program", "gpt", "--quick", "--json", cwd=tmp_path, installed=[installed]
    )
    assert ran.returncode == 0, ran.stdout
    track, *_ = json.loads(ran.stdout)["tracks"]
    assert [mutant["broken"] for mutant in track["mutants"]] == [["objective"]]


def test_a_plugin_is_forged_and_judged(
    forged: dict[bool, Path], installed: Path, tmp_path: Path
) -> None:
    """A workspace with a plugin's bug in a plugin's way is refused, revealed, mended and passed."""
    workspace = _copied(forged[True], tmp_path)
    failing = run("check", "--feedback", "full", cwd=workspace, installed=[installed])
    assert failing.returncode == 1, failing.stderr
    assert "bug 1: remaining" in failing.stdout
    revealed = run("reveal", "--apply", cwd=workspace, installed=[installed])
    assert 'reduction="sum"' in revealed.stdout
    passing = run("check", cwd=workspace, installed=[installed])
    assert passing.returncode == 0, passing.stdout


def test_a_plugin_that_has_gone_is_named(forged: dict[bool, Path], tmp_path: Path) -> None:
    """Without the plugin whose rewrite is in a program, a check names it and the mend, and
    judges nothing; what it planted is revealed all the same.
    """
    workspace = _copied(forged[True], tmp_path)
    before = everything(workspace)
    refused = run("check", cwd=workspace)
    assert refused.returncode == 2
    assert f"{REWRITE}/" in refused.stderr
    assert f"Install {NAME}" in refused.stderr
    assert everything(workspace) == before
    assert run("reveal", "--apply", cwd=workspace).returncode == 0


def test_a_plugin_of_the_bugs_alone_is_not_missed(forged: dict[bool, Path], tmp_path: Path) -> None:
    """A workspace is judged without the plugin that brought its bug: the key holds all of it."""
    workspace = _copied(forged[False], tmp_path)
    assert run("check", cwd=workspace).returncode == 1
    assert run("reveal", "--apply", cwd=workspace).returncode == 0
    assert run("check", cwd=workspace).returncode == 0


def test_a_plugin_that_has_changed_is_named(
    forged: dict[bool, Path], installed: Path, tmp_path: Path
) -> None:
    """Where a plugin's rewrite writes something else by now, a check says whose it is."""
    changed = Path(shutil.copytree(installed, tmp_path / "installed"))
    module = changed / "bugforge_elsewhere" / "decoding.py"
    text = module.read_text(encoding="utf-8")
    module.write_text(text.replace(".item()", ".tolist()").replace(".cpu()", ""), encoding="utf-8")
    refused = run("check", cwd=forged[True], installed=[changed])
    assert refused.returncode == 2
    assert f"or {NAME} has" in refused.stderr


def test_broken_plugins_are_named_and_take_nothing_down(
    installed: Path, broken: Path, tmp_path: Path
) -> None:
    """Each broken plugin is named with its fault and the mend, on standard error; all else is as
    it was without them.
    """
    for command, makes in (
        (("list",), "nothing"),
        (("show", KIND), "nothing"),
        (("new", "--seed", "3"), "workspace"),
        (("dev", "new", "rewrite", "another"), "bugforge-another"),
    ):
        made = []
        for folders in ([installed], [installed, broken]):
            shutil.rmtree(tmp_path / makes, ignore_errors=True)
            ran = run(*command, cwd=tmp_path, installed=folders)
            assert ran.returncode == 0, (command, ran.stderr)
            made.append((ran.stdout, everything(tmp_path)))
        assert made[0] == made[1], command
        for name, (_, said) in BROKEN.items():
            assert f"the plugin of bugforge-{name} is broken" in ran.stderr, command
            assert said in ran.stderr
            assert f"pip uninstall bugforge-{name}" in ran.stderr
    (tmp_path / "workspace" / "model.py").write_text("", encoding="utf-8")  # quick to judge
    assert run("check", cwd=tmp_path, installed=[installed, broken]).returncode == 1
    audited = run(
        "audit", KIND, "--program", "gpt", "--quick", cwd=tmp_path, installed=[installed, broken]
    )
    assert audited.returncode == 0, audited.stdout
    document = json.loads(run("list", "--json", cwd=tmp_path, installed=[broken]).stdout)
    assert {plugin["origin"] for plugin in document["broken"]} == {
        f"bugforge-{name}" for name in BROKEN
    }
    assert all({"what", "mend"} < set(plugin) for plugin in document["broken"])
    [taken] = [kind for kind in document["kinds"] if kind["id"] == "mask-missing"]
    assert taken["origin"] == "bugforge"


def test_a_plugin_that_fails_at_its_work_is_named(tmp_path: Path) -> None:
    """Where a plugin's own code fails, the command names it and the mend, and not Bugforge; and
    its contract says so.
    """
    folder = _install(tmp_path / "there", _distribution(tmp_path, "failing", FAILING))
    failed = run("new", "--kind", "mask-failing", cwd=tmp_path, installed=[folder])
    assert failed.returncode == 3
    assert "bugforge_failing failed: KeyError: 'nothing here'" in failed.stderr
    assert "uninstall" in failed.stderr
    assert "Bugforge itself" not in failed.stderr
    tested = run("dev", "test", "mask-failing", "--json", cwd=tmp_path, installed=[folder])
    assert tested.returncode == 1
    [plugin] = json.loads(tested.stdout)["plugins"]
    faults = [fault for clause in plugin["clauses"] for fault in clause["faults"]]
    assert faults
    assert all("KeyError: 'nothing here'" in fault for fault in faults)


def test_what_is_scaffolded_keeps_its_contract(tmp_path: Path) -> None:
    """A scaffold, once installed, is found and keeps its contract, and is laid out as by ruff."""
    made = run("dev", "new", "mutation", "gen-made-up", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert "bugforge dev test gen-made-up" in made.stdout
    other = run("dev", "new", "rewrite", "made-up", "--to", "a b/c", "--json", cwd=tmp_path)
    document = json.loads(other.stdout)
    folders = tmp_path / "bugforge-gen-made-up", Path(document["folder"])
    assert folders[1] == tmp_path / "a b" / "c"
    for folder in folders:
        subprocess.run(
            [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", folder], check=True
        )
        assert {path.suffix for path in folder.iterdir()} == {".toml", ".md", ".py"}
    installed = _install(tmp_path / "installed", *folders)
    for id_, origin in (("gen-made-up", "bugforge-gen-made-up"), ("made-up", "bugforge-made-up")):
        tested = run(
            "dev", "test", id_, "--json", cwd=tmp_path, installed=[installed], seconds=1200
        )
        [plugin] = json.loads(tested.stdout)["plugins"]
        assert {clause["outcome"] for clause in plugin["clauses"]} == {"holds"}, tested.stdout
        assert plugin["origin"] == origin
        assert tested.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("new", "mutation", "mask-missing"), "taken by bugforge"),
        (("new", "mutation", "Mask Wide"), "mask-too-wide"),
        (("new", "mutation", "2-wide"), "mask-too-wide"),
        (("new", "mutaton", "mask-wide"), "Did you mean mutation?"),
        (("new", "rewrite", "wide", "--to", "taken"), "taken is there already"),
        (("new", "rewrite", "wide", "--to", "taken/file/below"), "cannot be written"),
        (("test", "mask-mising"), "Did you mean mask-missing?"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_scaffolded_or_tested(
    arguments: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    """Wrong ids and sorts, and taken folders, are refused with the mend, and nothing is left."""
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("", encoding="utf-8")
    before = everything(tmp_path)
    ran = run("dev", *arguments, cwd=tmp_path)
    assert ran.returncode == 2
    assert said in ran.stderr
    assert everything(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def _kept(tested: testing.Tested) -> list[str]:
    return [held.outcome for held in tested.clauses]


def _tested(id_: str, catalogue: Catalogue) -> testing.Tested:
    [tested] = testing.test(id_, catalogue, 120, lambda *_: None)
    return tested


def _derived(**other: Any) -> type[Mutation]:
    kind = load().kinds["mask-missing"]
    return type("Derived", (kind,), {"__doc__": kind.__doc__, "id": "mask-derived", **other})


def _rewrite(*pair: str, example: tuple[str, str] | None = None) -> type[Restructuring]:
    ways = (way("only", (pair[0], pair[1]), example=example),)
    return type("Derived", (Restructuring,), {"__doc__": "So.", "id": "derived", "ways": ways})


def test_a_mutation_that_lies_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind that names other checks than it breaks does not keep its contract, and it is said
    which; where ruff is not, that clause is not looked at, and breaks nothing.
    """
    monkeypatch.setattr("bugforge.testing.Linter.found", lambda: None)
    liar = _derived(killed_by=frozenset({"causality"}))
    tested = _tested(liar.id, Catalogue({liar.id: liar}, {liar.id: "me"}, ()))
    assert _kept(tested) == ["holds", "holds", "holds", "not looked at", "broken"]
    assert "causality, forward, prefix-consistency" in tested.clauses[-1].faults[0]
    document = promises.tested_document([tested])
    assert not document["kept"]
    assert "killed_by" in document["plugins"][0]["clauses"][-1]["mend"]
    assert "ruff" in document["plugins"][0]["clauses"][3]["why"]


def test_a_mutation_without_a_place_is_not_run() -> None:
    """A kind that finds no site is told so, and what hangs on one is not looked at."""
    [form, *_] = load().kinds["mask-missing"].forms
    nowhere = Form("lost", m.Name("nowhere"), form.mutate, "a = 1\n", "a = 2\n")
    lost = _derived(forms=(nowhere,))
    tested = _tested(lost.id, Catalogue({lost.id: lost}, {lost.id: "me"}, ()))
    assert _kept(tested) == ["broken", "holds", "broken", "not looked at", "not looked at"]


def _reference() -> dict[str, str]:
    return written(GPT.reference(), (), shipped()[0], ())


def test_each_clause_on_a_mutation_finds_its_fault() -> None:
    """Each clause is broken by what it forbids."""
    kind = load().kinds["mask-missing"]
    form = kind.forms[0]
    wrong = Form(form.name, form.site, form.mutate, form.correct, form.correct)
    assert "line" in contract.example_mutates(wrong)[0]
    assert contract.lookalikes_stay(_derived(untouched=(form.correct,)), form)
    everywhere = Form("all", m.FunctionDef(), lambda _: cst.RemoveFromParent(), "a = 1\n", "")
    faults = contract.site_found(everywhere, _reference())
    assert any("lines." in fault for fault in faults)
    nothing = Form("none", m.Name("att"), lambda node: node, "", "")
    assert any("changes nothing" in f for f in contract.site_found(nothing, _reference()))
    linter = Linter.found()
    assert linter
    untidy = {**_reference(), "model.py": _reference()["model.py"] + "import  os\n"}
    told = contract.unseen_by_linters(linter, _reference(), {"untidy": untidy})
    assert any("F401" in fault for fault in told)
    assert any("lay out" in fault for fault in told)


def test_a_rewrite_that_is_a_bug_is_told_so() -> None:
    """A rewrite that computes something else, or other bits, does not keep its contract."""
    double = _rewrite("att @ v", "att @ v * 2")
    tested = _tested(double.id, _only(double))
    kept = dict(zip([held.law[:40] for held in tested.clauses], _kept(tested), strict=True))
    broken = [law for law, outcome in kept.items() if outcome == "broken"]
    assert [law.split()[0] for law in broken] == ["A", "Ways"]
    [laws] = [held for held in tested.clauses if "keeps every law" in held.law]
    assert any("derived/only breaks forward" in fault for fault in laws.faults)


def _only(rewrite: type[Restructuring]) -> Catalogue:
    return Catalogue({}, {}, (), {rewrite.id: rewrite}, {rewrite.id: "me"})


def test_each_clause_on_a_rewrite_finds_its_fault() -> None:
    """Each clause is broken by what it forbids."""
    wrong = _rewrite("att @ v", "v @ att", example=("att @ v\n", "att\n"))
    assert contract.example_rewritten(wrong.ways[0])
    reference = _reference()
    assert contract.place_found("nothing", reference, reference)
    wide = {**reference, "model.py": f"wide = {'1' * 200}\n"}
    assert "too long" in contract.place_found("wide", wide, reference)[0]
    cut = {**reference, "model.py": "def (\n"}
    assert "does not compile" in contract.place_found("cut", cut, reference)[0]
    for old, new in (
        ("class GPT(", "class LanguageModel("),
        ("max_new_tokens, temperature", "count, temperature"),
        ("def main()", "def run()"),
    ):
        files = {name: text.replace(old, new) for name, text in reference.items()}
        assert contract.promised_names_stay(old, files), old
    assert not contract.promised_names_stay("as it was", reference)
    assert contract.written_again(Variant("", {}), GPT.reference(), ())
    linter = Linter.found()
    assert linter
    idle = {**reference, "model.py": f"import os\n{reference['model.py']}"}
    assert any("F401" in fault for fault in contract.tidy(linter, {"idle": idle}))
    kinds = [load().kinds["mask-missing"]]
    sites = contract.sites_by_form(reference, kinds)
    assert contract.sites_stay("other", contract.sites_by_form({}, kinds), sites)
