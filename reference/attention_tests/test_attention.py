"""Causal attention gives what attention gives that is written out position by position."""

import math

import pytest
import torch

from model import CausalSelfAttention, GPTConfig

CONTEXT = 9
SIZES = [(1, 6), (2, 10), (3, 12)]
"""Heads and width: no axis is as long as another, so that a mistaken one shows."""


def made(heads, width):
    config = GPTConfig(vocab_size=5, block_size=CONTEXT, n_layer=1, n_head=heads, n_embd=width)
    return CausalSelfAttention(config)


@pytest.fixture(params=SIZES, ids=str)
def sizes(request):
    return request.param


@pytest.fixture
def attention(sizes):
    torch.manual_seed(0)
    attention = made(*sizes).double()
    for parameter in attention.parameters():  # large, so that attention is far from uniform
        torch.nn.init.normal_(parameter, std=0.7)
    return attention


def drawn(rows, length, width, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, length, width, generator=generator, dtype=torch.float64)


def expected(attention, x, heads):
    """Attend position by position, head by head."""
    q, k, v = attention.query(x), attention.key(x), attention.value(x)
    size = x.size(2) // heads
    rows = []
    for b in range(x.size(0)):
        places = []
        for t in range(x.size(1)):
            parts = []
            for h in range(heads):
                own = slice(h * size, (h + 1) * size)
                scores = k[b, : t + 1, own] @ q[b, t, own] / math.sqrt(size)
                parts.append(scores.softmax(dim=0) @ v[b, : t + 1, own])
            places.append(torch.cat(parts))
        rows.append(torch.stack(places))
    return attention.proj(torch.stack(rows))


@pytest.mark.parametrize("learning", [True, False])
@pytest.mark.parametrize(("rows", "length"), [(1, 1), (2, 7), (4, CONTEXT)])
def test_it_is_attention(attention, sizes, rows, length, learning):
    heads, width = sizes
    x = drawn(rows, length, width)
    y = attention.train(learning)(x)
    assert y.shape == x.shape
    torch.testing.assert_close(y, expected(attention, x, heads))


def test_nothing_is_seen_of_what_follows(attention, sizes):
    x = drawn(2, CONTEXT, sizes[1])
    for place in range(1, CONTEXT):
        changed = x.clone()
        changed[:, place:] += 3 * drawn(2, CONTEXT - place, sizes[1], seed=2)
        before, after = attention(x)[:, :place], attention(changed)[:, :place]
        torch.testing.assert_close(after, before)


def test_gradients_flow(attention, sizes):
    heads, width = sizes
    x = drawn(2, 7, width).requires_grad_()
    upstream = drawn(2, 7, width, seed=3)
    wanted = [x, *attention.parameters()]
    got = torch.autograd.grad((attention(x) * upstream).sum(), wanted)
    right = torch.autograd.grad((expected(attention, x, heads) * upstream).sum(), wanted)
    torch.testing.assert_close(got, right)


def test_projections_are_as_wide_as_the_stream(sizes):
    heads, width = sizes
    attention = made(heads, width)
    for layer in (attention.query, attention.key, attention.value, attention.proj):
        assert layer.weight.shape == (width, width)
        assert layer.bias.shape == (width,)
