"""Wrong ways to say which token a position has to predict."""

from . import Fixture
from .places import CALL, LOSS, PAIR, UNPACK, WINDOWS

SHORT_WINDOWS = """\
    span = config.block_size
    last = len(data) - span
    starts = torch.randint(-span, last + span + 1, (config.batch_size,), generator=generator)
    windows = data[starts.clamp(0, last)[:, None] + torch.arange(span)]  # (B, T)
"""
LAST_UNLEARNED = "The last place of a window learns nothing, and decoding needs it."
ONE_TENSOR = "    windows = batch.to(config.device)\n"
BOTH = (*WINDOWS, SHORT_WINDOWS + "    return windows, windows\n")


def _wrong(name: str, why: str, *changes: tuple[str, str, str], trained: bool = False) -> Fixture:
    return Fixture(name, "label_shift", why, changes, needs_training=trained)


def _loss(name: str, why: str, line: str, *more: tuple[str, str, str]) -> Fixture:
    return _wrong(name, why, (*LOSS, f"        loss = {line}\n"), *more)


def _pair(name: str, why: str, pair: str) -> Fixture:
    return _wrong(name, why, (*PAIR, f"    return {pair}\n"))


FLAT = "F.cross_entropy(logits.flatten(0, 1), targets.flatten()"

