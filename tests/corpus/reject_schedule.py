"""Wrong schedules: the rate does not go as the configuration says."""

from . import Fixture
from .places import LEARN_BATCH, OPTIMIZER_MADE, RATE_SET, SCHEDULE, TRAIN

IF = "if step < config.warmup_steps"
SET = 'group["lr"] = learning_rate(step, config)'
WHOLE = "config.learning_rate * 0.5 * (1 + math.cos(math.pi * done))"
LAMBDA = """\
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: learning_rate(step, config) / config.learning_rate
    )
"""


def _wrong(name: str, why: str, *changes: tuple[str, str, str]) -> Fixture:
    return Fixture(name, "training_step", why, changes)


SCHEDULES = (
    _wrong(
        "never_warmed_up",
        "The first step has nearly the whole rate.",
        (*SCHEDULE, "".join(SCHEDULE[1].splitlines(keepends=True)[2:])),
    ),
    _wrong(
        "begins_at_the_whole_rate",
        "The first steps have the whole rate.",
        (TRAIN, "config.learning_rate * (step + 1) / config.warmup_steps", "config.learning_rate"),
    ),
    _wrong(
        "never_decays",
        "The rate stays where the warm-up led.",
        (TRAIN, WHOLE, "config.learning_rate"),
    ),
    _wrong(
        "decay_turned_round", "The rate ends as high as it can.", (TRAIN, "1 + math", "1 - math")
    ),
    _wrong(
        "scheduled_rate_dropped",
        "The scheduled rate is computed and never set.",
        (
            TRAIN,
            SET,
            'group["weight_decay"] = config.weight_decay + 0 * learning_rate(step, config)',
        ),
    ),
    _wrong("no_schedule", "The rate is the same at every step.", (*RATE_SET, "")),
    _wrong(
        "scheduler_never_stepped",
        "The rate stays at that of the first step.",
        (*OPTIMIZER_MADE, OPTIMIZER_MADE[1] + LAMBDA),
        (*RATE_SET, ""),
    ),
    _wrong(
        "scheduler_stepped_twice",
        "The schedule is over half way.",
        (*OPTIMIZER_MADE, OPTIMIZER_MADE[1] + LAMBDA),
        (*RATE_SET, ""),
        (*LEARN_BATCH, LEARN_BATCH[1] + "        scheduler.step()\n        scheduler.step()\n"),
    ),
    _wrong(
        "scheduler_stepped_each_tenth_step",
        "The schedule counts in tens of steps.",
        (*OPTIMIZER_MADE, OPTIMIZER_MADE[1] + LAMBDA),
        (*RATE_SET, ""),
        (
            *LEARN_BATCH,
            LEARN_BATCH[1] + "        if step % 10 == 9:\n            scheduler.step()\n",
        ),
    ),
    _wrong(
        "rate_times_100",
        "The rate is a hundred times that of the configuration.",
        (TRAIN, SET, SET.replace("learning", "100 * learning")),
    ),
    _wrong(
        "rate_by_10",
        "The rate is a tenth of that of the configuration.",
        (TRAIN, SET, SET.replace("learning", "0.1 * learning")),
    ),
    _wrong(
        "rate_of_its_own",
        "The rate of the configuration is ignored.",
        (TRAIN, SET, SET + " * 5e-3 / config.learning_rate * 0.2"),
    ),
    _wrong(
        "warm_up_in_rows",
        "Rows are held against a number of steps.",
        (TRAIN, IF, IF.replace("step ", "step * config.batch_size ")),
    ),
    _wrong(
        "warm_up_as_long_as_the_training",
        "The rate rises to the end.",
        (
            *SCHEDULE,
            "    return config.learning_rate * (step + 1) / config.steps\n",
        ),
    ),
    _wrong(
        "warm_up_of_epochs",
        "The warm-up is as many times too long as a batch has rows.",
        (
            *SCHEDULE,
            SCHEDULE[1].replace("config.warmup_steps", "(config.warmup_steps * config.batch_size)"),
        ),
    ),
    _wrong(
        "horizon_in_rows",
        "The rate hardly decays, over as many steps as there are rows.",
        (TRAIN, "max(1, config.steps - ", "max(1, config.steps * config.batch_size - "),
    ),
    _wrong(
        "decay_in_rows",
        "The rate is nothing after the first few of many steps.",
        (TRAIN, WHOLE, WHOLE.replace("done", "min(1.0, done * config.batch_size)")),
    ),
    _wrong(
        "asked_in_rows",
        "Rows are counted where the schedule counts steps.",
        (TRAIN, SET, SET.replace("step,", "step * config.batch_size,")),
    ),
)
