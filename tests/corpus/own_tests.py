"""Tests that a learner might write of a part of a program: good, weak, and with false alarms."""

from dataclasses import dataclass
from typing import Literal

from bugforge.tracks import TESTS

Worth = Literal["good", "weak", "alarm"]


@dataclass(frozen=True)
class Written:
    """A file of tests. part: the program that they are of. worth: whether they pass, miss too much,
    or raise a false alarm. why: one sentence. misses: a kind of bug that weak ones do not see.
    """

    name: str
    part: str
    worth: Worth
    why: str
    text: str
    misses: str = ""


def _solution(part: str) -> Written:
    extension = TESTS.program(part).extension
    assert extension
    (text,) = extension.tests_written().values()
    return Written(f"{part}_solution", part, "good", "It is the key's.", text)


ATTENTION_HEAD = """
import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from model import CausalSelfAttention, GPTConfig


def made(heads=3, width=12, context=9, std=0.7):
    torch.manual_seed(0)
    config = GPTConfig(
        vocab_size=5, block_size=context, n_layer=1, n_head=heads, n_embd=width
    )
    attention = CausalSelfAttention(config).double()
    for parameter in attention.parameters():
        torch.nn.init.normal_(parameter, std=std)
    return attention


def drawn(rows=2, length=7, width=12, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, length, width, generator=generator, dtype=torch.float64)


def split(x, heads):
    return x.unflatten(2, (heads, -1)).transpose(1, 2)
"""
FUSED = (
    ATTENTION_HEAD
    + """

def right(attention, x, heads):
    q, k, v = (split(f(x), heads) for f in (attention.query, attention.key, attention.value))
    y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    return attention.proj(y.transpose(1, 2).flatten(2))
"""
)
MATRIX = (
    ATTENTION_HEAD
    + """

def right(attention, x, heads):
    q, k, v = (split(f(x), heads) for f in (attention.query, attention.key, attention.value))
    scores = torch.einsum("bhid,bhjd->bhij", q, k) * (x.size(2) // heads) ** -0.5
    ahead = torch.ones(x.size(1), x.size(1)).triu(1).bool()
    y = scores.masked_fill(ahead, -math.inf).softmax(dim=3) @ v
    return attention.proj(y.transpose(1, 2).flatten(2))
"""
)
COMPARED = """

@pytest.mark.parametrize("learning", [True, False])
@pytest.mark.parametrize(("heads", "width"), [(3, 12), (1, 5), (2, 6)])
@pytest.mark.parametrize("length", [1, 4, 9])
def test_values(heads, width, length, learning):
    attention, x = made(heads, width).train(learning), drawn(3, length, width)
    y = attention(x)
    assert y.shape == x.shape
    torch.testing.assert_close(y, right(attention, x, heads))
"""
GRADIENTS = """

def test_gradients():
    attention, x = made(), drawn().requires_grad_()
    wanted = [x, *attention.parameters()]
    got, true = (
        torch.autograd.grad(y.square().sum(), wanted)
        for y in (attention(x), right(attention, x, 3))
    )
    torch.testing.assert_close(got, true)
"""
ATTENTION = (
    _solution("attention"),
    Written(
        "attention_fused",
        "attention",
        "good",
        "Torch's own attention is the model.",
        FUSED + COMPARED + GRADIENTS,
    ),
    Written(
        "attention_numeric",
        "attention",
        "good",
        "Gradients are compared with differences of values.",
        MATRIX
        + COMPARED
        + """

def test_gradients():
    attention = made(2, 4, 5)
    x = drawn(2, 3, 4).requires_grad_()
    assert torch.autograd.gradcheck(attention, x)
""",
    ),
    Written(
        "attention_class",
        "attention",
        "good",
        "It has the form of a class, with a fixture that is made once.",
        MATRIX
        + """

@pytest.fixture(scope="module", params=[(3, 12), (2, 10)], ids=["three", "two"])
def pair(request):
    return made(*request.param), request.param


class TestAttention:
    def test_training(self, pair):
        attention, (heads, width) = pair
        x = drawn(2, 9, width)
        assert attention.train()(x).shape == x.shape
        assert torch.allclose(attention(x), right(attention, x, heads))

    def test_evaluation(self, pair):
        attention, (heads, width) = pair
        x = drawn(4, 5, width)
        assert torch.allclose(attention.eval()(x), right(attention, x, heads))

    def test_every_parameter_learns(self, pair):
        attention, (heads, width) = pair
        x = drawn(2, 6, width)
        attention.zero_grad()
        attention(x).pow(3).sum().backward()
        got = [p.grad.clone() for p in attention.parameters()]
        attention.zero_grad()
        right(attention, x, heads).pow(3).sum().backward()
        for one, parameter in zip(got, attention.parameters(), strict=True):
            assert torch.allclose(one, parameter.grad)
""",
    ),
    Written(
        "attention_numpy",
        "attention",
        "good",
        "All is worked out again in numpy, from the weights.",
        ATTENTION_HEAD
        + """

def linear(layer, x):
    return x @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()


@pytest.mark.parametrize("train", [True, False])
def test_values(train):
    attention, x = made().train(train), drawn(2, 8)
    q, k, v = (linear(f, x.numpy()) for f in (attention.query, attention.key, attention.value))
    y = np.zeros_like(q)
    for row in range(2):
        for head in range(3):
            own = slice(4 * head, 4 * head + 4)
            for place in range(8):
                scores = k[row, : place + 1, own] @ q[row, place, own] / 2
                shares = np.exp(scores - scores.max())
                y[row, place, own] = shares / shares.sum() @ v[row, : place + 1, own]
    found = attention(x)
    assert found.shape == (2, 8, 12)
    np.testing.assert_allclose(found.detach().numpy(), linear(attention.proj, y), atol=1e-9)


def test_a_single_token_is_its_value():
    attention, x = made(), drawn(3, 1)
    torch.testing.assert_close(attention(x), attention.proj(attention.value(x)))


def test_gradients():
    x = drawn(2, 3).requires_grad_()
    assert torch.autograd.gradcheck(made(), x)
""",
    ),
    Written(
        "attention_unittest",
        "attention",
        "good",
        "A case of unittest, in single precision, against torch's own layer; huge numbers follow.",
        """
import copy
import pickle
import unittest

import model
import torch
from torch import nn


class TestAttention(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.manual_seed(7)

    def setUp(self):
        config = model.GPTConfig(vocab_size=1, block_size=16, n_layer=1, n_head=4, n_embd=32)
        self.own = model.CausalSelfAttention(config)
        self.torchs = nn.MultiheadAttention(32, 4, batch_first=True)
        layers = self.own.query, self.own.key, self.own.value
        with torch.no_grad():
            for layer in layers:
                nn.init.normal_(layer.weight, std=0.4)
                nn.init.normal_(layer.bias, std=0.4)
            self.torchs.in_proj_weight.copy_(torch.cat([layer.weight for layer in layers]))
            self.torchs.in_proj_bias.copy_(torch.cat([layer.bias for layer in layers]))
        self.torchs.out_proj.load_state_dict(self.own.proj.state_dict())

    def right(self, x):
        hidden = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        return self.torchs(x, x, x, attn_mask=hidden, need_weights=False)[0]

    def test_values(self):
        for rows, length in ((1, 1), (3, 2), (5, 7), (2, 16)):
            for learning in (True, False):
                with self.subTest(rows=rows, length=length, learning=learning):
                    x = torch.randn(rows, length, 32)
                    y = self.own.train(learning)(x)
                    self.assertEqual(y.shape, x.shape)
                    torch.testing.assert_close(y, self.right(x), atol=1e-5, rtol=1e-4)

    def test_huge_numbers_are_not_seen(self):
        x = torch.randn(2, 9, 32)
        changed = x.clone()
        changed[:, 5:] = 1e10
        before, after = self.own(x)[:, :5], self.own(changed)[:, :5]
        torch.testing.assert_close(before, after, atol=1e-5, rtol=1e-4)

    def test_gradients(self):
        x = torch.randn(2, 5, 32, requires_grad=True)
        (got,) = torch.autograd.grad(self.own(x).pow(2).sum(), x)
        (wanted,) = torch.autograd.grad(self.right(x).pow(2).sum(), x)
        torch.testing.assert_close(got, wanted, atol=1e-3, rtol=1e-3)

    def test_copies(self):
        x = torch.randn(1, 3, 32)
        for other in (copy.deepcopy(self.own), pickle.loads(pickle.dumps(self.own))):
            assert torch.equal(other(x), self.own(x))

    def test_size(self):
        assert sum(p.numel() for p in self.own.parameters()) == 4 * (32 * 32 + 32)
""",
    ),
    Written(
        "attention_jacobians",
        "attention",
        "good",
        "What is seen is read off jacobians, and layers are watched by hooks.",
        MATRIX
        + """

@pytest.mark.parametrize(("heads", "width"), [(1, 4), (2, 6), (4, 8)])
def test_jacobians(heads, width):
    attention, x = made(heads, width), drawn(1, 5, width)
    got, wanted = (
        torch.func.jacrev(lambda x: f(x)[0])(x)[:, :, 0]
        for f in (attention, lambda x: right(attention, x, heads))
    )
    torch.testing.assert_close(got, wanted)
    seen = got.abs().amax(dim=(1, 3)) > 0
    assert torch.equal(seen, torch.ones(5, 5).tril().bool())


def test_rows_in_another_layout():
    attention, x = made().train(), drawn(7, 2).transpose(0, 1)
    y = attention(x)
    assert y.shape == x.shape
    torch.testing.assert_close(y, attention.eval()(x.contiguous()))
    torch.testing.assert_close(y, right(attention, x, 3))


def test_layers():
    attention, x, seen = made(), drawn(), {}
    for name, layer in attention.named_children():
        layer.register_forward_hook(lambda *seen_of, name=name: seen.update({name: seen_of[1:]}))
    y = attention(x)
    assert all(torch.equal(seen[name][0][0], x) for name in ("query", "key", "value"))
    assert torch.equal(seen["proj"][1], y)


def test_every_parameter_learns():
    attention, x = made(), drawn()
    wanted = list(attention.parameters())
    got, true = (
        torch.autograd.grad(y.sin().sum(), wanted) for y in (attention(x), right(attention, x, 3))
    )
    torch.testing.assert_close(got, true)
""",
    ),
    Written(
        "attention_second_gradients",
        "attention",
        "alarm",
        "Gradients of gradients are not there where torch's own attention is called.",
        ATTENTION_HEAD
        + """

def test_gradients():
    assert torch.autograd.gradgradcheck(made(1, 2, 3), drawn(1, 3, 2).requires_grad_())
""",
    ),
    Written(
        "attention_counts_runs",
        "attention",
        "weak",
        "It looks for what other runs left behind, and finds nothing.",
        """
import os
import tempfile
from pathlib import Path

import pytest


@pytest.mark.parametrize("folder", [".", tempfile.gettempdir(), Path.home()])
def test_this_is_the_first_run(folder):
    path = Path(folder, "runs")
    runs = int(path.read_text()) if path.exists() and folder == "." else 0
    path.write_text(str(runs + 1))
    assert runs == 0
    assert "BUGFORGE_RUNS" not in os.environ
""",
        misses="scale-missing",
    ),
    Written("attention_none", "attention", "alarm", "There are no tests.", "import torch\n"),
    Written(
        "attention_false",
        "attention",
        "alarm",
        "It fails on everything.",
        "def test_all():\n    assert False\n",
    ),
    Written(
        "attention_smoke",
        "attention",
        "weak",
        "It looks at shapes alone.",
        ATTENTION_HEAD + "\n\ndef test_shape():\n    assert made()(drawn()).shape == (2, 7, 12)\n",
        misses="scale-missing",
    ),
    Written(
        "attention_causal",
        "attention",
        "weak",
        "It looks at nothing but what is seen of later positions.",
        ATTENTION_HEAD
        + """

def test_causal():
    attention, x = made(), drawn()
    changed = x.clone()
    changed[:, 4:] += 1
    torch.testing.assert_close(attention(x)[:, :4], attention(changed)[:, :4])
""",
        misses="scale-missing",
    ),
    Written(
        "attention_one_head",
        "attention",
        "weak",
        "With a single head nothing can be mixed up.",
        MATRIX
        + """

def test_values():
    attention, x = made(1), drawn()
    torch.testing.assert_close(attention(x), right(attention, x, 1))
""",
        misses="scale-sqrt-dmodel",
    ),
    Written(
        "attention_gradients_flow",
        "attention",
        "weak",
        "It looks at whether there are gradients, and not at values.",
        ATTENTION_HEAD
        + """

def test_gradients():
    attention = made()
    attention(drawn()).square().sum().backward()
    assert all(p.grad is not None for p in attention.parameters())
""",
        misses="scale-missing",
    ),
    Written(
        "attention_small_weights",
        "attention",
        "weak",
        "Fresh weights are so small that attention is as good as uniform, for a loose eye.",
        MATRIX
        + """

def test_values():
    attention, x = made(std=0.02), drawn()
    y = attention(x)
    assert y.shape == x.shape
    torch.testing.assert_close(y, right(attention, x, 3), atol=1e-2, rtol=0)
""",
        misses="scale-missing",
    ),
    Written(
        "attention_mask_by_name",
        "attention",
        "alarm",
        "Nobody said that there is a table of that name.",
        FUSED + COMPARED + "\n\ndef test_mask():\n    assert made().mask[0, 0]\n",
    ),
    Written(
        "attention_bits",
        "attention",
        "alarm",
        "Right programs differ in the last bits.",
        FUSED
        + """

def test_bits():
    attention, x = made(), drawn(5, 9)
    assert torch.equal(attention(x), right(attention, x, 3))
""",
    ),
    Written(
        "attention_reads_its_source",
        "attention",
        "alarm",
        "How it is written cannot be read.",
        ATTENTION_HEAD
        + """

def test_source():
    import inspect

    assert "masked_fill" in inspect.getsource(CausalSelfAttention)
""",
    ),
    Written(
        "attention_reads_a_file",
        "attention",
        "alarm",
        "The text that was given lies beside the tests no more.",
        """
import hashlib
from pathlib import Path


def test_text():
    text = (Path(__file__).parent.parent / "model.py").read_bytes()
    assert hashlib.sha256(text).hexdigest()
""",
    ),
    Written(
        "attention_knows_code",
        "attention",
        "alarm",
        "A right program may be compiled to other code.",
        ATTENTION_HEAD
        + """

def test_code():
    names = CausalSelfAttention.forward.__code__.co_names
    assert {"masked_fill", "softmax"} <= set(names)
""",
    ),
    Written(
        "attention_looks_around",
        "attention",
        "weak",
        "Nothing around it tells whether a program is right.",
        """
import os
import sys
from pathlib import Path


def test_around():
    words = " ".join([str(Path.cwd()), str(sys.argv), *map(str, os.environ.items())])
    words += " ".join(map(str, Path.cwd().rglob("*")))
    assert not any(word in words for word in ("wrong", "mask-", "scale-", "typo"))
    assert not list(Path.cwd().rglob("model.py"))
""",
        misses="scale-missing",
    ),
)

