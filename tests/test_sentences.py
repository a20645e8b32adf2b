"""Laws of the sentences: what may be taught, what is drawn afresh, and the loss floor."""

import importlib.util
import math
import random
import re
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bugforge import sentences
from bugforge.sentences import LONGEST, PROMPT_LENGTH, SHORTEST, is_teachable, loss_floor, unseen

GPT = Path(__file__).parents[1] / "reference" / "gpt"
SENTENCE = "The first robot to retire asked for a bench, some pigeons, and a long explanation."

seeds = st.integers(min_value=0, max_value=2**64)


def fresh(seed: int) -> str:
    """Draw the unseen sentence of a seed."""
    return unseen(random.Random(seed))


def brute_force_floor(text: str, block_size: int) -> float:
    """Average -log of the true next-token chance over all windows, positions and draws."""
    span = block_size + 1
    last = len(text) - span
    windows = [
        text[start : start + span]
        for start in (min(max(raw, 0), last) for raw in range(-span, last + span))
    ]
    total = 0.0
    for window in windows:
        for t in range(1, span):
            seen = [other for other in windows if other[:t] == window[:t]]
            right = [other for other in seen if other[t] == window[t]]
            total -= math.log(len(right) / len(seen))
    return total / (len(windows) * block_size)


def load_reference(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import the reference's train.py as a learner's shell would, beside its model.py."""
    monkeypatch.syspath_prepend(str(GPT))
    spec = importlib.util.spec_from_file_location("reference_train", GPT / "train.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "reference_train", module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("sentence", sentences.shipped())
def test_every_shipped_sentence_is_teachable(sentence: str) -> None:
    """Every shipped sentence keeps the rules."""
    assert is_teachable(sentence)


def test_shipped_sentences_differ_from_their_openings_on() -> None:
    """There are at least 14 shipped sentences, and no prompt opens two of them."""
    shipped = sentences.shipped()
    assert len(shipped) >= 14
    assert len({sentence[:PROMPT_LENGTH] for sentence in shipped}) == len(shipped)


@given(seeds)
def test_every_unseen_sentence_is_teachable(seed: int) -> None:
    """Whatever the seed, an unseen sentence keeps the rules and is not shipped."""
    sentence = fresh(seed)
    assert is_teachable(sentence)
    assert sentence not in sentences.shipped()


@given(seeds)
def test_unseen_reads_as_a_sentence(seed: int) -> None:
    """An unseen sentence has one capital opening, one full stop, and no slot or gap left over."""
    sentence = fresh(seed)
    assert re.fullmatch(r"[A-Z][^{}.]*[^\s{}.]\.", sentence)
    assert "  " not in sentence


@given(seeds)
def test_unseen_is_deterministic(seed: int) -> None:
    """The state of the generator decides the sentence: alike ones draw alike sequences."""
    one, other = random.Random(seed), random.Random(seed)
    assert [unseen(one) for _ in range(3)] == [unseen(other) for _ in range(3)]


def test_unseen_never_draws_a_shipped_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A draw that happens to be shipped is thrown away and drawn anew."""
    first = fresh(5)
    monkeypatch.setattr(sentences, "shipped", lambda: (first,))
    assert fresh(5) != first


def test_more_than_2_to_the_40_sentences_are_possible() -> None:
    """The first shape alone has more than 2**40 fillings, and nearly all of them are teachable."""
    slots = re.findall(r"{(\w+)}", sentences.SHAPES[0])
    assert len(set(slots)) == len(slots)
    fillings = math.prod(len(set(sentences.WORDS[slot])) for slot in slots)
    rng = random.Random(0)
    kept = sum(
        is_teachable(
            sentences.SHAPES[0].format(
                **{slot: rng.choice(sentences.WORDS[slot]) for slot in slots}
            )
        )
        for _ in range(500)
    )
    assert kept > 450
    assert fillings * 0.9 > 2**40


def test_rules_refuse_each_breach() -> None:
    """A sentence that breaks one rule alone is refused; one that just keeps it is taken."""
    assert is_teachable(SENTENCE)
    assert not is_teachable(SENTENCE[: SHORTEST - 1])
    assert is_teachable(SENTENCE[:SHORTEST])
    assert is_teachable((SENTENCE + SENTENCE.upper())[:LONGEST])
    assert not is_teachable((SENTENCE + SENTENCE.upper())[: LONGEST + 1])
    for sign in ('"', "\\", "\n", "\x7f", "é"):
        assert not is_teachable(SENTENCE + sign)
    assert not is_teachable(SENTENCE + SENTENCE[:PROMPT_LENGTH])
    assert not is_teachable(SENTENCE + SENTENCE[20 : 20 + PROMPT_LENGTH])
    assert is_teachable(SENTENCE + "~" + SENTENCE[20 : 20 + PROMPT_LENGTH - 1] + "~")
    assert not is_teachable(SENTENCE + "~" * (PROMPT_LENGTH + 1))


@given(st.text("abc", min_size=2, max_size=14), st.data())
@example("aa", None)
@example("ab", None)
def test_floor_is_the_loss_of_the_best_predictor(text: str, data: st.DataObject | None) -> None:
    """The floor equals the loss of the best predictor, summed window by window, token by token."""
    block_size = data.draw(st.integers(1, len(text) - 1)) if data else 1
    expected = brute_force_floor(text, block_size)
    assert loss_floor(text, block_size) == pytest.approx(expected, abs=1e-12)


@given(seeds)
def test_floor_is_positive_and_falls_with_longer_windows(seed: int) -> None:
    """Guessing costs something in every sentence, and less per token where windows are longer."""
    sentence = fresh(seed)
    floors = [loss_floor(sentence, block_size) for block_size in (8, 16, 24, 32, 48)]
    assert all(longer < shorter for shorter, longer in pairwise(floors))
    assert floors[-1] > 0
    assert floors[0] < math.log(len(set(sentence)))


def test_floor_is_zero_where_nothing_is_left_to_guess() -> None:
    """One single window, or one whose first token tells it apart, costs nothing."""
    assert loss_floor("abcd", 3) == pytest.approx(0, abs=1e-12)
    assert loss_floor("abcdefgh", 3) == pytest.approx(0, abs=1e-12)


def test_floor_refuses_windows_longer_than_the_sentence() -> None:
    """A window that does not fit is refused, with the greatest block size that would."""
    with pytest.raises(ValueError, match="at most 3"):
        loss_floor("abcd", 4)


def test_floor_knows_where_the_reference_draws_its_windows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The starts that get_batch draws are as frequent as the floor takes them to be."""
    torch = pytest.importorskip("torch")
    reference = load_reference(monkeypatch)
    length, draws = 40, 50_000
    config = reference.TrainConfig(block_size=8, batch_size=draws)
    inputs, _ = reference.get_batch(torch.arange(length), config, torch.Generator().manual_seed(0))
    drawn = Counter(inputs[:, 0].tolist())
    span = config.block_size + 1
    last = length - span
    assumed = Counter(min(max(raw, 0), last) for raw in range(-span, last + span))
    assert drawn.keys() == assumed.keys()
    for start, weight in assumed.items():
        chance = weight / assumed.total()
        noise = math.sqrt(chance * (1 - chance) / draws)
        assert abs(drawn[start] / draws - chance) < 5 * noise
