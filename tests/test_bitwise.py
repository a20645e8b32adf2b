"""Bit for bit: what keeps every bit passes, what nearly does is told where it first does not."""

import json
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from textwrap import indent

import pytest

from bugforge.catalogue import load
from bugforge.choosing import Request
from bugforge.exactness import EXPECTED, begin, compared
from bugforge.forge import forge
from bugforge.probe import draw
from bugforge.programs import SINGLE
from bugforge.recorder import Recorder
from bugforge.sandbox import Sandbox
from bugforge.sentences import shipped
from bugforge.tracks import BITWISE
from bugforge.variant import with_sentence
from tests.conftest import key_to
from tests.corpus import Fixture
from tests.test_cli import run

CATALOGUE = load()
MODEL, TRAIN = "model.py", "train.py"
MASKING = (MODEL, '        att = att.masked_fill(~self.mask[:T, :T], float("-inf"))\n')
SCORES = (MODEL, "        att = (q @ k.transpose(-2, -1)) / math.sqrt(k.size(-1))  # (B, T, T)\n")
POSITIONS = (MODEL, "self.tok_emb(idx) + self.pos_emb[: idx.size(1)]")
PROJECTION = (MODEL, "        self.proj = nn.Linear(config.n_embd, config.n_embd)\n")
ZEROING = (TRAIN, "    optimizer.zero_grad()\n    loss.backward()\n")
ATTENDING = (
    MODEL,
    SCORES[1] + MASKING[1] + "        att = F.softmax(att, dim=-1)\n"
    "        y = att @ v  # (B, T, C)\n",
)
SIGNATURE = (MODEL, "    def forward(self, idx, targets=None):\n")


def _way(name: str, why: str, *changes: tuple[str, str, str]) -> Fixture:
    return Fixture(name, "elsewhere", why, changes)


RIGHT = (
    _way("as_it_is", "Nothing is changed."),
    _way(
        "filled_with_the_lowest",
        "Its exponential is nothing, too.",
        (
            *MASKING,
            "        att = att.masked_fill(~self.mask[:T, :T], torch.finfo(att.dtype).min)\n",
        ),
    ),
    _way(
        "masked_by_where",
        "The same scores.",
        (
            *MASKING,
            '        att = torch.where(self.mask[:T, :T], att, att.new_tensor(float("-inf")))\n',
        ),
    ),
    _way(
        "mask_of_the_upper_half",
        "The same scores.",
        (
            *MASKING,
            (
                "        hidden = torch.ones(T, T, dtype=torch.bool).triu(1)\n"
                '        att = att.masked_fill(hidden, float("-inf"))\n'
            ),
        ),
    ),
    _way(
        "positions_first",
        "A sum of two does not depend on their order.",
        (*POSITIONS, "self.pos_emb[: idx.size(1)] + self.tok_emb(idx)"),
    ),
    _way(
        "positions_looked_up",
        "The same rows.",
        (*POSITIONS, "self.tok_emb(idx) + self.pos_emb[torch.arange(idx.size(1))]"),
    ),
    _way(
        "cleared_behind_the_step",
        "Gradients are none at first.",
        (*ZEROING, "    loss.backward()\n"),
        (TRAIN, "    optimizer.step()\n", "    optimizer.step()\n    optimizer.zero_grad()\n"),
    ),
    _way(
        "scores_by_einsum",
        "The same products, added in the same order.",
        (*SCORES, '        att = torch.einsum("btc,bsc->bts", q, k) / math.sqrt(q.size(2))\n'),
    ),
    _way(
        "minus_infinity_added",
        "Nothing is added where a query may look.",
        (*MASKING, '        att = att + torch.full((T, T), float("-inf")).triu(1)\n'),
    ),
    _way(
        "falls_in_a_line",
        "How the rate falls is the program's choice, and these steps lie before.",
        (
            TRAIN,
            "    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * done))\n",
            "    return config.learning_rate * (1 - 0.9 * done)\n",
        ),
    ),
    _way(
        "evaluating_in_the_end",
        "Which mode training leaves is the program's choice.",
        (
            TRAIN,
            "    return model, vocabulary, losses\n",
            "    return model.eval(), vocabulary, losses\n",
        ),
    ),
    _way(
        "another_name",
        "Names are the learner's.",
        (*PROJECTION, "        self.out = nn.Linear(config.n_embd, config.n_embd)\n"),
        (MODEL, "        return self.proj(y)\n", "        return self.out(y)\n"),
    ),
)
NEAR = (
    _way(
        "fused_attention",
        "It rounds otherwise.",
        (
            *ATTENDING,
            "        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)\n",
        ),
    ),
    _way(
        "scaled_queries",
        "They are rounded before they are multiplied.",
        (*SCORES, "        att = (q / math.sqrt(k.size(-1))) @ k.transpose(-2, -1)\n"),
    ),
    _way(
        "multiplied_by_the_root",
        "One rounding more.",
        (*SCORES, "        att = (q @ k.transpose(-2, -1)) * k.size(-1) ** -0.5\n"),
    ),
    _way(
        "softmax_by_hand",
        "Its sums are rounded otherwise.",
        (
            MODEL,
            "        att = F.softmax(att, dim=-1)\n",
            (
                "        att = (att - att.amax(-1, keepdim=True)).exp()\n"
                "        att = att / att.sum(-1, keepdim=True)\n"
            ),
        ),
    ),
)