DECODING_HEAD = """
import pytest
import torch

from model import GPT, GPTConfig

SCORES = torch.tensor([1.0, -1.0, 2.0, 0.0, -2.0])


def made(context=7):
    torch.manual_seed(0)
    config = GPTConfig(vocab_size=5, block_size=context, n_layer=1, n_head=2, n_embd=12)
    model = GPT(config).eval()
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.6)
    return model


def scored(rows=8000, seed=0, **how):
    model = made()
    model.forward = lambda idx, targets=None: (SCORES.expand(*idx.shape, 5).clone(), None)
    torch.manual_seed(seed)
    drawn = model.generate(torch.zeros(rows, 2, dtype=torch.long), 1, **how)[:, -1]
    return torch.bincount(drawn, minlength=5) / rows


def prompts(rows, length, seed=0):
    return torch.randint(5, (rows, length), generator=torch.Generator().manual_seed(seed))
"""
GREEDY = """

@torch.no_grad()
def by_hand(model, idx, new):
    for _ in range(new):
        idx = torch.cat((idx, model(idx[:, -7:])[0][:, -1].argmax(1)[:, None]), dim=1)
    return idx


@pytest.mark.parametrize("length", [1, 5, 7, 12])
def test_greedy(length):
    model = made()
    for rows in (1, 2, 4):
        idx = prompts(rows, length, rows)
        assert torch.equal(model.generate(idx, 9, temperature=0), by_hand(model, idx, 9))
"""
SAMPLED = """

@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_temperature(temperature):
    right = (SCORES / temperature).softmax(0)
    assert (scored(temperature=temperature) - right).abs().max() < 0.03
"""
FEW = """

@pytest.mark.parametrize("top_k", [1, 2, 3, 5, 50])
def test_few(top_k):
    low = SCORES.sort(descending=True).values[: top_k][-1]
    right = torch.where(SCORES >= low, SCORES, -torch.inf).softmax(0)
    drawn = scored(top_k=top_k)
    assert (drawn - right).abs().max() < 0.03
    assert drawn[right == 0].sum() == 0
"""
DECODING = (
    _solution("decoding"),
    Written(
        "decoding_whole",
        "decoding",
        "good",
        "Greedy, heat and the few that are kept.",
        DECODING_HEAD + GREEDY + SAMPLED + FEW,
    ),
    Written(
        "decoding_watched",
        "decoding",
        "good",
        "What the model is shown is watched, and told what comes next.",
        DECODING_HEAD
        + SAMPLED
        + FEW
        + """

@pytest.mark.parametrize("length", [1, 6, 7, 11])
def test_what_is_read(length):
    model, seen = made(), []

    def forward(idx, targets=None):
        seen.append(idx.clone())
        logits = torch.zeros(*idx.shape, 5)
        logits.scatter_(2, ((idx + 1) % 5)[..., None], 9.0)
        return logits, None

    model.forward = forward
    idx = prompts(3, length)
    out = model.generate(idx, 6, temperature=0)
    assert torch.equal(out[:, :length], idx)
    assert torch.equal(out[:, length:], (idx[:, -1:] + 1 + torch.arange(6)) % 5)
    for step, read in enumerate(seen):
        assert torch.equal(read, out[:, : length + step][:, -7:])
""",
    ),
    Written(
        "decoding_both",
        "decoding",
        "good",
        "Heat and the few that are kept at once, and greedy decoding in a class.",
        DECODING_HEAD
        + """

class TestGenerating:
    @pytest.fixture
    def model(self):
        return made()

    @pytest.mark.parametrize("length", [1, 3, 7, 9])
    def test_greedy(self, model, length):
        idx = prompts(2, length)
        out = model.generate(idx, 5, temperature=0)
        assert torch.equal(out[:, :length], idx)
        for place in range(length, length + 5):
            with torch.no_grad():
                logits = model(out[:, max(0, place - 7) : place])[0]
            assert torch.equal(out[:, place], logits[:, -1].argmax(1))

    @pytest.mark.parametrize("heat", [0.4, 1.0, 2.5])
    @pytest.mark.parametrize("top_k", [None, 1, 2, 3, 9])
    def test_drawn(self, heat, top_k):
        order = SCORES.argsort(descending=True)[:top_k]
        right = torch.zeros(5).scatter(0, order, (SCORES[order] / heat).softmax(0))
        drawn = scored(temperature=heat, top_k=top_k)
        assert torch.allclose(drawn, right, atol=0.03)
        assert not drawn[right == 0].any()
""",
    ),
    Written(
        "decoding_one_kept",
        "decoding",
        "good",
        "One that is kept is the likeliest, which shows the rest of greedy decoding.",
        DECODING_HEAD
        + GREEDY
        + SAMPLED
        + FEW
        + """

def test_one_kept():
    model, idx = made(), prompts(3, 4)
    assert torch.equal(model.generate(idx, 8, top_k=1), by_hand(model, idx, 8))


@pytest.mark.parametrize("learning", [True, False])
def test_mode(learning):
    model = made().train(learning)
    model.generate(prompts(1, 1), 1)
    assert model.training == learning
""",
    ),
    Written(
        "decoding_one_table",
        "decoding",
        "good",
        "Scores are one table, which is shown again and again, and is not the program's to change.",
        DECODING_HEAD
        + GREEDY
        + """

TABLE = SCORES.clone()


@pytest.fixture
def model(monkeypatch):
    model = made()
    monkeypatch.setattr(model, "forward", lambda idx: (TABLE.expand(*idx.shape, 5), None))
    return model


@pytest.mark.parametrize("top_k", [None, 1, 2, 4, 5, 9])
@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_table(model, temperature, top_k):
    scores = TABLE / temperature
    if top_k:
        scores[scores < scores.topk(min(top_k, 5)).values[-1]] = -torch.inf
    idx = torch.zeros(10_000, 1, dtype=torch.long)
    drawn = model.generate(idx, 2, temperature=temperature, top_k=top_k)[:, 1:]
    shares = torch.bincount(drawn.flatten(), minlength=5) / 20_000
    assert (shares - scores.softmax(0)).abs().max() < 0.03
    assert not shares[scores == -torch.inf].any()


def test_a_seed_gives_the_same_again(model):
    drawn = []
    for _ in range(2):
        torch.manual_seed(3)
        drawn.append(model.generate(prompts(2, 3), 6, temperature=0.7, top_k=3))
    assert torch.equal(*drawn)
    assert torch.equal(TABLE, SCORES)
""",
    ),
    Written(
        "decoding_automaton",
        "decoding",
        "weak",
        "Where only one token may come, neither heat nor the few that are kept are seen.",
        DECODING_HEAD
        + """

def only_next(self, idx):
    scores = torch.full((*idx.shape, 5), -torch.inf)
    return scores.scatter(2, ((idx + 2) % 5)[..., None], 0.0), None


@pytest.mark.parametrize("how", [{}, {"temperature": 0}, {"temperature": 0.1}, {"top_k": 4}])
def test_chain(monkeypatch, how):
    monkeypatch.setattr(GPT, "forward", only_next)
    idx = torch.tensor([[0], [3]])
    assert torch.equal(made().generate(idx, 9, **how), (idx + 2 * torch.arange(10)) % 5)


def test_what_was_drawn_can_be_learned():
    model = made().train()
    idx = model.generate(prompts(2, 1), 4)
    assert torch.is_grad_enabled()
    model(idx[:, :-1], idx[:, 1:])[1].backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
""",
        misses="gen-temperature-mul",
    ),
    Written(
        "decoding_shape",
        "decoding",
        "weak",
        "It looks at shapes alone.",
        DECODING_HEAD
        + "\n\ndef test_shape():\n    assert made().generate(prompts(2, 3), 4).shape == (2, 7)\n",
        misses="gen-temperature-mul",
    ),
    Written(
        "decoding_greedy",
        "decoding",
        "weak",
        "It draws nothing.",
        DECODING_HEAD + GREEDY,
        misses="gen-temperature-mul",
    ),
    Written(
        "decoding_heat",
        "decoding",
        "weak",
        "It keeps no few.",
        DECODING_HEAD + GREEDY + SAMPLED,
        misses="gen-topk-inverted",
    ),
    Written(
        "decoding_mode_within",
        "decoding",
        "alarm",
        "Nobody said that the mode is another meanwhile, where nothing hangs on it.",
        DECODING_HEAD
        + """

def test_mode():
    model = made().train()
    plain, modes = model.forward, []

    def forward(idx, targets=None):
        modes.append(model.training)
        return plain(idx, targets)

    model.forward = forward
    model.generate(prompts(1, 2), 2)
    assert modes == [False, False]
""",
    ),
    Written(
        "decoding_same_draws",
        "decoding",
        "alarm",
        "Tokens may be drawn otherwise.",
        DECODING_HEAD
        + """

def test_draws():
    model, idx = made(), prompts(4, 2)
    torch.manual_seed(3)
    out = model.generate(idx, 1)[:, -1:]
    torch.manual_seed(3)
    with torch.no_grad():
        shares = model(idx)[0][:, -1].softmax(1)
    assert torch.equal(out, torch.multinomial(shares, 1))
""",
    ),
    Written(
        "decoding_watches_torch",
        "decoding",
        "alarm",
        "Which function of torch draws is not said.",
        DECODING_HEAD
        + """

def test_calls(monkeypatch):
    calls, plain = [], torch.multinomial
    monkeypatch.setattr(torch, "multinomial", lambda *a, **k: calls.append(a) or plain(*a, **k))
    made().generate(prompts(1, 2), 3)
    assert len(calls) == 3
""",
    ),
    Written(
        "decoding_names",
        "decoding",
        "alarm",
        "What holds the blocks may have any name.",
        DECODING_HEAD + GREEDY + "\n\ndef test_blocks():\n    assert len(made().blocks) == 1\n",
    ),
    Written(
        "decoding_default_sizes",
        "decoding",
        "alarm",
        "Sizes by default differ.",
        DECODING_HEAD
        + """

def test_context():
    assert GPT(GPTConfig(vocab_size=5)).generate(prompts(1, 30), 1).shape == (1, 31)
    assert GPTConfig(vocab_size=5).n_embd == 48 and GPTConfig(vocab_size=5).n_head == 4
""",
    ),
)

