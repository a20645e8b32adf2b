"""Judging a training run: did it learn the sentence, and nothing that it could not know?"""

from dataclasses import dataclass

import numpy as np

from bugforge.checks import Reading, measured
from bugforge.mutation import Stage
from bugforge.program import Program
from bugforge.recordings import Crash, Recording, read_crash
from bugforge.sentences import PROMPT_LENGTH, loss_floor

LAST = 50
"""Steps at the end of training whose mean loss is judged; one step's is too noisy."""
LOWEST = 0.6
"""Least final loss, as a share of the floor of its text."""

MAIN: tuple[str, Stage, str] = ("main", "loop", "`python train.py` comes to its end.")


@dataclass(frozen=True)
class Run:
    """One training from scratch and the sample it ended with. Losses are in nats.

    program: what was to be trained. whole: its text, with what was held out. tried: whether the
    weights were to be tried in the correct program, which is done once all else holds.
    """

    program: Program
    whole: str
    unseen: bool
    recording: Recording
    attempts: int = 1
    tried: bool = True
    replay: Recording | None = None
    """The same continuation by the correct program, with the weights that training led to."""

    @property
    def text(self) -> str:
        """What was to be learned."""
        return self.program.learned(self.whole)

    @property
    def prompt(self) -> str:
        """What the sample begins with."""
        return self.text[:PROMPT_LENGTH]

    @property
    def losses(self) -> list[float]:
        """Loss of each step, in nats per token."""
        told = self.recording.facts.get("losses", [])
        return [loss for loss in told if isinstance(loss, float)] if isinstance(told, list) else []

    @property
    def sample(self) -> str | None:
        """What the trained model continued the prompt to, prompt included."""
        sample = self.recording.facts.get("sample")
        return None if sample is None else str(sample)

    @property
    def final_loss(self) -> float:
        """Mean loss of the last steps."""
        last = self.losses[-LAST:]
        return sum(last) / len(last) if last else float("nan")

    @property
    def floor(self) -> float:
        """The lowest loss that can be had without seeing the future."""
        return loss_floor(self.text, int(self.recording.facts.get("block_size", 0)))

    @property
    def main_crash(self) -> Crash | None:
        """The error that main ended in, where it was run and did."""
        error = self.recording.facts.get("main")
        return None if error is None else read_crash(error)

    @property
    def lapses(self) -> float:
        """How many steps were too many or too few, begun by another optimizer, or by one that had
        forgotten all earlier ones.
        """
        told = self.recording.facts["steps"]
        missed = abs(told["asked"] - told["taken"])
        return float(missed + max(told["optimizers"] - 1, 0) + told["forgotten"])

    @property
    def borne_out(self) -> bool:
        """Whether the trained weights, and nothing else, gave the sentence back.

        Tokens stand for characters one to one, and the correct program, given the weights,
        generates the same tokens.
        """
        tokens = self.recording.tensors.get("tokens")
        replayed = self.replay.tensors.get("tokens") if self.replay else None
        if tokens is None or replayed is None or tokens.shape != (len(self.text),):
            return False
        pairs = set(zip(tokens.tolist(), self.text, strict=True))
        one_to_one = len(pairs) == len(set(self.text)) == len(set(tokens.tolist()))
        return one_to_one and bool(np.array_equal(replayed, tokens))

    @property
    def exact(self) -> bool:
        """Whether the sentence came back."""
        return self.sample == self.text


def judge_run(run: Run) -> list[Reading]:
    """Hold a training run to its laws."""
    if run.recording.crash is not None:
        return not_judged(unseen=run.unseen, why="training did not come to its end")
    share = measured(lambda: run.final_loss / run.floor)
    steps, learns, floor, sentence, weights = _names(unseen=run.unseen)
    lapses = measured(lambda: run.lapses)
    why = "it is looked at once all else holds" if run.exact else "the sentence did not come back"
    untried = Reading(*weights, None, why=why)
    return [
        *(() if run.unseen else (Reading(*MAIN, run.main_crash is None),)),
        Reading(*steps, lapses <= 0, lapses, 0.0),
        Reading(*learns, share <= run.program.highest, share, run.program.highest),
        Reading(*floor, share >= LOWEST, share, LOWEST),
        Reading(*sentence, run.exact),
        Reading(*weights, run.borne_out) if run.exact and run.tried else untried,
    ]


def not_judged(*, unseen: bool, why: str) -> list[Reading]:
    """Say of each law of training that it could not be judged."""
    laws = _names(unseen=unseen) if unseen else (MAIN, *_names(unseen=unseen))
    return [Reading(*law, None, why=why) for law in laws]


def sentence_law(*, unseen: bool) -> str:
    """Name the law that the sentence comes back."""
    return "sentence-unseen" if unseen else "sentence"


def _names(*, unseen: bool) -> tuple[tuple[str, Stage, str], ...]:
    """Name, stage and sentence of each law of training."""
    of = "a sentence it has never seen" if unseen else "its sentence"
    suffix = "-unseen" if unseen else ""
    return (
        (f"steps{suffix}", "loop", f"Training on {of} takes all its steps, and forgets none."),
        (f"learns{suffix}", "loop", f"Training on {of} brings the loss as low as it can go."),
        (f"floor{suffix}", "attention", f"The loss on {of} is no lower than without foresight."),
        (sentence_law(unseen=unseen), "sampling", f"Greedy decoding gives back {of}, exactly."),
        (f"weights{suffix}", "loop", f"What was trained on {of} is the weights, and they know it."),
    )
