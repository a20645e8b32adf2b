"""Generating gives the tokens of a plain loop, and draws them as often as it should."""

import pytest
import torch

from model import GPT, GPTConfig

CONTEXT, VOCAB = 8, 6
MANY = 20_000
SCORES = torch.tensor([0.5, 2.0, -1.0, 1.5, -2.0, 0.0])


@pytest.fixture
def model():
    torch.manual_seed(0)
    config = GPTConfig(vocab_size=VOCAB, block_size=CONTEXT, n_layer=2, n_head=2, n_embd=16)
    model = GPT(config).eval()
    for parameter in model.parameters():
        if parameter.dim() > 1:  # large, so that tokens and places matter
            torch.nn.init.normal_(parameter, std=0.5)
    return model


@pytest.fixture
def scored(model):
    """A model that gives the same scores whatever it reads."""

    def forward(idx, targets=None):
        return SCORES.expand(*idx.shape, VOCAB).clone(), targets

    model.forward = forward
    return model


def tokens(rows, length, seed=0):
    return torch.randint(VOCAB, (rows, length), generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def greedy(model, idx, new):
    for _ in range(new):
        logits, _ = model(idx[:, -CONTEXT:])
        idx = torch.cat((idx, logits[:, -1].argmax(dim=-1, keepdim=True)), dim=1)
    return idx


def shares(model, **how):
    """Give how often each token was drawn."""
    torch.manual_seed(1)
    idx = model.generate(torch.zeros(MANY, 1, dtype=torch.long), 1, **how)
    assert idx.shape == (MANY, 2)
    return torch.bincount(idx[:, 1], minlength=VOCAB) / MANY


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("length", [1, 4, CONTEXT, CONTEXT + 3])
def test_greedy_decoding(model, rows, length):
    for seed in range(3):
        idx = tokens(rows, length, seed)
        assert torch.equal(model.generate(idx, 10, temperature=0), greedy(model, idx, 10))


def test_nothing_new(model):
    idx = tokens(2, 5)
    assert torch.equal(model.generate(idx, 0), idx)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("top_k", [None, 1, 2, 4, VOCAB, 100])
def test_tokens_are_drawn_as_often_as_they_should_be(scored, temperature, top_k):
    kept = SCORES.argsort(descending=True)[:top_k]
    right = torch.zeros(VOCAB)
    right[kept] = torch.softmax(SCORES[kept] / temperature, dim=0)
    drawn = shares(scored, temperature=temperature, top_k=top_k)
    torch.testing.assert_close(drawn, right, atol=0.02, rtol=0)
    assert not drawn[right == 0].any()


def test_by_default_all_are_drawn(scored):
    torch.testing.assert_close(shares(scored), SCORES.softmax(dim=0), atol=0.02, rtol=0)


def test_what_is_drawn_goes_on_from_what_was_drawn(model):
    prompt = tokens(3, 4)
    idx = model.generate(prompt, 12, temperature=1.0, top_k=1)
    assert torch.equal(idx, greedy(model, prompt, 12))


@pytest.mark.parametrize("learning", [True, False])
def test_the_mode_stays(model, learning):
    model.train(learning)
    model.generate(tokens(1, 3), 2)
    assert model.training is learning
