"""The audit: a sound catalogue is proved, and whatever does not hold of one is found."""

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import libcst as cst
import libcst.matchers as m
import pytest

from bugforge.audit import Audit, ToWrite
from bugforge.auditing import Scope, audit
from bugforge.catalogue import Broken, Catalogue, load
from bugforge.mutation import Form, Mutation
from bugforge.programs import GPT
from bugforge.recordings import Crash, Recording
from bugforge.rewrite import Restructuring, way
from bugforge.sentences import loss_floor
from bugforge.symptom import symptom
from bugforge.training import Run

TEXT = "What comes back is what was learned, every letter of it and nothing else besides."
BLOCK = 24
STEPS = 300


def _command(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "bugforge", "audit", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def _derived(kind: type[Mutation], id_: str, **other: object) -> type[Mutation]:
    """Make a kind like another but in some attributes."""
    return type(id_, (kind,), {"__doc__": kind.__doc__, "id": id_, **other})


def _audited(*kinds: type[Mutation], of: Catalogue | None = None, quick: bool = True) -> Audit:
    """Audit some kinds of a catalogue, which else holds no others."""
    named = {kind.id: kind for kind in kinds}
    catalogue = Catalogue({**of.kinds, **named}, {}, of.broken) if of else Catalogue(named, {}, ())
    return next(audit(catalogue, Scope(tuple(named), quick=quick, program="gpt"), lambda *_: None))


def _values(att: cst.Assign) -> cst.Assign:
    return att.with_changes(value=cst.parse_expression("att @ v * 0"))


def _nothing(att: cst.Assign) -> cst.Assign:
    return att.with_changes(value=cst.parse_expression("torch.matmul(att, v)"))


VALUES = m.Assign(value=m.BinaryOperation(m.Name("att"), m.MatrixMultiply(), m.Name("v")))
HEAD = "def attend(att, v):\n    y = "


@pytest.fixture
def blinding() -> type[Mutation]:
    """A kind behind which nothing that goes on in the attention can be seen."""
    form = Form("zeroed", VALUES, _values, f"{HEAD}att @ v\n", f"{HEAD}att @ v * 0\n")
    return _derived(
        load().kinds["mask-missing"],
        "values-zeroed",
        forms=(form,),
        killed_by=frozenset({"forward", "order", "sees-past", "training-moves"}),
    )


def test_a_sound_kind_is_proved(tmp_path: Path) -> None:
    """The command proves kinds that hold, says which checks each breaks, and exits 0."""
    ran = _command("mask-fill-zero", "--quick", "--json", "--docs", "matrix.md", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    document = json.loads(ran.stdout)
    assert document["proved"]
    told = [(track["track"], track["program"]) for track in document["tracks"]]
    assert told == [
        ("classic", "gpt"),
        ("classic", "nano"),
        ("shift-mask-typo", "gpt"),
        ("bitwise", "single"),
        ("garbage", "deep"),
    ]
    audited = [track for track in document["tracks"] if track["mutants"]]
    assert [track["program"] for track in audited] == ["gpt", "nano", "single"]  # others are alike
    for track in audited:
        [mutant] = track["mutants"]
        assert mutant["broken"] == mutant["named"] == ["causality", "forward", "prefix-consistency"]
        assert track["left_in"][0]["kinds"].count("mask-fill-zero") == 1
    assert "mask-fill-zero zero | causality" in (tmp_path / "matrix.md").read_text()
    assert "Proved." in ran.stderr


def test_what_cannot_be_audited_is_said(tmp_path: Path) -> None:
    """An unknown kind is refused with the nearest; a page that cannot be written is named."""
    for arguments, said in (
        (("mask-fil-zero",), "mask-fill-zero"),
        (("--docs", "no/such.md"), "into no"),
        (("--docs", "."), "Name another file"),
    ):
        ran = _command(*arguments, cwd=tmp_path)
        assert ran.returncode == 2
        assert said in ran.stderr


def test_a_kind_that_names_other_checks_is_found() -> None:
    """A mutant that breaks other checks than its kind names is a finding."""
    liar = _derived(load().kinds["mask-missing"], "mask-liar", killed_by=frozenset({"causality"}))
    [finding] = _audited(liar).findings
    assert finding.startswith("mask-liar removed breaks causality, forward, prefix-consistency,")
    assert finding.endswith("where its kind names causality.")


def test_an_equivalent_mutant_is_found(blinding: type[Mutation]) -> None:
    """A mutant that changes nothing survives, alone and left in, and is a finding."""
    form = replace(blinding.forms[0], mutate=_nothing, buggy=f"{HEAD}torch.matmul(att, v)\n")
    survivor = _derived(blinding, "values-same", forms=(form,))
    found = _audited(survivor, of=load())
    assert "values-same zeroed survives every check." in found.findings
    assert [left.let_through for left in found.left_in] == [(survivor.id,)]
    assert any("with values-same left in alone" in finding for finding in found.findings)
    assert not found.left_in[0].whole_let_through


def test_a_rewrite_that_changes_the_program_is_found(
    blinding: type[Mutation], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A way to write the program that computes something else is a finding."""
    monkeypatch.setattr("bugforge.auditing.WORKSPACES", 1)  # they are not what is looked at
    ways = (way("doubled", ("att @ v", "att @ v * 2")), way("same", ("att @ v", "(att @ v)")))
    body = {"__doc__": "How values are gathered.", "id": "gathering", "ways": ways}
    rewrite = type("Gathering", (Restructuring,), body)
    catalogue = Catalogue({blinding.id: blinding}, {}, (), {"gathering": rewrite})
    found = next(audit(catalogue, Scope(quick=True, program="gpt"), lambda *_: None))
    assert [written.ways for written in found.rewritings][:2] == [
        ("gathering/doubled",),
        ("gathering/same",),
    ]
    [finding] = [finding for finding in found.findings if "gathering" in finding]
    assert finding == "Written in the way gathering/doubled, the program breaks forward."


def test_a_solution_that_does_not_hold_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to be written fails before it is, and its solution holds; where either is not so,
    that is a finding.
    """
    monkeypatch.setattr("bugforge.auditing.WORKSPACES", 1)  # they are not what is looked at
    whole = load()
    kinds = {"class-per-window": whole.kinds["class-per-window"]}
    only = Catalogue(kinds, whole.origins, (), {"words": whole.rewrites["words"]})
    scope = Scope(quick=True, program="single")
    found = [a for a in audit(only, scope, lambda *_: None) if a.track == "token-classifier"]
    assert [(task.passes, task.broken) for task in found[0].to_write] == [(False, ())]
    assert not found[0].findings
    options = found[0].to_write[0].options
    wrong = replace(found[0], to_write=(ToWrite(options, passes=True, broken=("classes",)),))
    assert wrong.findings == [
        f"What `bugforge new {options}` gives passes with nothing written.",
        f"The solution of `bugforge new {options}` does not keep classes.",
    ]


def test_a_kind_without_a_place_is_found(blinding: type[Mutation]) -> None:
    """A form that fits nowhere in the program is a finding."""
    form = replace(blinding.forms[0], name="lost", site=m.Name("nowhere"))
    lost = _derived(blinding, "values-lost", forms=(*blinding.forms, form))
    assert _audited(lost, of=load()).findings == ["values-lost lost finds no place in any program."]


def test_a_broken_plugin_is_found_where_all_is_audited(
    blinding: type[Mutation], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plugin that cannot be loaded is a finding of the whole catalogue, and not of one kind."""
    monkeypatch.setattr("bugforge.auditing.WORKSPACES", 1)  # they are not what is looked at
    broken = (Broken("someone", "no such module", "Mend it."),)
    catalogue = Catalogue({blinding.id: blinding}, {}, broken)
    for kinds, findings in (
        ((), ["A plugin is broken: someone: no such module."]),
        ((blinding.id,), []),
    ):
        found = next(audit(catalogue, Scope(kinds, quick=True, program="gpt"), lambda *_: None))
        assert found.findings == findings


def test_bugs_that_cancel_each_other_are_found(blinding: type[Mutation]) -> None:
    """Two bugs that together change nothing are a finding, though each alone is killed."""

    def doubled(att: cst.Assign) -> cst.Assign:
        return att.with_changes(value=cst.parse_expression("att @ v * 2"))

    def halved(proj: cst.Return) -> cst.Return:
        return proj.with_changes(value=cst.parse_expression("self.proj(y / 2)"))

    site = m.Return(m.Call(func=m.Attribute(attr=m.Name("proj"))))
    forms = Form("doubled", VALUES, doubled, "", ""), Form("halved", site, halved, "", "")
    twice = _derived(blinding, "all-twice", forms=forms[:1])
    half = _derived(blinding, "all-half", forms=forms[1:], bug_class="typo")
    found = _audited(twice, half, quick=False)
    assert [pair.told for pair in found.pairs] == ["cancelled"]
    assert "all-twice doubled and all-half halved cancel each other." in found.findings
    assert all(left.whole_let_through for left in found.left_in)


def test_masking_is_found_unless_it_is_declared(blinding: type[Mutation]) -> None:
    """A pair of which one bug hides the other is a finding, until one of the kinds says so; and
    so is a kind that says so without need.
    """
    unscaled = load().kinds["scale-missing"]
    shifted = load().kinds["shift-none"]
    hidden = frozenset({unscaled.id, shifted.id})
    declaring = _derived(blinding, "values-declared", hides=hidden, bug_class="positions")
    others = Catalogue({unscaled.id: unscaled, shifted.id: shifted}, {}, ())
    found = _audited(blinding, declaring, of=others, quick=False)
    masked = [pair for pair in found.pairs if pair.told == "masked"]
    assert [pair.one.kind for pair in masked] == [unscaled, unscaled]
    assert [pair.other.kind for pair in masked] == [blinding, declaring]
    undeclared, needless = (finding for finding in found.findings if " hide" in finding)
    assert undeclared.startswith("Of scale-missing dropped and values-zeroed zeroed one hides")
    assert needless == "shift-none and values-declared are said to hide each other, and do not."
    assert found.symptom
    assert found.symptom.shows == "invisible"
    assert found.symptom.given_back == 1


def _run(first: float, last: float, sample: str = TEXT, **facts: object) -> Run:
    floor = loss_floor(TEXT, BLOCK)
    losses = [first] * (STEPS // 2) + [last * floor] * (STEPS // 2)
    recording = Recording(facts={"losses": losses, "block_size": BLOCK, "sample": sample, **facts})
    return Run(GPT, TEXT, unseen=False, recording=recording)


@pytest.mark.parametrize(
    ("run", "shows"),
    [
        (_run(3.0, 1.1), "invisible"),
        (_run(3.0, 1.1, sample=TEXT[:-1] + "?"), "decode"),
        (_run(3.0, 0.1), "leak"),
        (_run(3.0, 9.0), "plateau"),
        (_run(3.0, 3.0 / loss_floor(TEXT, BLOCK)), "flat"),
        (_run(3.0, math.nan), "flat"),
        (replace(_run(3.0, 1.1), recording=Recording(crash=Crash("E", "", None))), "crash"),
        (_run(3.0, 1.1, main={"type": "E", "message": "", "place": None}), "crash"),
    ],
)
def test_a_symptom_is_what_a_learner_sees(run: Run, shows: str) -> None:
    """A run is named by the first of crash, flat loss, plateau, leak and wrong sample it shows."""
    assert symptom(run).shows == shows
