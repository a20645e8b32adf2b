"""A program of the user's own, as `sites`, `new --from`, `check` and `reveal` treat it."""

import json
import shutil
from pathlib import Path

import pytest

from bugforge.answers import seal, unseal
from tests.test_cli import everything, run

MODEL = """\
import math

import torch
import torch.nn as nn
from torch.nn import functional as F


class Config:
    def __init__(self, vocab_size, block_size, **others):
        self.vocab_size = vocab_size
        self.block_size = block_size
        self.n_head = 2
        self.n_embd = 64
        self.dropout = 0.1
        for name, value in others.items():
            setattr(self, name, value)


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.n_head = config.n_head
        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd)
        self.c_proj = nn.Linear(config.n_embd, config.n_embd)
        causal = torch.tril(torch.ones(config.block_size, config.block_size))
        self.register_buffer("bias", causal.view(1, 1, config.block_size, config.block_size))

    def forward(self, x):
        B, T, C = x.size()
        q, k, v = self.c_attn(x).split(C, dim=2)
        k = k.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        q = q.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        v = v.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
        att = att.masked_fill(self.bias[:, :, :T, :T] == 0, float("-inf"))
        att = F.softmax(att, dim=-1)
        y = att @ v
        return self.c_proj(y.transpose(1, 2).contiguous().view(B, T, C))


class LM(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.body = nn.ModuleDict(
            dict(
                wte=nn.Embedding(config.vocab_size, config.n_embd),
                wpe=nn.Embedding(config.block_size, config.n_embd),
                norm=nn.LayerNorm(config.n_embd),
                attn=Attention(config),
            )
        )
        self.head = nn.Linear(config.n_embd, config.vocab_size, bias=False)

    def forward(self, idx, targets=None):
        pos = torch.arange(0, idx.size(1), device=idx.device)
        x = self.body.wte(idx) + self.body.wpe(pos)
        x = x + self.body.attn(self.body.norm(x))
        logits = self.head(x)
        loss = None
        if targets is not None:
            loss = F.cross_entropy(
                logits.view(-1, logits.size(-1)), targets.view(-1), ignore_index=-1
            )
        return logits, loss

    @torch.no_grad()
    def generate(self, idx, max_new_tokens, temperature=1.0):
        for _ in range(max_new_tokens):
            logits, _ = self(idx[:, -self.config.block_size :])
            probs = F.softmax(logits[:, -1, :] / temperature, dim=-1)
            idx = torch.cat((idx, torch.multinomial(probs, num_samples=1)), dim=1)
        return idx
"""
TRAIN = """\
import torch

from model import LM, Config

text = open("input.txt").read()
block_size = 64


def get_batch(split):
    data = train_data if split == "train" else val_data
    ix = torch.randint(len(data) - block_size, (8,))
    x = torch.stack([data[i : i + block_size] for i in ix])
    y = torch.stack([data[i + 1 : i + 1 + block_size] for i in ix])
    return x, y


data = torch.tensor([ord(char) for char in text])
train_data, val_data = data[:-1000], data[-1000:]
model = LM(Config(vocab_size=len(set(text)), block_size=64))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
for step in range(1000):
    x, y = get_batch("train")
    _, loss = model(x, y)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
"""
KINDS = ("mask-fill-zero", "shift-wrong-direction")
ASKED = ["--kind", KINDS[0], "--kind", KINDS[1]]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program of another shape than ours, whose training runs as it is imported."""
    folder = tmp_path_factory.mktemp("own") / "program"
    folder.mkdir()
    (folder / "model.py").write_text(MODEL, encoding="utf-8")
    (folder / "train.py").write_text(TRAIN, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def planted(program: Path) -> Path:
    """A workspace with a bug in the mask and one in a script's batches."""
    made = run("new", "--from", str(program), "--seed", "1", *ASKED, cwd=program.parent)
    assert made.returncode == 0, made.stderr
    return program.parent / "workspace"


@pytest.fixture
def workspace(planted: Path, tmp_path: Path) -> Path:
    """A copy of that workspace."""
    return Path(shutil.copytree(planted, tmp_path / "workspace"))


