"""Judging a training run: did it learn the sentence, and nothing that it could not know?"""

from dataclasses import dataclass

from bugforge.checks import Reading
from bugforge.recordings import Recording
from bugforge.sentences import loss_floor

LAST = 50
"""Steps at the end of training whose mean loss is judged; one step's is too noisy."""
HIGHEST = 3.0
LOWEST = 0.6
"""Bounds of the final loss, as shares of the floor of its sentence."""


@dataclass(frozen=True)
class Run:
    """One training from scratch and the sample it ended with. seen: losses in nats."""

    text: str
    prompt: str
    unseen: bool
    recording: Recording
    attempts: int = 1

    @property
    def losses(self) -> list[float]:
        """Loss of each step, in nats per token."""
        return [float(loss) for loss in self.recording.facts.get("losses", [])]

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
    def exact(self) -> bool:
        """Whether the sentence came back."""
        return self.sample == self.text


def judge_run(run: Run) -> list[Reading]:
    """Hold a training run to its laws."""
    of = "a sentence it has never seen" if run.unseen else "its sentence"
    suffix = "-unseen" if run.unseen else ""
    names = {
        f"learns{suffix}": f"Training on {of} brings the loss as low as it can honestly go.",
        f"floor{suffix}": f"The loss on {of} is not lower than foresight alone explains.",
        f"sentence{suffix}": f"Greedy decoding gives back {of}, exactly.",
    }
    learns, floor, sentence = names
    if run.recording.crash is not None:
        why = "training did not come to its end"
        return [Reading(name, "loop", words, None, why=why) for name, words in names.items()]
    ratio = run.final_loss / run.floor
    return [
        Reading(learns, "loop", names[learns], ratio <= HIGHEST, ratio, HIGHEST),
        Reading(floor, "attention", names[floor], ratio >= LOWEST, ratio, LOWEST),
        Reading(sentence, "sampling", names[sentence], run.exact),
    ]
