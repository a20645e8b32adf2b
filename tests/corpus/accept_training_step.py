"""Right ways to learn from one batch."""

from . import Fixture
from .places import (
    BACKWARD,
    CALL,
    CLIP,
    LEARN,
    LEARN_BATCH,
    MODEL_TRAIN,
    OPTIMIZER,
    RATE_SET,
    RETURN_LOSS,
    STEP,
    STEP_HEAD,
    UNPACK,
    WHOLE_STEP,
    ZERO_GRAD,
)

FORGETS = "Gradients are gone before the next backward pass."


def _right(name: str, why: str, *changes: tuple[str, str, str]) -> Fixture:
    return Fixture(name, "training_step", why, changes)


def _forgets(name: str, line: str) -> Fixture:
    return _right(name, FORGETS, (*ZERO_GRAD, line))


TRAINING_STEP = (
    _right(
        "zeroed_first",
        FORGETS,
        (*UNPACK, ZERO_GRAD[1] + UNPACK[1]),
        (*LEARN, BACKWARD[1] + CLIP[1] + STEP[1]),
    ),
    _right("zeroed_last", FORGETS, (*LEARN, BACKWARD[1] + CLIP[1] + STEP[1] + ZERO_GRAD[1])),
    _right("zeroed_twice", FORGETS, (*STEP, STEP[1] + "    optimizer.zero_grad()\n")),
    _forgets("zeroed_not_to_none", "    optimizer.zero_grad(set_to_none=False)\n"),
    _forgets("zeroed_to_none", "    optimizer.zero_grad(set_to_none=True)\n"),
    _forgets("zeroed_through_the_model", "    model.zero_grad()\n"),
    _forgets(
        "zeroed_one_by_one",
        "    for parameter in model.parameters():\n        parameter.grad = None\n",
    ),
    _forgets(
        "zeroed_in_place",
        """\
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.grad.detach_().zero_()
""",
    ),
    _right(
        "zeroed_in_the_loop",
        "The loop empties the gradients before it calls the step.",
        (*LEARN, BACKWARD[1] + CLIP[1] + STEP[1]),
        (*LEARN_BATCH, "        optimizer.zero_grad()\n" + LEARN_BATCH[1]),
    ),
    _right(
        "closure",
        "The optimizer calls a closure that makes the gradients.",
        (
            *WHOLE_STEP,
            """\
    inputs, targets = (part.to(config.device) for part in batch)

    def closure():
        optimizer.zero_grad()
        _, loss = model(inputs, targets)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), config.grad_clip)
        return loss

    return optimizer.step(closure).item()
""",
        ),
    ),
    _right(
        "gradients_assigned",
        "Gradients are asked for and assigned.",
        (
            *LEARN,
            """\
    parameters = list(model.parameters())
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters)):
        parameter.grad = gradient
"""
            + CLIP[1]
            + STEP[1],
        ),
    ),
    _right(
        "clipped_by_hand",
        "Gradients longer than the bound are shortened to it.",
        (
            *CLIP,
            """\
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    norm = torch.sqrt(sum((g**2).sum() for g in grads))
    if norm > config.grad_clip:
        for g in grads:
            g.mul_(config.grad_clip / norm)
""",
        ),
    ),
    _right(
        "clipped_through_the_optimizer",
        "The optimizer holds the same parameters.",
        (
            *CLIP,
            """\
    held = [p for group in optimizer.param_groups for p in group["params"]]
    norm = torch.nn.utils.clip_grad_norm_(held, max_norm=config.grad_clip, foreach=False)
    assert torch.isfinite(norm)
""",
        ),
    ),
    _right(
        "step_only_if_finite",
        "A step is left out only where the gradients are no numbers.",
        (*CLIP, CLIP[1].replace("nn.utils", "norm = nn.utils")),
        (*STEP, "    if torch.isfinite(norm):\n        optimizer.step()\n"),
    ),
    _right(
        "scaler_disabled",
        "A disabled scaler passes everything on.",
        (
            *LEARN,
            """\
    scaler = torch.amp.GradScaler(config.device, enabled=False)
    optimizer.zero_grad(set_to_none=True)
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
"""
            + CLIP[1]
            + """\
    scaler.step(optimizer)
    scaler.update()
""",
        ),
    ),
    _right(
        "scaler_enabled",
        "What the scaler multiplies is divided out before clipping.",
        (
            *LEARN,
            """\
    scaler = torch.amp.GradScaler(config.device, init_scale=1024.0)
    optimizer.zero_grad(set_to_none=True)
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
"""
            + CLIP[1]
            + """\
    scaler.step(optimizer)
    scaler.update()
""",
        ),
    ),
    _right(
        "loss_in_a_new_variable",
        "The loss is scaled by one under another name.",
        (*BACKWARD, "    scaled_loss = loss / 1\n    scaled_loss.backward()\n"),
    ),
    _right(
        "loss_as_a_tensor",
        "A detached loss is given, as a tensor of no axes.",
        (*RETURN_LOSS, "    return loss.detach()\n"),
    ),
    _right(
        "training_mode_in_the_step",
        "Training mode may be set again and again.",
        (*UNPACK, "    model.train()\n" + UNPACK[1]),
        (*MODEL_TRAIN, "    losses = []\n"),
    ),
    _right(
        "gradients_enabled",
        "Gradients are asked for although they are on already.",
        (
            *CALL,
            """\
    with torch.enable_grad():
        _, loss = model(inputs.to(config.device), targets.to(config.device))
""",
        ),
    ),
    _right(
        "two_half_batches",
        "Each half counts by its share of the rows, and one step follows.",
        (
            *WHOLE_STEP,
            """\
    inputs, targets = batch
    optimizer.zero_grad()
    total = 0.0
    for part, wanted in zip(inputs.tensor_split(2), targets.tensor_split(2)):
        if len(part) == 0:
            continue
        _, loss = model(part.to(config.device), wanted.to(config.device))
        loss = loss * len(part) / len(inputs)
        loss.backward()
        total += loss.item()
    nn.utils.clip_grad_norm_(model.parameters(), config.grad_clip)
    optimizer.step()
    return total
""",
        ),
    ),
    _right(
        "row_by_row",
        "Gradients of single rows, each divided by their number, add up to the mean's.",
        (
            *WHOLE_STEP,
            """\
    inputs, targets = batch
    optimizer.zero_grad()
    losses = []
    for row, wanted in zip(inputs, targets):
        _, loss = model(row[None].to(config.device), wanted[None].to(config.device))
        (loss / len(inputs)).backward()
        losses.append(loss.item())
    nn.utils.clip_grad_norm_(model.parameters(), config.grad_clip)
    optimizer.step()
    return sum(losses) / len(losses)
""",
        ),
    ),
    _right(
        "watched_before_and_after",
        "Looking at the logits without gradients changes nothing.",
        (
            *STEP,
            STEP[1]
            + """\
    with torch.no_grad():
        logits, _ = model(inputs.to(config.device))
        certainty = logits.softmax(dim=-1).amax(dim=-1).mean()
    assert 0 < certainty <= 1
""",
        ),
    ),
    _right(
        "anomalies_detected",
        "Autograd's checks change no number.",
        (*BACKWARD, "    with torch.autograd.set_detect_anomaly(True):\n        loss.backward()\n"),
    ),
    _right(
        "backward_through_autograd",
        "autograd.backward is what loss.backward calls.",
        (*BACKWARD, "    torch.autograd.backward([loss], inputs=list(model.parameters()))\n"),
    ),
    _right(
        "optimizer_with_defaults_spelled_out",
        "The same optimizer, its defaults written down.",
        (
            *OPTIMIZER,
            """\
    return torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad],
        lr=config.learning_rate,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=config.weight_decay,
        amsgrad=False,
        foreach=False,
    )
""",
        ),
    ),
    _right(
        "optimizer_in_two_groups",
        "Two groups with the same settings are one.",
        (
            *OPTIMIZER,
            """\
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    return torch.optim.AdamW(
        [{"params": matrices}, {"params": vectors}],
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
    )
""",
        ),
    ),
    _right(
        "optimizer_fused",
        "The fused form computes the same.",
        (
            *OPTIMIZER,
            """\
    return torch.optim.AdamW(
        model.parameters(),
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
        fused=True,
    )
""",
        ),
    ),
    _right(
        "optimizer_with_other_betas",
        "How long the optimizer remembers is a hyperparameter, which may change.",
        (
            *OPTIMIZER,
            """\
    return torch.optim.AdamW(
        model.parameters(),
        lr=config.learning_rate,
        betas=(0.9, 0.95),
        weight_decay=config.weight_decay,
    )
""",
        ),
    ),
    _right(
        "optimizer_with_other_eps",
        "The optimizer's eps is a hyperparameter, which may change.",
        (
            *OPTIMIZER,
            """\
    return torch.optim.AdamW(
        model.parameters(), config.learning_rate, eps=1e-6, weight_decay=config.weight_decay
    )
""",
        ),
    ),
    _right(
        "adam_with_decoupled_decay",
        "Adam with the decay decoupled is AdamW.",
        (
            *OPTIMIZER,
            """\
    return torch.optim.Adam(
        model.parameters(),
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
        decoupled_weight_decay=True,
    )
""",
        ),
    ),
    _right(
        "rate_set_in_the_step",
        "The step counts itself and sets the rate that the loop set before.",
        (*RATE_SET, ""),
        (
            *STEP,
            """\
    taken = getattr(optimizer, "taken", 0)
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(taken, config)
    optimizer.taken = taken + 1
"""
            + STEP[1],
        ),
    ),
    _right(
        "scheduler_on_the_optimizer",
        "The optimizer carries its own scheduler, which the step moves on.",
        (*RATE_SET, ""),
        (
            *OPTIMIZER,
            OPTIMIZER[1].replace("return", "optimizer =")
            + """\
    optimizer.scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: learning_rate(step, config) / config.learning_rate
    )
    return optimizer
""",
        ),
        (*STEP, STEP[1] + "    optimizer.scheduler.step()\n"),
    ),
    _right(
        "split_into_functions",
        "The step is spread over helpers.",
        (
            *STEP_HEAD,
            """\
def compute_gradients(model, batch, config):
    inputs, targets = batch
    _, loss = model(inputs.to(config.device), targets.to(config.device))
    model.zero_grad(set_to_none=True)
    loss.backward()
    return loss


def apply_gradients(model, optimizer, config):
    nn.utils.clip_grad_norm_(model.parameters(), config.grad_clip)
    optimizer.step()


"""
            + STEP_HEAD[1],
        ),
        (
            *WHOLE_STEP,
            """\
    loss = compute_gradients(model, batch, config)
    apply_gradients(model, optimizer, config)
    return float(loss)
""",
        ),
    ),
)
