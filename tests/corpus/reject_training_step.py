"""Wrong ways to learn from a batch, and to go on doing so."""

from . import Fixture
from .places import (
    BACKWARD,
    CALL,
    CLIP,
    DATA_FOR_BATCH,
    LEARN,
    LEARN_BATCH,
    OPTIMIZER,
    OPTIMIZER_MADE,
    RETURN_LOSS,
    STEP,
    UNPACK,
    ZERO_GRAD,
)


def _wrong(name: str, why: str, *changes: tuple[str, str, str], trained: bool = False) -> Fixture:
    return Fixture(name, "training_step", why, changes, needs_training=trained)


def _learns(name: str, why: str, *lines: str, trained: bool = False) -> Fixture:
    return _wrong(name, why, (*LEARN, "".join(lines)), trained=trained)


def _optimizer(name: str, why: str, made: str) -> Fixture:
    return _wrong(name, why, (*OPTIMIZER, f"    return torch.optim.{made}\n"))


SHORT_TRAINING = 6
"""Steps after which a mistake shows without a whole training."""

RATE = "lr=config.learning_rate"
DECAY = "weight_decay=config.weight_decay"
Z, B, C, S = ZERO_GRAD[1], BACKWARD[1], CLIP[1], STEP[1]

IN_THE_STEP = (
    _learns("never_zeroed", "Gradients pile up.", B, C, S),
    _learns("zeroed_before_the_step", "The optimizer is handed nothing.", B, C, Z, S),
    _learns("zeroed_after_backward", "The optimizer is handed nothing.", B, Z, C, S),
    _learns("no_backward", "No gradient is made.", Z, C, S),
    _learns("no_step", "Nothing is learned.", Z, B, C),
    _learns(
        "step_not_called", "A method is named and not called.", Z, B, C, "    optimizer.step\n"
    ),
    _wrong(
        "stale_gradients",
        "Each step uses the gradients of the one before.",
        (*UNPACK, S + UNPACK[1]),
        (*LEARN, Z + B + C),
    ),
    _learns("step_twice", "Each gradient is used twice.", Z, B, C, S, S),
    _learns("no_clip", "Gradients are not clipped.", Z, B, S),
    _learns("clip_after_the_step", "Clipping comes too late.", Z, B, S, C),
    _learns("clip_before_backward", "Clipping comes too early.", Z, C, B, S),
    _learns(
        "clip_by_value",
        "Each number is clipped, and not the length.",
        Z,
        B,
        C.replace("norm", "value"),
        S,
    ),
    _learns(
        "clip_at_1",
        "The bound of the configuration is ignored.",
        Z,
        B,
        C.replace("config.grad_clip", "1.0"),
        S,
    ),
    _learns(
        "clip_head_only",
        "Only one layer's gradient is clipped.",
        Z,
        B,
        C.replace("model.", "model.head."),
        S,
    ),
    _learns(
        "clip_one_by_one",
        "Every parameter is clipped on its own.",
        Z,
        B,
        "    for parameter in model.parameters():\n",
        "        nn.utils.clip_grad_norm_(parameter, config.grad_clip)\n",
        S,
    ),
    _learns(
        "always_normalised",
        "Short gradients are made longer.",
        Z,
        B,
        C,
        """\
    norm = torch.sqrt(sum((p.grad**2).sum() for p in model.parameters()))
    for p in model.parameters():
        p.grad.mul_(config.grad_clip / norm)
""",
        S,
    ),
    _learns(
        "zeroed_in_part",
        "The position table's gradient piles up.",
        """\
    for name, parameter in model.named_parameters():
        if "pos" not in name:
            parameter.grad = None
""",
        B,
        C,
        S,
    ),
    _learns(
        "backward_twice",
        "Every gradient counts twice.",
        Z,
        B.replace("()", "(retain_graph=True)"),
        B,
        C,
        S,
    ),
    _learns(
        "gradients_halved", "Every gradient is halved.", Z, "    (loss / 2).backward()\n", C, S
    ),
    _learns(
        "one_gradient_lost",
        "One parameter's gradient is thrown away.",
        Z,
        B,
        "    model.ln_f.weight.grad = None\n",
        C,
        S,
    ),
    _learns(
        "gradients_noisy",
        "Noise is added to every gradient.",
        Z,
        B,
        """\
    for parameter in model.parameters():
        parameter.grad.add_(0.01 * torch.randn_like(parameter))
""",
        C,
        S,
    ),
    _learns(
        "momentum_by_hand",
        "Part of the old gradient is kept.",
        """\
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.grad.mul_(0.1)
""",
        B,
        C,
        S,
    ),
    _learns(
        "zeroed_each_second_step",
        "Two steps' gradients add up.",
        """\
    optimizer.calls = getattr(optimizer, "calls", 0) + 1
    if optimizer.calls % 2:
        optimizer.zero_grad()
""",
        B,
        C,
        S,
    ),
    _learns(
        "each_second_step_skipped",
        "Half of the batches are not learned from.",
        Z,
        B,
        C,
        """\
    optimizer.calls = getattr(optimizer, "calls", 0) + 1
    if optimizer.calls % 2:
        optimizer.step()
""",
    ),
    _learns(
        "each_third_step_skipped",
        "A third of the batches is not learned from.",
        Z,
        B,
        C,
        """\
    optimizer.calls = getattr(optimizer, "calls", 0) + 1
    if optimizer.calls % 3:
        optimizer.step()
""",
    ),
    _learns(
        "steps_skipped_later",
        "After twenty steps, every second batch is not learned from.",
        Z,
        B,
        C,
        """\
    optimizer.calls = getattr(optimizer, "calls", 0) + 1
    if optimizer.calls < 20 or optimizer.calls % 2:
        optimizer.step()
""",
        trained=True,
    ),
    _learns(
        "weights_decayed_by_hand",
        "Decay is applied a second time.",
        Z,
        B,
        C,
        S,
        """\
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1 - config.learning_rate * config.weight_decay)
""",
    ),
    _learns(
        "memory_emptied",
        "The optimizer forgets after every step.",
        Z,
        B,
        C,
        S,
        "    optimizer.state.clear()\n",
    ),
    _learns(
        "memory_emptied_later",
        "The optimizer forgets after every tenth step.",
        Z,
        B,
        C,
        S,
        """\
    optimizer.calls = getattr(optimizer, "calls", 0) + 1
    if optimizer.calls % 10 == 0:
        optimizer.state.clear()
""",
        trained=True,
    ),
    _wrong(
        "loss_detached",
        "Nothing flows back.",
        (*BACKWARD, "    loss.detach().requires_grad_().backward()\n"),
    ),
    _wrong(
        "loss_times_nothing",
        "A loss of nothing teaches nothing.",
        (*BACKWARD, "    (loss * 0).backward()\n"),
    ),
    _wrong(
        "loss_negated",
        "The loss is made as large as can be.",
        (*BACKWARD, "    (-loss).backward()\n"),
    ),
    _wrong(
        "loss_squared",
        "The gradient of the square is another one.",
        (*BACKWARD, "    loss.square().backward()\n"),
    ),
    _wrong(
        "loss_halved_in_report",
        "What is reported is not the loss.",
        (*RETURN_LOSS, "    return loss.item() / 2\n"),
    ),
    _wrong(
        "without_gradients",
        "Nothing is recorded to flow back.",
        (*CALL, "    with torch.no_grad():\n    " + CALL[1]),
        (*BACKWARD, "    loss.requires_grad_().backward()\n"),
    ),
    _wrong(
        "a_copy_is_trained",
        "The model that learns is thrown away.",
        (*CALL, "    import copy\n\n" + CALL[1].replace("model(", "copy.deepcopy(model)(")),
    ),
    _wrong(
        "halves_not_averaged",
        "Two halves' gradients are summed.",
        (
            *CALL,
            """\
    half = len(inputs) // 2
    _, one = model(inputs[:half].to(config.device), targets[:half].to(config.device))
    _, two = model(inputs[half:].to(config.device), targets[half:].to(config.device))
    loss = one + two
""",
        ),
    ),
    _wrong(
        "halves_averaged_alike",
        "Halves of unequal length count the same.",
        (
            *CALL,
            """\
    half = len(inputs) // 2
    _, one = model(inputs[:half].to(config.device), targets[:half].to(config.device))
    _, two = model(inputs[half:].to(config.device), targets[half:].to(config.device))
    loss = (one + two) / 2
""",
        ),
    ),
    _wrong(
        "one_row_learned",
        "One row of the batch is learned from.",
        (*UNPACK, "    inputs, targets = batch[0][:1], batch[1][:1]\n"),
        trained=True,
    ),
    _wrong(
        "tokens_masked_at_random",
        "Some inputs are replaced.",
        (
            *UNPACK,
            UNPACK[1] + "    inputs = inputs.masked_fill(torch.rand(inputs.shape) < 0.1, 0)\n",
        ),
    ),
    _wrong(
        "dropout_on_the_loss",
        "Logits are dropped at random.",
        (
            *CALL,
            """\
    logits, _ = model(inputs.to(config.device))
    logits = nn.functional.dropout(logits, 0.1)
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets.to(config.device).flatten())
""",
        ),
    ),
)