def _exact_at_times(name: str, why: str, when: str, *more: tuple[str, str, str]) -> Fixture:
    exact = indent(ATTENDING[1], "    ")
    fused = "            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)\n"
    text = f"        if {when}:\n{exact}        else:\n{fused}"
    return _way(name, why, (ATTENDING[0], ATTENDING[1], text), *more)


SELDOM = (
    _exact_at_times("fused_in_evaluation", "It rounds otherwise there.", "self.training"),
    _exact_at_times(
        "fused_below_a_full_context", "Shorter rows round otherwise.", "T == self.mask.size(0)"
    ),
    _exact_at_times(
        "fused_for_a_few_rows", "Two rows round otherwise than one.", "len(x) in (1, 32)"
    ),
    _exact_at_times(
        "fused_behind_the_third_step",
        "Later steps round otherwise.",
        "self.exact",
        (*PROJECTION, PROJECTION[1] + "        self.exact = True\n"),
        (
            TRAIN,
            "    for step in range(config.steps):\n",
            (
                "    for step in range(config.steps):\n"
                "        for block in model.blocks:\n"
                "            block.attn.exact = step < 3\n"
            ),
        ),
    ),
)
FAR = (
    _way(
        "a_layer_more_is_made",
        "What is drawn behind it is another number.",
        (*PROJECTION, "        nn.Linear(config.n_embd, 1)\n" + PROJECTION[1]),
    ),
    _way("another_rate", "It leads elsewhere.", (TRAIN, "float = 5e-3\n", "float = 4e-3\n")),
    _way(
        "no_step",
        "Nothing is learned.",
        (TRAIN, "    optimizer.step()\n", ""),
    ),
    _way(
        "generator_of_its_own",
        "Windows are others.",
        (TRAIN, "torch.Generator().manual_seed(seed)", "torch.Generator().manual_seed(seed + 1)"),
    ),
    _way(
        "seed_of_main_always",
        "Another seed would lead elsewhere.",
        (TRAIN, "    torch.manual_seed(seed)\n", "    torch.manual_seed(1337)\n"),
    ),
    _way(
        "takes_something_more",
        "The signature is not the one that was given.",
        (*SIGNATURE, "    def forward(self, idx, targets=None, scale=1.0):\n"),
    ),
    _way(
        "another_default",
        "What stands for no targets is another thing.",
        (*SIGNATURE, "    def forward(self, idx, targets=()):\n"),
        (MODEL, "        if targets is None:\n", "        if not len(targets):\n"),
    ),
)