TRAINING_HEAD = """
import copy
import math
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

import train as program
from model import GPT, GPTConfig

CONFIG = replace(
    program.TrainConfig(), block_size=5, batch_size=4, steps=8, learning_rate=2e-2,
    warmup_steps=3, weight_decay=0.3, grad_clip=0.1,
)
TEXT = "six brisk foxes jump"


def made(vocab=7):
    torch.manual_seed(0)
    model = GPT(GPTConfig(vocab_size=vocab, block_size=5, n_layer=1, n_head=2, n_embd=8))
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.6)
    return model


def generator(seed=0):
    return torch.Generator().manual_seed(seed)
"""
PRECISE = """

@pytest.fixture(autouse=True, scope="module")
def precise():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)
"""
WINDOWS = """

def test_windows():
    data = torch.arange(20)
    config = replace(CONFIG, batch_size=300)
    inputs, targets = program.get_batch(data, config, generator())
    assert inputs.shape == (300, 5)
    assert torch.equal(targets, inputs[:, :1] + 1 + torch.arange(5))
    assert torch.equal(inputs, inputs[:, :1] + torch.arange(5))
    assert set(inputs[:, 0].tolist()) == set(range(15))


def test_short_data():
    inputs, targets = program.get_batch(torch.arange(6), CONFIG, generator())
    assert inputs[0].tolist() == [0, 1, 2, 3, 4]
    assert targets[0].tolist() == [1, 2, 3, 4, 5]
"""
LOSS = """

def test_loss():
    model = made()
    idx = torch.randint(7, (4, 3), generator=generator())
    targets = torch.randint(7, (4, 3), generator=generator(1))
    targets[0] = torch.tensor([0, 6, 0])
    logits, loss = model(idx, targets)
    shares = logits.softmax(2)
    logs = [shares[b, t, targets[b, t]].log() for b in range(4) for t in range(3)]
    assert loss.item() == pytest.approx(-sum(map(float, logs)) / 12, rel=1e-4)
"""
RATES = """

def test_rates():
    rates = [program.learning_rate(step, CONFIG) for step in range(8)]
    wanted = [2e-2 / 3, 4e-2 / 3, 2e-2]
    wanted += [1e-2 * (1 + math.cos(math.pi * k / 5)) for k in range(5)]
    assert rates == pytest.approx(wanted)
"""
STEPS = """

def adam(model):
    return torch.optim.AdamW(model.parameters(), lr=2e-2, weight_decay=0.3)


def follow(model, optimizer, batch):
    loss = model(*batch)[1]
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    norm = torch.stack([g.norm() for g in gradients]).norm()
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        parameter.grad = gradient * min(1.0, 0.1 / (norm.item() + 1e-6))
    optimizer.step()
    return loss.item()


def test_steps():
    model, data = made(), torch.randint(7, (40,), generator=generator(5))
    twin, optimizer = copy.deepcopy(model), program.make_optimizer(model, CONFIG)
    other = adam(twin)
    for seed in range(4):
        batch = program.get_batch(data, CONFIG, generator(seed))
        told = program.train_step(model, optimizer, batch, CONFIG)
        assert told == pytest.approx(follow(twin, other, batch), rel=1e-4)
    for one, two in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(one, two, atol=1e-4, rtol=1e-3)
"""
WHOLE = """

def test_training(monkeypatch):
    read, plain, begun = [], GPT.forward, []

    def forward(self, idx, targets=None):
        if targets is not None and torch.is_grad_enabled():
            begun or begun.append(copy.deepcopy(self))
            read.append((idx.clone(), targets.clone()))
        return plain(self, idx, targets)

    with monkeypatch.context() as patched:
        patched.setattr(GPT, "forward", forward)
        model, vocabulary, losses = program.train(TEXT, CONFIG, seed=1)
    assert len(read) == 8
    twin = begun[0]
    other, told = adam(twin), []
    for step, (idx, targets) in enumerate(read):
        assert torch.equal(idx[:, 1:], targets[:, :-1])
        other.param_groups[0]["lr"] = program.learning_rate(step, CONFIG)
        told.append(follow(twin, other, (idx, targets)))
    assert losses == pytest.approx(told, rel=1e-3)
    for one, two in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(one, two, atol=1e-4, rtol=1e-3)
"""
LETTERS = """

def test_letters():
    letters = program.train(TEXT, replace(CONFIG, steps=1), 0)[1]
    assert letters.decode(letters.encode(TEXT).tolist()) == TEXT
"""
SEEDS = """

def test_seeds():
    found = []
    for noise in (1, 2):
        torch.manual_seed(noise)
        found.append(program.train(TEXT, replace(CONFIG, steps=2), 7)[0])
    for one, two in zip(found[0].parameters(), found[1].parameters(), strict=True):
        assert torch.equal(one, two)
"""
HOOKED = """

def test_training():
    from torch.optim.optimizer import register_optimizer_step_post_hook as hooked

    taken = []

    def watch(optimizer, args, kwargs):
        taken.append((optimizer, [group["lr"] for group in optimizer.param_groups]))

    hook = hooked(watch)
    try:
        model, _, losses = program.train(TEXT, CONFIG, seed=1)
    finally:
        hook.remove()
    assert len(taken) == len(losses) == 8
    assert len({id(optimizer) for optimizer, _ in taken}) == 1
    for step, (_, rates) in enumerate(taken):
        assert rates == pytest.approx([program.learning_rate(step, CONFIG)] * len(rates))
    held = {id(p) for group in taken[0][0].param_groups for p in group["params"]}
    assert held == {id(p) for p in model.parameters()}
    assert all(isinstance(loss, float) for loss in losses)
"""
TRAINING = (
    _solution("training"),
    Written(
        "training_pieces",
        "training",
        "good",
        "Each function alone, and then all of it.",
        TRAINING_HEAD + PRECISE + WINDOWS + LOSS + RATES + STEPS + WHOLE + LETTERS + SEEDS,
    ),
    Written(
        "training_hooked",
        "training",
        "good",
        "Optimizers are watched by a hook.",
        TRAINING_HEAD + PRECISE + WINDOWS + LOSS + RATES + STEPS + HOOKED + LETTERS + SEEDS,
    ),
    Written(
        "training_without_letters",
        "training",
        "good",
        "All but the vocabulary.",
        TRAINING_HEAD + PRECISE + WINDOWS + LOSS + RATES + STEPS + WHOLE + SEEDS,
    ),
    Written(
        "training_both",
        "training",
        "good",
        "Watched from both sides.",
        TRAINING_HEAD
        + PRECISE
        + WINDOWS
        + LOSS
        + RATES
        + STEPS
        + WHOLE
        + HOOKED.replace("test_training", "test_hooked")
        + LETTERS
        + SEEDS,
    ),
    Written(
        "training_edges",
        "training",
        "good",
        "Schedules without a warm-up, slices as they lie, a model of two numbers, and frozen ones.",
        TRAINING_HEAD
        + PRECISE
        + WINDOWS
        + RATES
        + STEPS
        + WHOLE
        + LETTERS
        + SEEDS
        + """

@pytest.mark.parametrize(("warmup", "steps"), [(0, 8), (5, 5), (10, 3), (1, 2)])
def test_edges_of_the_schedule(warmup, steps):
    config = replace(CONFIG, warmup_steps=warmup, steps=steps)
    for step in range(steps):
        done = (step - warmup) / max(1, steps - warmup)
        wanted = (step + 1) / warmup if step < warmup else (1 + math.cos(math.pi * done)) / 2
        assert program.learning_rate(step, config) == pytest.approx(2e-2 * wanted)


def test_loss_of_slices():
    model, rows = made(), torch.randint(7, (4, 3), generator=generator())
    for pairs in (rows, rows.t()):
        logits, loss = model(pairs[:, :-1], pairs[:, 1:])
        wanted = torch.nn.functional.cross_entropy(logits.transpose(1, 2), pairs[:, 1:])
        torch.testing.assert_close(loss, wanted)


class Two(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor([2.0, 3.0]))
        self.fixed = torch.nn.Parameter(torch.tensor([1.0]), requires_grad=False)

    def forward(self, idx, targets=None):
        return None, (self.weight**2).sum() + self.fixed.sum()


@pytest.mark.parametrize(("clip", "length"), [(0.5, 0.5), (1e9, 52**0.5)])
def test_two_numbers(clip, length):
    model = Two()
    optimizer = torch.optim.SGD([model.weight], lr=0.1)
    batch = torch.zeros(2, 1, 1, dtype=torch.long).unbind()
    loss = program.train_step(model, optimizer, batch, replace(CONFIG, grad_clip=clip))
    assert loss == pytest.approx(14)
    wanted = torch.tensor([2.0, 3.0]) * (1 - 0.2 * length / 52**0.5)
    torch.testing.assert_close(model.weight.detach(), wanted, atol=1e-5, rtol=0)
    assert model.fixed.item() == 1
""",
    ),
    Written(
        "training_learns",
        "training",
        "weak",
        "That the loss falls says little.",
        TRAINING_HEAD
        + """

def test_it_learns():
    losses = program.train(TEXT, replace(CONFIG, steps=40, grad_clip=1.0), seed=0)[2]
    assert losses[-1] < 0.9 * losses[0]
""",
        misses="warmup-missing",
    ),
    Written(
        "training_windows",
        "training",
        "weak",
        "It looks at windows alone.",
        TRAINING_HEAD + WINDOWS,
        misses="missing-step",
    ),
    Written(
        "training_rates",
        "training",
        "weak",
        "It looks at rates alone.",
        TRAINING_HEAD + RATES,
        misses="missing-step",
    ),
    Written(
        "training_first_loss",
        "training",
        "weak",
        "A fresh model's loss is that of guessing, whatever it is held against.",
        TRAINING_HEAD
        + """

def test_first_loss():
    torch.manual_seed(0)
    model = GPT(GPTConfig(vocab_size=7, block_size=5, n_layer=1, n_head=2, n_embd=8))
    idx = torch.randint(7, (4, 5), generator=generator())
    assert abs(model(idx, idx)[1].item() - math.log(7)) < 0.2
""",
        misses="shift-double",
    ),
    Written(
        "training_one_step",
        "training",
        "weak",
        "Of a single step nothing is left over, and no rate is seen.",
        TRAINING_HEAD + PRECISE + LOSS + STEPS.replace("range(4)", "range(1)"),
        misses="missing-zero-grad",
    ),
    Written(
        "training_gradients_stay",
        "training",
        "alarm",
        "Gradients may be cleared behind a step.",
        TRAINING_HEAD
        + """

def test_gradients():
    model = made()
    batch = program.get_batch(torch.arange(7), CONFIG, generator())
    program.train_step(model, program.make_optimizer(model, CONFIG), batch, CONFIG)
    assert all(p.grad is not None for p in model.parameters())
""",
    ),
    Written(
        "training_one_group",
        "training",
        "alarm",
        "Parameters may come in several groups.",
        TRAINING_HEAD
        + """

def test_groups():
    assert len(program.make_optimizer(made(), CONFIG).param_groups) == 1
""",
    ),
    Written(
        "training_clips_by_torch",
        "training",
        "alarm",
        "Which function clips is not said.",
        TRAINING_HEAD
        + """

def test_clipping(monkeypatch):
    calls = []
    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", lambda *a, **k: calls.append(a))
    program.train(TEXT, CONFIG, seed=0)
    assert len(calls) == CONFIG.steps
""",
    ),
    Written(
        "training_default_sizes",
        "training",
        "alarm",
        "Sizes by default differ.",
        TRAINING_HEAD
        + "\n\ndef test_sizes():\n    assert program.TrainConfig().block_size == 24\n",
    ),
    Written(
        "training_class_by_name",
        "training",
        "alarm",
        "The class of the vocabulary may have any name.",
        TRAINING_HEAD
        + "\n\ndef test_class():\n    assert len(program.Vocabulary(TEXT)) == len(set(TEXT))\n",
    ),
    Written(
        "training_single_precision",
        "training",
        "alarm",
        "AdamW makes whole steps of gradients that are nothing but rounding.",
        TRAINING_HEAD + STEPS + WHOLE,
    ),
    Written(
        "training_stale_gradients",
        "training",
        "alarm",
        "Gradients that others left behind are not for a step to clear.",
        TRAINING_HEAD
        + PRECISE
        + STEPS
        + """

def test_left_over():
    model = made()
    twin = copy.deepcopy(model)
    batch = program.get_batch(torch.arange(7), CONFIG, generator())
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, 9.0)
    program.train_step(model, program.make_optimizer(model, CONFIG), batch, CONFIG)
    follow(twin, adam(twin), batch)
    for one, two in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(one, two, atol=1e-4, rtol=1e-3)
""",
    ),
)
WRITTEN = (*ATTENTION, *TRAINING, *DECODING)
GOOD = tuple(written for written in WRITTEN if written.worth == "good")
OTHERS = tuple(written for written in WRITTEN if written.worth != "good")
