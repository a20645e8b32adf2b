"""Does the pipeline do what it should? These tests show how far you are, and are no verdict."""

from dataclasses import replace

import pytest
import torch
from evaluate import metrics, predict
from objective import objective
from optim import make_optimizer, make_schedule
from stream import Stream
from train import TrainConfig, train

from data import ASK, VALUES, batches, collate, draw_rows, split
from model import Classifier, ModelConfig

SHORT = replace(TrainConfig(), model=ModelConfig(n_layer=1), rows=24, batch_size=5, epochs=2)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def rows(generator):
    return draw_rows(40, generator)


@pytest.fixture
def model():
    torch.manual_seed(0)
    made = Classifier(ModelConfig(n_layer=2))
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return made.eval()


def answer(tokens):
    *writes, question = tokens.tolist()
    return [(w - 1) % VALUES for w in writes if (w - 1) // VALUES == question - ASK][-1]


def test_most_labels_are_the_answers(rows):
    assert sum(answer(tokens) == label for tokens, label in rows) >= 30


def test_no_row_is_in_both_parts(rows, generator):
    learned, held_out = split(rows, 0.25, generator)
    assert len(held_out) == 10
    assert not {id(row) for row in learned} & {id(row) for row in held_out}


def test_an_epoch_has_all_rows_with_their_labels(rows, generator):
    found = []
    for tokens, lengths, labels in batches(rows, 7, generator):
        for row, length, label in zip(tokens, lengths.tolist(), labels.tolist(), strict=True):
            found.append((tuple(row[:length].tolist()), label))
    assert sorted(found) == sorted((tuple(tokens.tolist()), label) for tokens, label in rows)


def test_padding_and_neighbours_change_nothing(model, rows):
    tokens, lengths, _ = collate(rows)
    together, _ = model(tokens, lengths)
    alone = torch.cat([model(row[None])[0] for row, _ in rows])
    torch.testing.assert_close(alone, together, rtol=1e-3, atol=1e-4)


def test_nothing_later_is_known(model, rows):
    tokens, lengths, _ = collate(rows)
    changed = tokens.clone()
    changed[:, 3:] = 1
    _, before = model(tokens, lengths)
    _, after = model(changed, lengths)
    torch.testing.assert_close(after[:, :3], before[:, :3])


def test_half_precision_gives_numbers(model, rows):
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.float16):
        for block in model.blocks:
            block.attention.qkv.weight *= 4
        logits, _ = model(*collate(rows)[:2])
    assert logits.isfinite().all()


def test_more_padding_is_no_loss(model, rows):
    tokens, lengths, labels = collate(rows)
    longer = torch.cat([tokens, torch.zeros_like(tokens[:, :1])], dim=1)
    losses = [objective(model(some, lengths), some, labels, 1.0) for some in (tokens, longer)]
    torch.testing.assert_close(losses[0], losses[1])


def test_norms_and_biases_do_not_decay(model):
    for group in make_optimizer(model, TrainConfig()).param_groups:
        for parameter in group["params"]:
            assert (group["weight_decay"] > 0) == (parameter.dim() > 1)


def test_the_rate_rises_first(model):
    config = TrainConfig(warmup_steps=4)
    optimizer = make_optimizer(model, config)
    make_schedule(optimizer, config, 20)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(config.learning_rate / 4)


def test_all_rows_are_predicted_and_the_mode_stays(model, rows):
    model.train()
    logits, labels = predict(model, rows, 7)
    assert len(logits) == len(labels) == len(rows)
    assert model.training


def test_a_class_never_found_costs_f1_a_share():
    logits = torch.tensor([[2.0, 1.0, 0.0]] * 6 + [[1.0, 2.0, 0.0]] * 3)
    told = metrics(logits, torch.tensor([0] * 6 + [1] * 2 + [2]))
    assert told["accuracy"] == pytest.approx(8 / 9)
    assert told["f1"] == pytest.approx((1 + 0.8 + 0) / 3)


def test_a_stream_is_read_like_a_row(model):
    tokens = torch.randint(1, ASK, (2, 6))
    stream = Stream(model)
    for _ in range(2):
        stream.reset()
        for end in range(1, 7):
            told = stream.push(tokens[:, end - 1])
            torch.testing.assert_close(told, model(tokens[:, :end])[0], rtol=1e-3, atol=1e-4)


def test_a_seed_decides_everything():
    first, again, other = (train(SHORT, seed)[1] for seed in (1, 1, 2))
    assert first == again != other


def test_a_training_goes_on(tmp_path):
    path = tmp_path / "state.pt"
    train(SHORT, 1, path=path, until=1)
    resumed, straight = train(SHORT, 1, path=path)[0], train(SHORT, 1)[0]
    for one, other in zip(resumed.parameters(), straight.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_it_learns():
    torch.set_num_threads(1)
    model, _, _ = train(TrainConfig(), seed=1)
    unseen = [(t, answer(t)) for t, _ in draw_rows(500, torch.Generator().manual_seed(7))]
    told = metrics(*predict(model, unseen, 64))
    assert min(told.values()) > 0.9