@pytest.fixture(scope="module")
def single() -> dict[str, str]:
    """The correct program."""
    files = SINGLE.reference()
    return {**files, TRAIN: with_sentence(files[TRAIN], shipped()[0])}


def _broken(fixture: Fixture, single: dict[str, str], box: Sandbox) -> dict[str, str]:
    """Take the first steps of a program; give the sentence of each law of bits that it breaks."""
    recorder = Recorder(box, box.room(), draw(random.Random(0), SINGLE))
    key = replace(key_to(single), track=BITWISE.name, reference=SINGLE.name)
    begin(recorder, key, recorder.write("attempt", fixture.applied(single)), 99)
    readings, _ = compared(recorder, key)
    assert all(reading.kept is not None for reading in readings)
    return {reading.check: reading.sentence for reading in readings if not reading.kept}


@pytest.mark.parametrize("fixture", RIGHT, ids=lambda fixture: fixture.name)
def test_what_keeps_every_bit_passes(
    fixture: Fixture, single: dict[str, str], box: Sandbox
) -> None:
    """A program whose bits are all the expected ones breaks no law of bits."""
    assert not _broken(fixture, single, box)


@pytest.mark.parametrize("fixture", NEAR, ids=lambda fixture: fixture.name)
def test_what_nearly_agrees_is_told_where(
    fixture: Fixture, single: dict[str, str], box: Sandbox
) -> None:
    """A program that rounds otherwise is refused, and told where its logits first differ, and by
    how little.
    """
    words = _broken(fixture, single, box)["expected-logits"]
    place, size = words.split("They first differ at ")[1].split(", by ")
    assert json.loads(place)
    assert 0 < float(size.split(",")[0]) < 1e-5


@pytest.mark.parametrize("fixture", [*FAR, *SELDOM], ids=lambda fixture: fixture.name)
def test_what_differs_is_refused(fixture: Fixture, single: dict[str, str], box: Sandbox) -> None:
    """A program that draws, learns or takes something else breaks a law of bits."""
    assert _broken(fixture, single, box)


def test_there_is_one_bug_of_each() -> None:
    """A workspace holds one bug of each of the four and no other."""
    for seed in range(12):
        key = forge(Request(seed=str(seed), program=SINGLE.name), BITWISE, CATALOGUE, "0")
        kinds = [CATALOGUE.kinds[bug.kind] for bug in key.bugs]
        assert len(kinds) == len(BITWISE.slots)
        assert all(any(slot.takes(kind) for kind in kinds) for slot in BITWISE.slots)


def test_from_new_to_reveal(tmp_path: Path) -> None:
    """The tests that lie there fail at first and pass in the end, as the check does; tensors of
    another machine are put right. Neither fewer nor more bugs are planted, nor others.
    """
    for wrong in (["--bugs", "3"], ["--bugs", "5"], ["--kind", "missing-backward"]):
        refused = run("new", "w", "--track", "bitwise", *wrong, cwd=tmp_path)
        assert refused.returncode == 2
        assert not (tmp_path / "w").exists()
    assert run("new", "w", "--track", "bitwise", "--seed", "1", cwd=tmp_path).returncode == 0
    assert outcome_of_tests(tmp_path / "w") == 1
    failed = json.loads(run("check", "w", "--json", cwd=tmp_path).stdout)
    assert failed["verdict"] == "failed"
    assert not failed["expected_renewed"]
    run("reveal", "w", "--apply", cwd=tmp_path)
    assert outcome_of_tests(tmp_path / "w") == 0
    expected = (tmp_path / "w" / EXPECTED).read_bytes()
    (tmp_path / "w" / EXPECTED).write_bytes(expected[:-4] + b"\0\0\0\0")
    passed = run("check", "w", cwd=tmp_path)
    assert passed.returncode == 0
    assert f"{EXPECTED} was not what" in passed.stdout
    assert (tmp_path / "w" / EXPECTED).read_bytes() == expected


def outcome_of_tests(folder: Path) -> int:
    """Run the tests of a workspace as its learner would; give pytest's exit code."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode
