"""Decoding with caches gives what decoding without them gives."""

import pytest
import torch
from cache import KVCache

from model import GPT, GPTConfig

LAYERS, CONTEXT, VOCAB = 3, 12, 11
CHUNKS = ([1] * 12, [5, 1, 1, 1, 1, 1, 1, 1], [5, 1, 4, 2], [1, 7, 4], [12])


@pytest.fixture
def model():
    torch.manual_seed(0)
    config = GPTConfig(vocab_size=VOCAB, block_size=CONTEXT, n_layer=LAYERS, n_head=4, n_embd=16)
    model = GPT(config).eval()
    for parameter in model.parameters():
        if parameter.dim() > 1:  # large, so that attention is far from uniform
            torch.nn.init.normal_(parameter, std=0.5)
    return model


def tokens(rows, length, seed=0):
    return torch.randint(VOCAB, (rows, length), generator=torch.Generator().manual_seed(seed))


def fresh():
    return [KVCache() for _ in range(LAYERS)]


@torch.no_grad()
def read(model, idx, sizes, caches):
    return torch.cat([model(chunk, caches=caches)[0] for chunk in idx.split(sizes, dim=1)], dim=1)


@torch.no_grad()
def greedy(model, idx, new):
    for _ in range(new):
        logits, _ = model(idx[:, -CONTEXT:])
        idx = torch.cat((idx, logits[:, -1].argmax(dim=-1, keepdim=True)), dim=1)
    return idx


@pytest.mark.parametrize("sizes", CHUNKS)
@pytest.mark.parametrize("rows", [1, 3])
def test_chunks_get_the_logits_of_the_whole(model, sizes, rows):
    idx, caches = tokens(rows, CONTEXT), fresh()
    torch.testing.assert_close(read(model, idx, sizes, caches), model(idx)[0], atol=1e-4, rtol=0)
    assert [len(cache) for cache in caches] == [CONTEXT] * LAYERS


def test_texts_read_in_turn_do_not_touch(model):
    one, other = tokens(2, 6, seed=1), tokens(3, 6, seed=2)
    mine, theirs = fresh(), fresh()
    for place in range(6):
        got = model(one[:, place : place + 1], caches=mine)[0]
        model(other[:, place : place + 1], caches=theirs)
        torch.testing.assert_close(got, model(one[:, : place + 1])[0][:, -1:], atol=1e-4, rtol=0)


@pytest.mark.parametrize("length", [1, 4, CONTEXT, CONTEXT + 3])
def test_generating_gives_the_same_tokens(model, length):
    for rows, seed in ((1, 3), (3, 4), (2, 5)):  # one behind the other: nothing may be left over
        idx = tokens(rows, length, seed)
        assert torch.equal(model.generate(idx, 10, temperature=0), greedy(model, idx, 10))
