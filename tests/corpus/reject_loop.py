"""Wrong programs whose mistake lies in the loop around the step, or in a loop of its own."""

from . import Fixture
from .places import (
    ADD_POSITIONS,
    DATA_FOR_BATCH,
    LEARN_BATCH,
    LOOP,
    MODEL_MADE,
    OPTIMIZER,
    POSITION_TABLE,
    RATE_SET,
    TRAIN,
)

RETURN = (TRAIN, "    return model, vocabulary, losses\n")


def _wrong(name: str, why: str, *changes: tuple[str, str, str], trained: bool = False) -> Fixture:
    return Fixture(name, "training_step", why, changes, needs_training=trained)


BODY = DATA_FOR_BATCH[1] + LEARN_BATCH[1]


def _inline(name: str, why: str, learned: str) -> Fixture:
    begun = DATA_FOR_BATCH[1].replace("batch = ", "inputs, targets = ")
    lines = "".join(f"        {line}\n" for line in learned.splitlines())
    return _wrong(name, why, (TRAIN, BODY, begun + lines + "        losses.append(loss.item())\n"))


LOOPS = (
    _inline(
        "emptied_every_second_step",
        "What one batch taught is used for the next one, too.",
        """\
loss = model(inputs, targets)[1]
if step % 2 == 0:
    optimizer.zero_grad()
loss.backward()
nn.utils.clip_grad_norm_(model.parameters(), config.grad_clip)
optimizer.step()""",
    ),
    _inline(
        "never_clipped_in_the_loop",
        "Gradients are not clipped.",
        """\
loss = model(inputs, targets)[1]
optimizer.zero_grad()
loss.backward()
optimizer.step()""",
    ),
    _inline(
        "clipped_after_the_step",
        "Gradients are clipped once they have been used.",
        """\
loss = model(inputs, targets)[1]
optimizer.zero_grad()
loss.backward()
optimizer.step()
nn.utils.clip_grad_norm_(model.parameters(), config.grad_clip)""",
    ),
    _inline(
        "no_step_in_the_loop",
        "The weights are never moved.",
        """\
loss = model(inputs, targets)[1]
optimizer.zero_grad()
loss.backward()""",
    ),
    _inline(
        "targets_are_the_inputs",
        "Each position learns to repeat what it reads.",
        """\
loss = model(inputs, inputs)[1]
optimizer.zero_grad()
loss.backward()
nn.utils.clip_grad_norm_(model.parameters(), config.grad_clip)
optimizer.step()""",
    ),
    _wrong(
        "decay_and_clip_switched_off",
        "The loop takes back what the configuration asks for.",
        (
            *LEARN_BATCH,
            """\
        for group in optimizer.param_groups:
            group["weight_decay"] = 0.0
        losses.append(train_step(model, optimizer, batch, config))
""",
        ),
    ),
    _wrong(
        "some_layers_at_rate_zero",
        "Norms and positions have a rate of nothing.",
        (
            *OPTIMIZER,
            """\
    still = [p for n, p in model.named_parameters() if "pos" in n or "ln" in n]
    rest = [p for n, p in model.named_parameters() if not ("pos" in n or "ln" in n)]
    return torch.optim.AdamW(
        [{"params": rest}, {"params": still, "lr": 0.0}],
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
    )
""",
        ),
        (*RATE_SET, '        optimizer.param_groups[0]["lr"] = learning_rate(step, config)\n'),
    ),
    _wrong(
        "steps_of_its_own",
        "Training takes 300 steps of its own configuration, whatever it is asked for.",
        (
            *LOOP,
            "    config = TrainConfig(block_size=config.block_size, device=config.device)\n"
            + LOOP[1].replace("range(config.steps)", "range(300)"),
        ),
    ),
    _wrong(
        "two_batches_a_step",
        "Batches are twice as large as is asked for.",
        (TRAIN, "(config.batch_size,)", "(2 * config.batch_size,)"),
    ),
    _wrong(
        "losses_made_up",
        "The losses told are none that training had.",
        (
            TRAIN,
            "    return model, vocabulary, losses\n",
            "    return model, vocabulary, [0.06] * config.steps\n",
        ),
    ),
    _wrong(
        "losses_of_the_step_before",
        "Each step tells the loss of the one before.",
        (
            TRAIN,
            "    return model, vocabulary, losses\n",
            "    return model, vocabulary, losses[:1] + losses[:-1]\n",
        ),
    ),
    _wrong(
        "lowest_losses_so_far",
        "Each step tells the lowest loss that there was until then.",
        (
            TRAIN,
            "    return model, vocabulary, losses\n",
            "    return model, vocabulary, [min(losses[: i + 1]) for i in range(len(losses))]\n",
        ),
    ),
    _wrong(
        "another_model_returned",
        "The model that comes back is not the one that learned.",
        (
            TRAIN,
            "    return model, vocabulary, losses\n",
            "    return GPT(model.config).to(config.device), vocabulary, losses\n",
        ),
    ),
    _wrong(
        "positions_shared_between_models",
        "Two models train one table of positions.",
        (
            "model.py",
            "class GPT(nn.Module):\n",
            """\
TABLES = {}


def positions(length, width):
    if (length, width) not in TABLES:
        TABLES[length, width] = nn.Parameter(0.02 * torch.randn(length, width))
    return TABLES[length, width]


class GPT(nn.Module):
""",
        ),
        (*POSITION_TABLE, "        self.pos_emb = positions(config.block_size, config.n_embd)\n"),
    ),
    _wrong(
        "positions_stop_half_way",
        "All positions from the twelfth on are one.",
        (
            *ADD_POSITIONS,
            ADD_POSITIONS[1].replace(": idx.size(1)", "torch.arange(idx.size(1)).clamp(max=11)"),
        ),
        trained=True,
    ),
    _wrong(
        "head_sharpened_in_the_end",
        "What training gives is not what it learned, though the likeliest tokens are the same.",
        (
            *RETURN,
            "    with torch.no_grad():\n        model.head.weight.mul_(3.0)\n" + RETURN[1],
        ),
    ),
    _wrong(
        "rounded_to_half_in_the_end",
        "Digits that were learned are lost.",
        (*RETURN, "    model.half().float()\n" + RETURN[1]),
    ),
    _wrong(
        "averaged_over_all_steps",
        "No step led to these weights.",
        (*MODEL_MADE, MODEL_MADE[1] + "    mean = torch.optim.swa_utils.AveragedModel(model)\n"),
        (*LEARN_BATCH, LEARN_BATCH[1] + "        mean.update_parameters(model)\n"),
        (*RETURN, "    model.load_state_dict(mean.module.state_dict())\n" + RETURN[1]),
    ),
)