def test_sites_names_kinds_and_lines_and_runs_nothing(program: Path) -> None:
    """Kinds are told with the places that they find, and those that find none are counted."""
    ran = run("sites", str(program), "--json", cwd=program)
    assert ran.returncode == 0
    document = json.loads(ran.stdout)
    found = {kind["id"]: kind["sites"] for kind in document["kinds"]}
    line = next(i for i, row in enumerate(MODEL.splitlines(), 1) if "masked_fill" in row)
    assert {"form": "zero", "file": "model.py", "line": line} in found[KINDS[0]]
    assert "missing-backward" in found
    assert document["none"]


def test_a_long_line_elsewhere_stays_as_it_is(tmp_path: Path) -> None:
    """A bug changes the lines that it is in, however long others of a user's program are."""
    long = f"{'values':100} = list(range(12))\n"
    (tmp_path / "model.py").write_text(long + MODEL, encoding="utf-8")
    ran = run("sites", ".", "--json", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    lines = {site["line"] for kind in json.loads(ran.stdout)["kinds"] for site in kind["sites"]}
    assert lines
    assert 1 not in lines


def test_a_file_that_is_not_python_is_named(tmp_path: Path) -> None:
    """A program that cannot be parsed is refused, with the file and the line."""
    (tmp_path / "model.py").write_text("x = 1\ndef f(:\n", encoding="utf-8")
    ran = run("sites", ".", cwd=tmp_path)
    assert ran.returncode == 2
    assert "model.py" in ran.stderr
    assert "line 2" in ran.stderr


def test_the_way_through_a_program_of_ones_own(workspace: Path, program: Path) -> None:
    """Planted, it fails; mended by its key, it is what it was, to the byte, and passes; and a check
    says which file it does not judge.
    """
    failing = run("check", "--json", "--feedback", "full", cwd=workspace)
    assert failing.returncode == 1, failing.stderr
    document = json.loads(failing.stdout)
    assert document["models"] == ["LM"]
    assert any(words.startswith("train.py") for words in document["not_judged"])
    assert [bug["state"] for bug in document["bugs"]] == ["remaining", "remaining"]
    assert run("reveal", "--apply", cwd=workspace).returncode == 0
    files = everything(workspace)
    assert all(files[name] == data for name, data in everything(program).items())
    passing = run("check", "--json", cwd=workspace)
    assert passing.returncode == 0, passing.stdout
    assert json.loads(passing.stdout)["verdict"] == "passed"


def test_other_words_for_the_same_pass(workspace: Path) -> None:
    """Layers renamed and a mask mended in another way are right."""
    text = MODEL.replace("c_attn", "qkv").replace("wpe", "places").replace("self.head", "self.out")
    text = text.replace('== 0, float("-inf")', "< 0.5, -1e9")
    (workspace / "model.py").write_text(text, encoding="utf-8")
    script = TRAIN.replace("data[i : i + block_size]", "data[i : i + block_size + 1][:-1]")
    (workspace / "train.py").write_text(script, encoding="utf-8")
    ran = run("check", cwd=workspace)
    assert ran.returncode == 0, ran.stdout


BAND = """\
def band(length):
    return torch.tril(torch.ones(length, length))


DEFAULT = Config(10, 11)
BAND = band(64)


class Attention"""
DEFAULTED = "class LM(nn.Module):\n    def __init__(self, config=DEFAULT)"


def mended(name: str, *changes: tuple[str, str]) -> tuple[str, str]:
    """Give the correct text of one of the program's files with something exchanged, by its name."""
    text = {"model.py": MODEL, "train.py": TRAIN}[name]
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return name, text


OTHER_FORMS = {
    "made as it is imported": mended(
        "model.py",
        ("class Attention", BAND),
        ("self.bias[:, :, :T, :T]", "BAND[:T, :T]"),
        ("class LM(nn.Module):\n    def __init__(self, config)", DEFAULTED),
    ),
    "a loss in other digits": mended(
        "model.py",
        (
            "loss = F.cross_entropy",
            "loss = (1 + 2e-7) * F.cross_entropy",
        ),
    ),
    "batches by places": mended(
        "train.py",
        (
            "x = torch.stack([data[i : i + block_size] for i in ix])",
            "at = ix[:, None] + torch.arange(block_size)\n    x = data[at]",
        ),
        ("torch.stack([data[i + 1 : i + 1 + block_size] for i in ix])", "data[at + 1]"),
    ),
    "the last window left out": mended(
        "train.py", ("len(data) - block_size", "len(data) - block_size - 1")
    ),
}
WRONG = {
    "the other split": mended("train.py", ('split == "train"', 'split != "train"')),
    "one split alone": mended(
        "train.py", ('train_data if split == "train" else val_data', "train_data")
    ),
    "beyond the end": mended("train.py", ("len(data) - block_size, ", "len(data), ")),
    "always the same rows": mended(
        "train.py", ("torch.randint(len(data) - block_size, (8,))", "torch.arange(8)")
    ),
    "the same row each time": mended(
        "train.py",
        (
            "torch.randint(len(data) - block_size, (8,))",
            "torch.randint(len(data) - block_size, (1,)).expand(8)",
        ),
    ),
}


@pytest.mark.parametrize("form", OTHER_FORMS)
def test_other_forms_pass(workspace: Path, form: str) -> None:
    """What a file makes as it is imported, the last digit of a loss and how a batch is gathered
    tell nothing of a program: it is right.
    """
    assert run("reveal", "--apply", cwd=workspace).returncode == 0
    name, text = OTHER_FORMS[form]
    (workspace / name).write_text(text, encoding="utf-8")
    ran = run("check", "--feedback", "full", cwd=workspace)
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("bug", WRONG)
def test_other_bugs_do_not_pass(workspace: Path, bug: str) -> None:
    """Batches come from the split that is asked for, and from all of it."""
    assert run("reveal", "--apply", cwd=workspace).returncode == 0
    name, text = WRONG[bug]
    (workspace / name).write_text(text, encoding="utf-8")
    ran = run("check", cwd=workspace)
    assert ran.returncode == 1, ran.stdout


def test_an_error_at_import_is_no_pass(workspace: Path) -> None:
    """A program that was mended and ends as it is imported is told with its line."""
    assert run("reveal", "--apply", cwd=workspace).returncode == 0
    (workspace / "model.py").write_text(f"{MODEL}x = [][0]\n", encoding="utf-8")
    ran = run("check", "--json", cwd=workspace)
    assert ran.returncode == 1
    assert json.loads(ran.stdout)["crash"]["line"] == len(MODEL.splitlines()) + 1


def test_what_no_check_sees_is_not_planted(program: Path, tmp_path: Path) -> None:
    """A kind whose only place lies where nothing is judged is refused, and nothing is made."""
    ran = run("new", "--from", str(program), "--kind", "missing-backward", cwd=tmp_path)
    assert ran.returncode == 2
    assert "missing-backward" in ran.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("other", [("--program", "nano"), ("--track", "pipeline")], ids="=".join)
def test_two_programs_are_one_too_many(
    other: tuple[str, str], program: Path, tmp_path: Path
) -> None:
    """A program of one's own and one of ours cannot both be asked for."""
    ran = run("new", "--from", str(program), *other, cwd=tmp_path)
    assert ran.returncode == 2
    assert " ".join(other) in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_holds_another_program_is_refused(workspace: Path) -> None:
    """A key whose correct program was exchanged is not that of its workspace any more."""
    place = workspace / ".bugforge" / "key"
    key = unseal(place.read_text(), "key")
    key.pristine["model.py"] = key.forged["model.py"]
    place.write_text(seal(key), encoding="ascii")
    ran = run("check", cwd=workspace)
    assert ran.returncode == 2
    assert "has been changed" in ran.stderr


def test_a_program_without_a_model_is_refused(tmp_path: Path) -> None:
    """Where nothing can be judged, that is said, and nothing is made."""
    (tmp_path / "tool.py").write_text("def add(a, b):\n    return a + b\n", encoding="utf-8")
    ran = run("new", "--from", "tool.py", cwd=tmp_path)
    assert ran.returncode == 2
    assert "can be judged" in ran.stderr
    assert not (tmp_path / "workspace").exists()
