"""The learner's own training, from scratch, on one sentence; and the sample it ends with."""

import time

from torch.optim.optimizer import register_optimizer_step_post_hook

from .job import Recording
from .program import Program


def train_and_sample(program: Program, text: str, prompt: str, seed: int) -> Recording:
    """Train with the program's own configuration, then continue the prompt greedily.

    Records the loss of each step (nats per token), the sample, how many steps the optimizer
    took, the length of a window and the seconds it took.
    """
    seen = Recording()
    steps = 0

    def count(*_: object) -> None:
        nonlocal steps
        steps += 1

    hook = register_optimizer_step_post_hook(count)
    config = program.config()
    began = time.perf_counter()
    model, vocabulary, losses = program.train.train(text, config, seed)
    seen.facts["seconds"] = time.perf_counter() - began
    hook.remove()
    seen.facts["steps"] = steps
    seen.facts["block_size"] = int(config.block_size)
    seen.facts["losses"] = [float(loss) for loss in losses]
    grown = program.train.sample(model, vocabulary, prompt, len(text) - len(prompt))
    seen.facts["sample"] = str(grown)
    return seen
