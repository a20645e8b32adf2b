"""Right ways to say which token a position has to predict."""

from . import Fixture
from .places import (
    CALL,
    CUT,
    DATA_FOR_BATCH,
    FORWARD_HEAD,
    LEARN_BATCH,
    LOGITS,
    LOSS,
    MODEL,
    NO_TARGETS,
    PAIR,
    STEP_HEAD,
    TRAIN_IMPORTS,
    UNPACK,
    WINDOWS,
)

ONE_TENSOR = "    windows = batch.to(config.device)\n"


def _right(name: str, why: str, *changes: tuple[str, str, str]) -> Fixture:
    return Fixture(name, "label_shift", why, changes)


LABEL_SHIFT = (
    _right(
        "batch_from_a_list_of_slices",
        "Cutting windows one by one gives the same windows.",
        (*CUT, "    windows = torch.stack([data[s : s + span] for s in starts.tolist()])\n"),
    ),
    _right(
        "batch_by_unfold",
        "unfold lists every window of T + 1 tokens; some are picked.",
        (*CUT, "    windows = data.unfold(0, span, 1)[starts]\n"),
    ),
    _right(
        "inputs_and_targets_cut_apart",
        "Targets are read one token later than inputs.",
        (
            *CUT,
            "    places = starts[:, None] + torch.arange(config.block_size)\n",
        ),
        (*PAIR, "    return data[places], data[places + 1]\n"),
    ),
    _right(
        "starts_uniform_in_range",
        "Windows that start anywhere they fit are windows of the text.",
        (
            *WINDOWS,
            """\
    last = len(data) - config.block_size - 1
    starts = torch.randint(-1, last + 2, (config.batch_size,), generator=generator)
    starts = starts.clamp(0, last).tolist()
    inputs = torch.stack([data[s : s + config.block_size] for s in starts])
    targets = torch.stack([data[s + 1 : s + 1 + config.block_size] for s in starts])
    return inputs, targets
""",
        ),
    ),
    _right(
        "batch_is_a_dict",
        "What carries inputs and targets to the step is the program's own choice.",
        (*PAIR, '    return {"inputs": windows[:, :-1], "targets": windows[:, 1:]}\n'),
        (*UNPACK, '    inputs, targets = batch["inputs"], batch["targets"]\n'),
    ),
    _right(
        "batch_is_a_named_tuple",
        "What carries inputs and targets to the step is the program's own choice.",
        (
            *TRAIN_IMPORTS,
            """\
from collections import namedtuple

import torch
from torch import nn

Batch = namedtuple("Batch", "tokens labels")
""",
        ),
        (*PAIR, "    return Batch(tokens=windows[:, :-1], labels=windows[:, 1:])\n"),
        (*UNPACK, "    inputs, targets = batch.tokens, batch.labels\n"),
    ),
    _right(
        "batch_is_a_dataclass",
        "What carries inputs and targets to the step is the program's own choice.",
        (
            *TRAIN_IMPORTS,
            """\
import torch
from torch import nn


@dataclass
class Batch:
    inputs: torch.Tensor
    targets: torch.Tensor

""",
        ),
        (*PAIR, "    return Batch(windows[:, :-1], windows[:, 1:])\n"),
        (*UNPACK, "    inputs, targets = batch.inputs, batch.targets\n"),
    ),
    _right(
        "one_tensor_split_in_the_step",
        "The step cuts the window of T + 1 tokens into inputs and targets.",
        (*PAIR, "    return windows\n"),
        (*UNPACK, "    inputs, targets = batch[:, :-1], batch[:, 1:]\n"),
    ),
    _right(
        "shift_in_the_loss",
        "The targets hold the first token, too, and the loss leaves it out.",
        (*PAIR, "    return windows[:, :-1], windows\n"),
        (*LOSS, LOSS[1].replace("targets.flatten()", "targets[:, 1:].flatten()")),
    ),
    _right(
        "shift_in_the_loss_hugging_face",
        "Contiguous shifted labels, viewed flat, are compared.",
        (*PAIR, "    return windows\n"),
        (*UNPACK, "    inputs, targets = batch[:, :-1], batch\n"),
        (
            *LOSS,
            """\
        shift_labels = targets[..., 1:].contiguous()
        loss_function = nn.CrossEntropyLoss()
        loss = loss_function(logits.view(-1, logits.size(-1)), shift_labels.view(-1))
""",
        ),
    ),
    _right(
        "rolled_and_cut",
        "What wraps around is cut off.",
        (*PAIR, "    return windows[:, :-1], windows.roll(-1, dims=1)[:, :-1]\n"),
    ),
    _right(
        "shift_in_the_step",
        "The step shifts whole windows.",
        (*PAIR, "    return windows\n"),
        (*UNPACK, ONE_TENSOR),
        (
            *CALL,
            """\
    logits, _ = model(windows[:, :-1])
    loss = nn.functional.cross_entropy(
        logits.transpose(1, 2), windows[:, 1:], reduction="mean"
    )
""",
        ),
    ),
    _right(
        "loss_in_the_step",
        "The loss is the same, computed outside the model.",
        (
            *CALL,
            """\
    logits = model(inputs.to(config.device))[0]
    loss = nn.functional.cross_entropy(
        logits.reshape(-1, logits.size(-1)), targets.to(config.device).reshape(-1)
    )
""",
        ),
    ),
    _right(
        "shift_in_the_training_loop",
        "get_batch hands out windows of T + 1 tokens, and the loop cuts them.",
        (*PAIR, "    return windows\n"),
        (
            *LEARN_BATCH,
            """\
        pair = batch[:, :-1], batch[:, 1:]
        losses.append(train_step(model, optimizer, pair, config))
""",
        ),
    ),
    _right(
        "shift_in_forward_from_long_windows",
        "Windows of T + 1 tokens go in, and forward cuts them before the model reads them.",
        (*PAIR, "    return windows, windows\n"),
        (
            *FORWARD_HEAD,
            FORWARD_HEAD[1]
            + """\
        if targets is not None:
            idx, targets = idx[:, :-1], targets[:, 1:]
""",
        ),
    ),
    _right(
        "gathered_by_hand",
        "The mean of logsumexp minus the target's logit is the cross-entropy.",
        (
            *LOSS,
            """\
        picked = logits.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
        loss = (logits.logsumexp(dim=-1) - picked).mean()
""",
        ),
    ),
    _right(
        "soft_targets",
        "One-hot targets as probabilities give the same cross-entropy.",
        (
            *LOSS,
            """\
        wanted = F.one_hot(targets, logits.size(-1)).to(logits.dtype)
        loss = F.cross_entropy(logits.flatten(0, 1), wanted.flatten(0, 1))
""",
        ),
    ),
    _right(
        "one_hot_by_hand",
        "The mean negative log-probability of the wanted token, by a product.",
        (
            *LOSS,
            """\
        wanted = F.one_hot(targets, self.config.vocab_size)
        loss = -(F.log_softmax(logits, dim=-1) * wanted).sum(-1).mean()
""",
        ),
    ),
    _right(
        "classes_on_the_second_axis",
        "Cross-entropy takes (B, V, T) against (B, T).",
        (*LOSS, "        loss = F.cross_entropy(logits.transpose(1, 2), targets)\n"),
    ),
    _right(
        "classes_permuted_in_double",
        "A permutation and a higher precision change nothing that counts.",
        (
            *LOSS,
            """\
        loss = F.cross_entropy(logits.double().permute(0, 2, 1), targets).float()
""",
        ),
    ),
    _right(
        "loss_place_by_place",
        "The mean over places of the mean over rows is the mean.",
        (
            *LOSS,
            """\
        losses = [
            F.cross_entropy(logits[:, place], targets[:, place])
            for place in range(targets.size(1))
        ]
        loss = torch.stack(losses).mean()
""",
        ),
    ),
    _right(
        "loss_row_by_row",
        "Rows are equally long, so the mean of their means is the mean.",
        (
            *LOSS,
            """\
        loss = 0.0
        for row, wanted in zip(logits, targets):
            loss = loss + F.cross_entropy(row, wanted) / len(targets)
""",
        ),
    ),
    _right(
        "negative_log_likelihood",
        "nll_loss of log_softmax is the cross-entropy.",
        (
            *LOSS,
            """\
        log_probs = F.log_softmax(logits, dim=-1).view(-1, logits.size(-1))
        loss = F.nll_loss(log_probs, targets.reshape(-1))
""",
        ),
    ),
    _right(
        "sum_over_count",
        "The sum divided by the number of targets is the mean.",
        (
            *LOSS,
            """\
        total = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum")
        loss = total / targets.numel()
""",
        ),
    ),
    _right(
        "unreduced_then_mean",
        "The mean is taken by hand.",
        (
            *LOSS,
            """\
        B, T, V = logits.shape
        each = F.cross_entropy(
            logits.reshape(B * T, V), targets.reshape(B * T), reduction="none"
        )
        loss = each.view(B, T).mean(dim=1).mean()
""",
        ),
    ),
    _right(
        "categorical_log_prob",
        "The log-probability of the wanted token under the distribution of the logits.",
        (
            *LOSS,
            """\
        loss = -torch.distributions.Categorical(logits=logits).log_prob(targets).mean()
""",
        ),
    ),
    _right(
        "flat_logits_with_targets",
        "The logits returned beside the loss are viewed flat, as in a well-known lecture.",
        (
            *LOSS,
            """\
        B, T, V = logits.shape
        logits = logits.view(B * T, V)
        loss = F.cross_entropy(logits, targets.reshape(B * T))
""",
        ),
    ),
    _right(
        "logits_from_a_method_of_their_own",
        "The step takes logits from a method that forward also uses, and works out the loss.",
        (
            *FORWARD_HEAD,
            """\
    def forward(self, idx, targets=None):
        logits = self.logits(idx)
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.flatten(0, 1), targets.flatten())

    def logits(self, idx):
""",
        ),
        (
            MODEL,
            LOGITS[1] + NO_TARGETS[1] + LOSS[1] + "        return logits, loss\n",
            "        return self.head(self.ln_f(x))\n",
        ),
        (
            *CALL,
            """\
    logits = model.logits(inputs.to(config.device))
    loss = nn.functional.cross_entropy(
        logits.flatten(0, 1), targets.to(config.device).flatten()
    )
""",
        ),
    ),
    _right(
        "loss_by_a_function_of_train",
        "A helper makes the loss from the model and a pair.",
        (
            *STEP_HEAD,
            """\
def next_token_loss(model, inputs, targets):
    logits, none = model(inputs)
    assert none is None
    return nn.CrossEntropyLoss(reduction="mean")(logits.movedim(-1, 1), targets)


"""
            + STEP_HEAD[1],
        ),
        (
            *CALL,
            """\
    loss = next_token_loss(model, inputs.to(config.device), targets.to(config.device))
""",
        ),
    ),
    _right(
        "batch_on_the_device_at_once",
        "get_batch moves what it draws, and the step moves nothing.",
        (
            *PAIR,
            """\
    windows = windows.to(config.device)
    return windows[:, :-1].contiguous(), windows[:, 1:].contiguous()
""",
        ),
        (*CALL, "    _, loss = model(inputs, targets)\n"),
    ),
    _right(
        "batch_through_an_iterator",
        "A generator of batches draws the same windows.",
        (
            *DATA_FOR_BATCH,
            "        batch = next(iter(lambda: get_batch(data, config, generator), None))\n",
        ),
    ),
)