OPTIMIZERS = (
    _optimizer("sgd", "AdamW was asked for.", f"SGD(model.parameters(), {RATE}, {DECAY})"),
    _optimizer(
        "sgd_with_momentum",
        "AdamW was asked for.",
        f"SGD(model.parameters(), {RATE}, momentum=0.9, {DECAY})",
    ),
    _optimizer(
        "adam", "Adam adds the decay to the gradient.", f"Adam(model.parameters(), {RATE}, {DECAY})"
    ),
    _optimizer("adam_without_decay", "There is no decay.", f"Adam(model.parameters(), {RATE})"),
    _optimizer(
        "default_decay",
        "The configuration's decay is ignored.",
        f"AdamW(model.parameters(), {RATE})",
    ),
    _optimizer(
        "no_decay", "There is no decay.", f"AdamW(model.parameters(), {RATE}, weight_decay=0.0)"
    ),
    _optimizer("rmsprop", "AdamW was asked for.", f"RMSprop(model.parameters(), {RATE})"),
    _optimizer("adamax", "AdamW was asked for.", f"Adamax(model.parameters(), {RATE}, {DECAY})"),
    _optimizer(
        "nadam",
        "AdamW was asked for.",
        f"NAdam(model.parameters(), {RATE}, {DECAY}, decoupled_weight_decay=True)",
    ),
    _optimizer(
        "maximizing",
        "The loss is made as large as can be.",
        f"AdamW(model.parameters(), {RATE}, {DECAY}, maximize=True)",
    ),
    _optimizer(
        "head_only", "Only the head is trained.", f"AdamW(model.head.parameters(), {RATE}, {DECAY})"
    ),
    _optimizer(
        "blocks_only",
        "Tables and head are not trained.",
        f"AdamW(model.blocks.parameters(), {RATE}, {DECAY})",
    ),
    _optimizer(
        "matrices_only",
        "Biases and norms are not trained.",
        f"AdamW([p for p in model.parameters() if p.dim() > 1], {RATE}, {DECAY})",
    ),
    _optimizer(
        "without_the_last_norm",
        "One parameter is left out.",
        f'AdamW([p for n, p in model.named_parameters() if n != "ln_f.bias"], {RATE}, {DECAY})',
    ),
    _optimizer(
        "of_a_copy",
        "The parameters of a copy are trained.",
        f"AdamW(__import__('copy').deepcopy(model).parameters(), {RATE}, {DECAY})",
    ),
    _optimizer(
        "head_without_decay",
        "One layer is not decayed.",
        f"""AdamW(
        [
            {{"params": [p for n, p in model.named_parameters() if "head" not in n]}},
            {{"params": model.head.parameters(), "weight_decay": 0.0}},
        ],
        {RATE},
        {DECAY},
    )""",
    ),
)


