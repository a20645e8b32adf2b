"""Right schedules: the rate rises to that of the configuration, and falls from there on."""

from . import Fixture
from .places import LEARN_BATCH, OPTIMIZER_MADE, RATE_SET, SCHEDULE, TRAIN

WARMING = """\
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
"""
DONE = "    done = (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps)\n"


def _right(name: str, why: str, *changes: tuple[str, str, str], trained: bool = False) -> Fixture:
    return Fixture(name, "training_step", why, changes, needs_training=trained)


def _schedule(name: str, why: str, lines: str) -> Fixture:
    return _right(name, why, (*SCHEDULE, lines), trained=True)


def _scheduler(name: str, why: str, made: str) -> Fixture:
    """Have a scheduler of torch's set the rates."""
    return _right(
        name,
        why,
        (*OPTIMIZER_MADE, OPTIMIZER_MADE[1] + made),
        (*RATE_SET, ""),
        (*LEARN_BATCH, LEARN_BATCH[1] + "        scheduler.step()\n"),
        trained=True,
    )


SCHEDULES = (
    _schedule(
        "warmed_up_from_nothing",
        "The first rate may be nothing, and the whole one come a step later.",
        WARMING.replace("(step + 1)", "step")
        + DONE
        + "    return config.learning_rate * (1 - done)\n",
    ),
    _schedule(
        "warmed_up_from_a_third",
        "The rate may begin at a share of the whole.",
        WARMING.replace(
            "config.learning_rate * (step + 1) / config.warmup_steps",
            "config.learning_rate * (1 + 2 * step / config.warmup_steps) / 3",
        )
        + DONE
        + "    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * done))\n",
    ),
    _schedule(
        "decays_from_the_first_step",
        "A cosine over all steps may be multiplied by a warm-up.",
        """\
    warm = min(1.0, (step + 1) / config.warmup_steps)
    return config.learning_rate * warm * math.cos(0.5 * math.pi * step / config.steps) ** 2
""",
    ),
    _schedule(
        "ends_at_nothing",
        "The last step may have a rate of nothing.",
        WARMING
        + """\
    done = (step - config.warmup_steps) / max(1, config.steps - 1 - config.warmup_steps)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * done))
""",
    ),
    _schedule(
        "stays_then_decays",
        "The rate may stay before it falls.",
        WARMING + "    return config.learning_rate * min(1.0, 3 * (1 - step / config.steps))\n",
    ),
    _schedule(
        "decays_exponentially",
        "The rate may fall by a share of itself at each step.",
        WARMING + DONE + "    return config.learning_rate * 0.01**done\n",
    ),
    _schedule(
        "exponential_from_the_first_step",
        "A decay by shares over all steps may be multiplied by a warm-up.",
        """\
    warm = min(1.0, (step + 1) / config.warmup_steps)
    return config.learning_rate * warm * 0.02 ** (step / config.steps)
""",
    ),
    _schedule(
        "decays_in_stairs",
        "The rate may fall in stairs.",
        WARMING
        + DONE
        + "    return config.learning_rate * 0.2 ** (int(done > 0.5) + int(done > 0.8))\n",
    ),
    _schedule(
        "decays_by_the_root",
        "The rate may fall by the root of the steps taken, as Transformers' first one did.",
        """\
    taken = (step + 1) / config.warmup_steps
    return config.learning_rate * min(taken, taken**-0.5)
""",
    ),
    _scheduler(
        "two_schedulers_in_sequence",
        "A warm-up of torch's is followed by a decay of torch's.",
        """\
    warmup = config.warmup_steps
    scheduler = torch.optim.lr_scheduler.SequentialLR(
        optimizer,
        [
            torch.optim.lr_scheduler.LinearLR(optimizer, 1 / warmup, total_iters=warmup),
            torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.steps - warmup),
        ],
        milestones=[warmup],
    )
""",
    ),
    _scheduler(
        "two_schedulers_chained",
        "The factors of two schedulers of torch's are multiplied.",
        """\
    scheduler = torch.optim.lr_scheduler.ChainedScheduler(
        [
            torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, total_iters=config.warmup_steps),
            torch.optim.lr_scheduler.PolynomialLR(optimizer, config.steps),
        ]
    )
""",
    ),
    _right(
        "halved_rate",
        "The learning rate may change.",
        (TRAIN, "    learning_rate: float = ", "    learning_rate: float = 0.5 * "),
        (TRAIN, "    steps: int = ", "    steps: int = 2 * "),
    ),
    _right(
        "longer_warm_up",
        "The length of the warm-up may change.",
        (TRAIN, "    warmup_steps: int = ", "    warmup_steps: int = 2 * "),
    ),
)
