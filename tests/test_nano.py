"""The second program: dropout, accumulation, groups, and a part that is held out."""

import json
import random
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bugforge.bench import Bench
from bugforge.catalogue import load
from bugforge.choosing import Request
from bugforge.cli import app
from bugforge.forge import forge, is_genuine
from bugforge.program import Program
from bugforge.programs import GPT, NANO
from bugforge.sandbox import Sandbox
from bugforge.sentences import is_passage
from bugforge.tracks import CLASSIC
from bugforge.variant import vary, written
from bugforge.verify import Question

CATALOGUE = load()


@pytest.mark.parametrize("program", CLASSIC.programs, ids=lambda program: program.name)
def test_texts_are_cut_at_one_place(program: Program) -> None:
    """What a program is to learn is the same however a learner rounds, and its text is made of
    shipped sentences; what is never shown is not.
    """
    rng = random.Random(0)
    for _ in range(50):
        for text in (program.text(rng), program.unseen(rng)):
            cut = len(program.learned(text))
            share = program.held_out
            assert cut == int(len(text) * (1 - share)) == len(text) - int(len(text) * share)
            assert len(text) >= program.passage
        assert is_passage(program.text(rng))
        assert not is_passage(program.unseen(rng))


def test_the_correct_program_passes_in_full(box: Sandbox) -> None:
    """In whatever way it is written, it keeps every law; and it learns its text and another."""
    rng = random.Random(0)
    variant = vary(NANO.reference(), CATALOGUE.rewrites_of(NANO), NANO.text(rng), rng)
    bench = Bench.set_up(box, NANO, variant.files, rng)
    verdict = bench.checked(CLASSIC, variant.files, variant.text, Question(rng, trains="when kept"))
    assert not verdict.unkept
    assert verdict.passed


def test_a_rewrite_changes_nothing(box: Sandbox) -> None:
    """Whatever ways are taken, the program keeps every law, and compares with the reference: first
    all first ways, then all second ones, and so on.
    """
    rng = random.Random(0)
    rewrites, text = CATALOGUE.rewrites_of(NANO), NANO.text(rng)
    rows = zip_longest(*([f"{r.id}/{choice}" for choice in r.choices()] for r in rewrites))
    programs = {
        f"ways {number}": written(NANO.reference(), rewrites, text, [way for way in row if way])
        for number, row in enumerate(rows)
    }
    bench = Bench.set_up(box, NANO, written(NANO.reference(), (), text, ()), rng)
    for name, behaviour in bench.judged(programs):
        assert not behaviour.broken, name


DROPPED = "        att = F.dropout(att, p=self.dropout, training=self.training)\n"
SMALLER = 'name.endswith("proj.weight")'
NOT_STATED = {
    "begun_up_smaller": (
        "beginning",
        SMALLER,
        'name.endswith(("attn.proj.weight", "up.weight"))',
    ),
    "begun_query_smaller": (
        "beginning",
        SMALLER,
        'name.endswith(("query.weight", "mlp.proj.weight"))',
    ),
    "weights_not_dropped": ("places-dropped", DROPPED, ""),
    "weights_dropped_twice": ("places-dropped", DROPPED, 2 * DROPPED),
    "values_dropped": ("weights-dropped", DROPPED, DROPPED.replace("att", "v")),
    "embeddings_not_dropped": (
        "places-dropped",
        "        x = self.dropout(x)\n        for",
        "        for",
    ),
    "heard_dropped_twice": (
        "places-dropped",
        "self.resid_dropout(self.proj(y))",
        "self.resid_dropout(self.resid_dropout(self.proj(y)))",
    ),
    "hidden_dropped": (
        "places-dropped",
        "self.dropout(self.proj(F.gelu(self.up(x))))",
        "self.proj(self.dropout(F.gelu(self.up(x))))",
    ),
    "read_by_attention_dropped": (
        "queries-whole",
        "self.attn(self.ln_1(x))",
        "self.attn(self.attn.resid_dropout(self.ln_1(x)))",
    ),
    "read_by_mlp_dropped": (
        "hidden-kept",
        "self.mlp(self.ln_2(x))",
        "self.mlp(self.mlp.dropout(self.ln_2(x)))",
    ),
    "stream_dropped_at_last": (
        "places-dropped",
        "        logits = self.head(",
        "        x = self.dropout(x)\n        logits = self.head(",
    ),
}
"""What is wrong in how weights begin and numbers are dropped: the law that tells it, and what is
put in place of what.
"""


def test_each_place_is_looked_at(box: Sandbox) -> None:
    """Weights that begin smaller are the ones that PROBLEM.md names, and each of its places drops
    as much as it states, no more and no less; drawn otherwise, it is the same.
    """
    rng = random.Random(0)
    reference = NANO.reference()
    model = reference["model.py"]
    assert all(model.count(old) == 1 for _, old, _ in NOT_STATED.values())
    programs = {
        name: reference | {"model.py": model.replace(old, new)}
        for name, (_, old, new) in NOT_STATED.items()
    }
    drawn = model.replace(DROPPED, "        torch.rand(3)\n" + DROPPED)
    bench = Bench.set_up(box, NANO, reference, rng)
    judged = dict(bench.judged({**programs, "drawn otherwise": reference | {"model.py": drawn}}))
    assert not judged.pop("drawn otherwise").broken
    # What is dropped in a wrong place is told by each law that looks there.
    dropped = {
        "dropout",
        "places-dropped",
        "hidden-kept",
        "kept-scaled",
        "weights-dropped",
        "queries-whole",
        "drawn-apart",
    }
    for name, (law, *_) in NOT_STATED.items():
        assert judged[name].broken - (dropped - {law}) == {law}, name


def test_a_key_names_its_program() -> None:
    """A key holds which program it was forged from, and is held to that one."""
    key = forge(Request(seed="0", program="nano"), CLASSIC, CATALOGUE, "0")
    assert set(key.pristine) == {"model.py", "data.py", "train.py"}
    assert is_genuine(key, CATALOGUE)
    assert not is_genuine(replace(key, reference="gpt"), CATALOGUE)


def test_the_simplest_program_is_the_easy_one(tmp_path: Path) -> None:
    """Easy workspaces are of the first program; a kind goes where it finds a place."""

    def files(*options: str) -> set[str]:
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        ran = CliRunner().invoke(app, ["new", str(folder), "--json", "--bugs", "1", *options])
        assert ran.exit_code == 0, ran.output
        assert json.loads(ran.stdout)["bugs"] == 1
        return {path.name for path in folder.glob("*.py")}

    easy = [files("--difficulty", "easy", "--seed", str(seed)) for seed in range(6)]
    assert easy == [set(GPT.files)] * len(easy)
    assert files("--kind", "tie-broken") == set(NANO.files)
    assert files("--program", "nano") == set(NANO.files)
