"""Is it a classifier of rows? These tests show how far you are; they are not the verdict."""

from dataclasses import replace

import pytest
import torch
from classify import ClassifierConfig, accuracy, train_classifier
from sequences import CLASSES, VOCABULARY, draw_rows

import model as own
from model import GPT, GPTConfig

LENGTH = 12


@pytest.fixture
def classifier():
    torch.manual_seed(0)
    gpt = GPT(GPTConfig(vocab_size=VOCABULARY, block_size=LENGTH))
    return own.SequenceClassifier(gpt, CLASSES).eval()


@pytest.fixture
def rows():
    return draw_rows(6, LENGTH, torch.Generator().manual_seed(0))


def test_a_row_has_one_set_of_logits(classifier, rows):
    idx, mask, labels = rows
    logits, loss = classifier(idx, mask, labels)
    assert logits.shape == (6, CLASSES)
    assert loss.dim() == 0
    assert classifier(idx, mask)[1] is None


def test_padding_is_kept_out_of_the_mean(classifier, rows):
    idx, mask, _ = rows
    logits, _ = classifier(idx, mask)
    refilled, _ = classifier(torch.where(mask, idx, torch.ones_like(idx)), mask)
    torch.testing.assert_close(refilled, logits)
    for row in range(6):
        alone, _ = classifier(idx[row : row + 1, : mask[row].sum()])
        torch.testing.assert_close(alone, logits[row : row + 1])


def test_it_learns():
    config = ClassifierConfig()
    model, losses = train_classifier(replace(config, steps=120), seed=1)
    assert len(losses) == 120
    unseen = draw_rows(300, config.block_size, torch.Generator().manual_seed(2))
    assert accuracy(model, *unseen) > 0.8