def _anew(name: str, every: int) -> Fixture:
    return _wrong(
        name,
        f"A new optimizer every {every} steps has forgotten what the old one knew.",
        (
            *LEARN_BATCH,
            f"""\
        if step % {every} == 0:
            optimizer = make_optimizer(model, config)
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, config)
"""
            + LEARN_BATCH[1],
        ),
        trained=every > SHORT_TRAINING,
    )


IN_THE_LOOP = (
    _anew("optimizer_anew_each_step", 1),
    _anew("optimizer_anew_each_2_steps", 2),
    _anew("optimizer_anew_each_5_steps", 5),
    _anew("optimizer_anew_each_50_steps", 50),
    _wrong(
        "each_second_batch_skipped",
        "Half of the steps are not taken.",
        (*DATA_FOR_BATCH, DATA_FOR_BATCH[1] + "        if step % 2:\n            continue\n"),
    ),
    _wrong(
        "each_batch_twice",
        "Two optimizer steps are taken for each batch.",
        (*LEARN_BATCH, "        train_step(model, optimizer, batch, config)\n" + LEARN_BATCH[1]),
    ),
    _wrong(
        "only_if_worse",
        "A step is taken only where the loss has not improved.",
        (
            *STEP,
            """\
    if loss.item() >= 0.9 * getattr(optimizer, "best", 0.0):
        optimizer.step()
    optimizer.best = loss.item()
""",
        ),
    ),
    _wrong(
        "stops_half_way",
        "Half of the steps are not taken.",
        (
            *DATA_FOR_BATCH,
            "        if step >= config.steps // 2:\n            break\n" + DATA_FOR_BATCH[1],
        ),
    ),
    _wrong(
        "optimizer_before_the_model_is_renewed",
        "The optimizer holds the parameters of another model.",
        (
            *OPTIMIZER_MADE,
            OPTIMIZER_MADE[1]
            + """\
    model = GPT(GPTConfig(vocab_size=len(vocabulary), block_size=config.block_size))
""",
        ),
        trained=True,
    ),
)
TRAINING_STEP = (*IN_THE_STEP, *OPTIMIZERS, *IN_THE_LOOP)