LABEL_SHIFT = (
    _pair(
        "no_shift",
        "Every position predicts the token it reads.",
        "windows[:, :-1], windows[:, :-1]",
    ),
    _pair(
        "past_predicted",
        "Every position predicts the token before it.",
        "windows[:, 1:], windows[:, :-1]",
    ),
    _pair(
        "targets_only", "Inputs and targets both begin one later.", "windows[:, 1:], windows[:, 1:]"
    ),
    _pair(
        "targets_rolled",
        "The last target is the window's first token.",
        "windows[:, :-1], windows[:, :-1].roll(-1, 1)",
    ),
    _pair(
        "rolled_the_other_way",
        "Every position predicts the token before it.",
        "windows[:, :-1], windows[:, :-1].roll(1, 1)",
    ),
    _pair(
        "rolled_over_the_batch",
        "Targets belong to another row.",
        "windows[:, :-1], windows[:, 1:].roll(1, 0)",
    ),
    _pair(
        "windows_reversed",
        "The sentence is learned back to front.",
        "windows.flip(1)[:, :-1], windows.flip(1)[:, 1:]",
    ),
    _pair("reversed_targets", "Targets run backwards.", "windows[:, :-1], windows[:, 1:].flip(1)"),
    _pair(
        "last_target_spoilt",
        "Only the last target is wrong.",
        "windows[:, :-1], torch.cat((windows[:, 1:-1], windows[:, :1]), 1)",
    ),
    _pair(
        "first_target_spoilt",
        "Only the first target is wrong.",
        "windows[:, :-1], torch.cat((windows[:, :1], windows[:, 2:]), 1)",
    ),
    _pair(
        "sorted_targets",
        "Targets are in order of their numbers.",
        "windows[:, :-1], windows[:, 1:].sort(1)[0]",
    ),
    _wrong(
        "shifted_by_two",
        "Targets are two tokens later.",
        (
            *WINDOWS,
            WINDOWS[1]
            .replace("block_size + 1", "block_size + 2")
            .replace("windows[:, :-1], windows[:, 1:]", "windows[:, :-2], windows[:, 2:]"),
        ),
    ),
    _loss(
        "shifted_twice",
        "Shifted in the batch and again in the loss.",
        "F.cross_entropy(logits[:, :-1].flatten(0, 1), targets[:, 1:].flatten())",
    ),
    _loss(
        "shift_undone",
        "The loss shifts back what the batch had shifted.",
        "F.cross_entropy(logits[:, 1:].flatten(0, 1), targets[:, :-1].flatten())",
    ),
    _loss(
        "first_position_left_out",
        "The first position of a window learns nothing.",
        "F.cross_entropy(logits[:, 1:].flatten(0, 1), targets[:, 1:].flatten())",
    ),
    _loss(
        "flattened_then_shifted",
        "The end of a row is to predict the start of the next.",
        "F.cross_entropy(logits.flatten(0, 1)[:-1], targets.flatten()[1:])",
        BOTH,
    ),
    _loss(
        "rolled_and_not_masked",
        "The last position is to predict the first token.",
        "F.cross_entropy(logits.flatten(0, 1), targets.roll(-1, 1).flatten())",
        BOTH,
    ),
    _loss(
        "shifted_to_the_past",
        "Every position predicts the token before it.",
        "F.cross_entropy(logits[:, 1:].flatten(0, 1), targets[:, :-1].flatten())",
        BOTH,
    ),
    _loss(
        "trimmed_alike",
        "Both sides are trimmed at the same end, so nothing is shifted.",
        "F.cross_entropy(logits[:, :-1].flatten(0, 1), targets[:, :-1].flatten())",
        BOTH,
    ),
    _wrong(
        "padded_left",
        "Labels are moved the wrong way.",
        (
            *WINDOWS,
            SHORT_WINDOWS
            + "    return windows, nn.functional.pad(windows[:, :-1], (1, 0), value=-100)\n",
        ),
    ),
    _wrong(
        "padded_with_a_token",
        "What follows the window is said to be token 0, which is a character.",
        (
            *WINDOWS,
            SHORT_WINDOWS + "    return windows, nn.functional.pad(windows[:, 1:], (0, 1))\n",
        ),
    ),
    _loss(
        "token_ignored", "Token 0 is a character, and is never learned.", FLAT + ", ignore_index=0)"
    ),
    _loss(
        "last_position_only",
        "Only the last position of a window learns.",
        "F.cross_entropy(logits[:, -1], targets[:, -1])",
    ),
    _loss(
        "last_row_left_out",
        "One row of every batch is not learned from.",
        "F.cross_entropy(logits[:-1].flatten(0, 1), targets[:-1].flatten())",
    ),
    _loss(
        "classes_by_view",
        "A view does not exchange axes.",
        "F.cross_entropy(logits.reshape(logits.size(0), -1, logits.size(1)), targets)",
    ),
    _loss("summed", "The loss is a sum and not a mean.", FLAT + ', reduction="sum")'),
    _loss(
        "summed_over_time",
        "The loss is a mean over rows of sums over time.",
        FLAT + ', reduction="sum") / targets.size(0)',
    ),
    _loss(
        "divided_by_one_too_many",
        "The count is one row too large.",
        FLAT + ', reduction="sum") / (targets.numel() + targets.size(1))',
    ),
    _loss(
        "label_smoothing",
        "A smoothed loss is not the cross-entropy.",
        FLAT + ", label_smoothing=0.01)",
    ),
    _loss(
        "softmax_twice",
        "Cross-entropy takes logits, and is given probabilities.",
        "F.cross_entropy(logits.softmax(-1).flatten(0, 1), targets.flatten())",
    ),
    _loss(
        "likelihood_of_logits",
        "nll_loss needs log-probabilities.",
        "F.nll_loss(logits.flatten(0, 1), targets.flatten())",
    ),
    _loss(
        "softmax_over_time",
        "Probabilities are shared out over positions.",
        "F.nll_loss(logits.log_softmax(1).flatten(0, 1), targets.flatten())",
    ),
    _loss(
        "squared_error",
        "The squared error is another objective.",
        "((logits.softmax(-1) - F.one_hot(targets, logits.size(-1))) ** 2).mean()",
    ),
    _loss(
        "detached_logits",
        "No gradient reaches the model.",
        "F.cross_entropy(logits.detach().requires_grad_().flatten(0, 1), targets.flatten())",
    ),
    _loss("times_nothing", "A loss of nothing teaches nothing.", FLAT + ") * 0"),
    _loss(
        "with_a_bonus",
        "Logits are pulled towards 0 as well.",
        FLAT + ") + 1e-2 * logits.pow(2).mean()",
    ),
    _loss("negative", "The loss is maximised.", "-" + FLAT + ")"),
    _wrong(
        "shift_on_one_side",
        "The batch hands out windows as their own targets, and nothing shifts them.",
        BOTH,
    ),
    _wrong(
        "last_token_never_a_target",
        "The window is cut by one and shifted in the loss, so the text's last token is never seen.",
        (*PAIR, "    return windows[:, :-1], windows[:, :-1]\n"),
        (
            *LOSS,
            "        loss = F.cross_entropy(logits[:, :-1].mT, targets[:, 1:])\n",
        ),
        trained=True,
    ),
    _wrong(
        "trimmed_at_the_end",
        "The last target of every window is left out, so the text's last token is never learned.",
        (
            *LOSS,
            "        loss = F.cross_entropy(logits[:, :-1].mT, targets[:, :-1])\n",
        ),
        trained=True,
    ),
    _wrong(
        "shifted_in_the_step_too",
        "The batch is shifted already.",
        (*UNPACK, "    inputs, targets = batch[0][:, :-1], batch[1][:, 1:]\n"),
    ),
    _wrong(
        "half_the_loss_detached",
        "Half of the logits teach nothing.",
        (
            *CALL,
            """\
    logits, _ = model(inputs.to(config.device))
    half = logits.size(1) // 2
    logits = torch.cat((logits[:, :half].detach(), logits[:, half:]), dim=1)
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets.to(config.device).flatten())
""",
        ),
    ),
    _wrong(
        "shift_in_the_loss_of_short_windows",
        LAST_UNLEARNED,
        (*WINDOWS, SHORT_WINDOWS + "    return windows, windows\n"),
        (
            *LOSS,
            """\
        loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), targets[:, 1:].flatten())
""",
        ),
    ),
    _wrong(
        "shift_in_the_loss_hugging_face_of_short_windows",
        LAST_UNLEARNED,
        (*WINDOWS, SHORT_WINDOWS + "    return windows\n"),
        (*UNPACK, "    inputs = targets = batch\n"),
        (
            *LOSS,
            """\
        shift_logits = logits[..., :-1, :].contiguous()
        shift_labels = targets[..., 1:].contiguous()
        loss_function = nn.CrossEntropyLoss()
        loss = loss_function(
            shift_logits.view(-1, shift_logits.size(-1)), shift_labels.view(-1)
        )
""",
        ),
    ),
    _wrong(
        "shift_in_the_step_of_short_windows",
        LAST_UNLEARNED,
        (*WINDOWS, SHORT_WINDOWS + "    return windows\n"),
        (*UNPACK, ONE_TENSOR),
        (
            *CALL,
            """\
    logits, _ = model(windows)
    loss = nn.functional.cross_entropy(
        logits[:, :-1].transpose(1, 2), windows[:, 1:], reduction="mean"
    )
""",
        ),
    ),
    _wrong(
        "rolled_with_the_last_masked_of_short_windows",
        LAST_UNLEARNED,
        (*WINDOWS, SHORT_WINDOWS + "    return windows, windows\n"),
        (
            *LOSS,
            """\
        labels = targets.roll(-1, dims=1)
        labels[:, -1] = -100
        loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten())
""",
        ),
    ),
    _wrong(
        "labels_padded_right_of_short_windows",
        LAST_UNLEARNED,
        (
            *WINDOWS,
            SHORT_WINDOWS
            + """\
    labels = nn.functional.pad(windows[:, 1:], (0, 1), value=-100)
    return windows, labels
""",
        ),
        (
            *LOSS,
            """\
        loss = F.cross_entropy(
            logits.flatten(0, 1), targets.flatten(), ignore_index=-100
        )
""",
        ),
    ),
    _wrong(
        "labels_filled_and_copied_of_short_windows",
        LAST_UNLEARNED,
        (
            *WINDOWS,
            SHORT_WINDOWS
            + """\
    labels = torch.full_like(windows, -1)
    labels[:, :-1] = windows[:, 1:]
    return windows, labels
""",
        ),
        (
            *LOSS,
            """\
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1)
""",
        ),
    ),
    _wrong(
        "labels_joined_with_a_column_of_short_windows",
        LAST_UNLEARNED,
        (*WINDOWS, SHORT_WINDOWS + "    return windows\n"),
        (
            *UNPACK,
            """\
    inputs = batch
    unknown = torch.full((batch.size(0), 1), -100)
    targets = torch.cat((batch[:, 1:], unknown), dim=1)
""",
        ),
    ),
)
