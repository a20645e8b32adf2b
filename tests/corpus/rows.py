"""Right and wrong ways to classify rows, as changes of the reference that does so."""

from . import Fixture

MODEL = "model.py"
CLASSIFY = "classify.py"

POOLING = (
    MODEL,
    """\
        tokens = self.gpt.represent(idx)  # (B, T, C)
        if mask is None:
            mask = torch.ones_like(idx, dtype=torch.bool)
        kept = mask[:, :, None].to(tokens.dtype)
        mean = (tokens * kept).sum(dim=1) / kept.sum(dim=1)  # (B, C)
""",
)
TOKENS = (MODEL, "        tokens = self.gpt.represent(idx)  # (B, T, C)\n")
MEAN = (MODEL, "        mean = (tokens * kept).sum(dim=1) / kept.sum(dim=1)  # (B, C)\n")
KEPT = (MODEL, "        kept = mask[:, :, None].to(tokens.dtype)\n")
LOGITS = (MODEL, "        logits = self.classifier(mean)\n")
LOSS = (MODEL, "        loss = None if labels is None else F.cross_entropy(logits, labels)\n")
MAKING = (MODEL, "        self.classifier = nn.Linear(gpt.config.n_embd, n_classes)\n")
HOLDING = (MODEL, "        self.gpt = gpt\n")
HEAD = (MODEL, "        logits = self.head(self.represent(idx))\n")
STEP = (
    CLASSIFY,
    "        optimizer.zero_grad()\n        loss.backward()\n        optimizer.step()\n",
)
SEEDED = (CLASSIFY, "    torch.manual_seed(seed)\n")
DRAWING = (CLASSIFY, "    generator = torch.Generator().manual_seed(seed)\n")
DRAWN = (
    CLASSIFY,
    "        idx, mask, labels = draw_rows(config.batch_size, config.block_size, generator)\n",
)
OPTIMIZER = (
    CLASSIFY,
    "    optimizer = torch.optim.AdamW(model.parameters(), lr=config.learning_rate)\n",
)
CALLED = (CLASSIFY, "        _, loss = model(idx, mask, labels)\n")
MEASURED = (
    CLASSIFY,
    """\
    was_training = model.training
    model.eval()
    logits, _ = model(idx, mask)
    model.train(was_training)
    return (logits.argmax(dim=-1) == labels).float().mean().item()
""",
)
GIVEN = (CLASSIFY, "    return (logits.argmax(dim=-1) == labels).float().mean().item()\n")
RESTORED = (CLASSIFY, "    model.train(was_training)\n    return")
TOLD = (CLASSIFY, "        losses.append(loss.item())\n")


def _way(name: str, why: str, *changes: tuple[str, str, str]) -> Fixture:
    return Fixture(name, "elsewhere", why, changes)


RIGHT = (
    _way("as_it_is", "Nothing is changed."),
    _way(
        "filled_with_nothing",
        "What is not there adds nothing.",
        (
            *POOLING,
            """\
        tokens = self.gpt.represent(idx)
        if mask is None:
            mean = tokens.mean(dim=1)
        else:
            tokens = tokens.masked_fill(~mask.unsqueeze(-1), 0.0)
            mean = tokens.sum(1) / mask.sum(1, keepdim=True)
""",
        ),
    ),
    _way(
        "row_by_row",
        "Each row's own tokens are averaged.",
        (
            *POOLING,
            """\
        tokens = self.gpt.represent(idx)
        if mask is None:
            mask = idx == idx
        mean = torch.stack([row[there].mean(dim=0) for row, there in zip(tokens, mask)])
""",
        ),
    ),
    _way(
        "by_einsum",
        "The same sum.",
        (
            *MEAN,
            '        mean = torch.einsum("btc,bt->bc", tokens, kept[..., 0]) / kept.sum(dim=1)\n',
        ),
    ),
    _way(
        "by_weights",
        "A mean is a sum of shares.",
        (*MEAN, "        mean = (tokens * (kept / kept.sum(dim=1, keepdim=True))).sum(dim=1)\n"),
    ),
    _way(
        "by_matrix_product",
        "The same sum.",
        (
            *MEAN,
            "        mean = (kept.transpose(1, 2) @ tokens).squeeze(1) / kept.sum(dim=1)\n",
        ),
    ),
    _way(
        "nanmean",
        "What is no number is left out.",
        (
            *MEAN,
            '        mean = tokens.masked_fill(kept == 0, float("nan")).nanmean(dim=1)\n',
        ),
    ),
    _way(
        "never_by_zero",
        "A row holds a token at least.",
        (*MEAN, "        mean = (tokens * kept).sum(dim=1) / kept.sum(dim=1).clamp(min=1)\n"),
    ),
    _way(
        "parameters_by_hand",
        "A matrix and a bias are a linear layer.",
        (
            *MAKING,
            (
                "        self.weight = nn.Parameter(torch.randn(n_classes, gpt.config.n_embd))\n"
                "        self.bias = nn.Parameter(torch.zeros(n_classes))\n"
            ),
        ),
        (*LOGITS, "        logits = F.linear(mean, self.weight, self.bias)\n"),
    ),
    _way(
        "another_name",
        "Names are the learner's.",
        (*HOLDING, "        self.backbone = gpt\n"),
        (*TOKENS, "        tokens = self.backbone.represent(idx)  # (B, T, C)\n"),
    ),
    _way(
        "begun_small",
        "How it begins is free.",
        (*MAKING, MAKING[1] + "        nn.init.normal_(self.classifier.weight, std=0.02)\n"),
    ),
    _way(
        "by_a_hook",
        "What the head reads, however it is had.",
        (
            *TOKENS,
            """\
        read = []
        hook = self.gpt.head.register_forward_pre_hook(lambda _, given: read.append(given[0]))
        self.gpt(idx)
        hook.remove()
        tokens = read[0]
""",
        ),
    ),
    _way(
        "log_softmax_by_hand",
        "The same mean.",
        (
            *LOSS,
            (
                "        loss = None\n"
                "        if labels is not None:\n"
                "            loss = -logits.log_softmax(-1).gather(1, labels[:, None]).mean()\n"
            ),
        ),
    ),
    _way(
        "plain_adam",
        "The optimizer is free.",
        (*OPTIMIZER, "    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)\n"),
    ),
    _way(
        "cleared_behind_the_step",
        "Gradients are none at first.",
        (
            *STEP,
            "        loss.backward()\n        optimizer.step()\n        optimizer.zero_grad()\n",
        ),
    ),
    _way(
        "all_drawn_before",
        "The same rows, drawn at once.",
        (
            *DRAWING,
            DRAWING[1] + "    count = config.batch_size * max(1, config.steps)\n"
            "    every = draw_rows(count, config.block_size, generator)\n"
            "    parts = zip(*(part.split(config.batch_size) for part in every))\n",
        ),
        (*DRAWN, "        idx, mask, labels = next(parts)\n"),
    ),
    _way(
        "counted_by_hand",
        "A share is a sum by a count.",
        (
            *GIVEN,
            "    return int((logits.max(dim=1).indices == labels).sum()) / labels.numel()\n",
        ),
    ),
    _way(
        "restored_at_the_end",
        "The mode is as it was, whatever happens.",
        (
            *MEASURED,
            """\
    was_training = model.training
    try:
        logits = model.eval()(idx, mask)[0]
        return (logits.argmax(dim=1) == labels).double().mean().item()
    finally:
        model.train(was_training)
""",
        ),
    ),
    _way(
        "clipped",
        "How far a step goes is free.",
        (
            *STEP,
            """\
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
""",
        ),
    ),
    _way(
        "scheduled",
        "So is the rate.",
        (
            *OPTIMIZER,
            OPTIMIZER[1]
            + """\
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 3 * config.learning_rate, total_steps=max(config.steps, 1)
    )
""",
        ),
        (*STEP, STEP[1] + "        schedule.step()\n"),
    ),
    _way(
        "loss_in_the_loop",
        "Where it is worked out is free.",
        (
            *CALLED,
            """\
        logits, _ = model(idx, mask)
        loss = torch.nn.functional.cross_entropy(logits, labels)
""",
        ),
    ),
    _way(
        "in_two_halves",
        "Gradients add up to that of all.",
        (*CALLED, ""),
        (
            *STEP,
            """\
        optimizer.zero_grad()
        total = 0.0
        for part in zip(idx.chunk(2), mask.chunk(2), labels.chunk(2)):
            loss = model(*part)[1] * len(part[0]) / len(idx)
            loss.backward()
            total += loss.item()
        optimizer.step()
""",
        ),
        (*TOLD, "        losses.append(total)\n"),
    ),
    _way(
        "cut_to_the_longest",
        "What fills all rows up need not be read.",
        (
            *CALLED,
            """\
        longest = int(mask.sum(1).max())
        _, loss = model(idx[:, :longest], mask[:, :longest], labels)
""",
        ),
    ),
    _way(
        "two_rates",
        "The optimizer is free.",
        (
            *OPTIMIZER,
            """\
    head = {"params": model.classifier.parameters(), "lr": 3 * config.learning_rate}
    groups = [{"params": model.gpt.parameters()}, head]
    optimizer = torch.optim.AdamW(groups, lr=config.learning_rate)
""",
        ),
    ),
    _way(
        "measured_in_any_mode",
        "There is no dropout, and the mode makes no difference.",
        (
            *MEASURED,
            """\
    logits, _ = model(idx, mask)
    return (logits.argmax(dim=-1) == labels).float().mean().item()
""",
        ),
    ),
)

WRONG = (
    _way(
        "padding_in_the_sum",
        "What fills up is added.",
        (*MEAN, "        mean = tokens.sum(dim=1) / kept.sum(dim=1)\n"),
    ),
    _way(
        "padding_in_the_count",
        "Short rows are made small.",
        (*MEAN, "        mean = (tokens * kept).mean(dim=1)\n"),
    ),
    _way(
        "padding_in_both",
        "The mask is not used.",
        (*MEAN, "        mean = tokens.mean(dim=1)\n"),
    ),
    _way(
        "mask_turned_round",
        "Only what fills up is counted.",
        (*KEPT, "        kept = (~mask)[:, :, None].to(tokens.dtype)\n"),
        (*MEAN, MEAN[1].replace("kept.sum(dim=1)", "kept.sum(dim=1).clamp(min=1)")),
    ),
    _way(
        "sum",
        "Long rows are made large.",
        (*MEAN, "        mean = (tokens * kept).sum(dim=1)\n"),
    ),
    _way(
        "last_place",
        "It is no mean, and may be padding.",
        (*MEAN, "        mean = tokens[:, -1]\n"),
    ),
    _way(
        "last_token",
        "It is no mean.",
        (*MEAN, "        mean = tokens[torch.arange(len(idx)), mask.sum(dim=1) - 1]\n"),
    ),
    _way(
        "first_token",
        "It has seen nothing of the row.",
        (*MEAN, "        mean = tokens[:, 0]\n"),
    ),
    _way(
        "greatest",
        "It is no mean.",
        (*MEAN, "        mean = tokens.masked_fill(kept == 0, -1e9).amax(dim=1)\n"),
    ),
    _way(
        "mean_over_the_batch",
        "Rows are mixed.",
        (
            *MEAN,
            "        mean = (tokens * kept).sum(dim=(0, 1)).expand(len(idx), -1) / kept.sum()\n",
        ),
    ),
    _way(
        "whole_batch_counted",
        "Each row is divided by how many tokens all have.",
        (*MEAN, "        mean = (tokens * kept).sum(dim=1) / kept.sum() * len(idx)\n"),
    ),
    _way(
        "mean_over_the_width",
        "It averages what does not belong together.",
        (
            *MEAN,
            (
                "        mean = (tokens * kept).mean(dim=2, keepdim=True).mean(dim=1)\n"
                "        mean = mean.expand(-1, tokens.size(-1))\n"
            ),
        ),
    ),
    _way(
        "longest_mask_for_all",
        "The first row's length is taken for every row's.",
        (*KEPT, "        kept = mask[:1, :, None].expand(len(idx), -1, -1).to(tokens.dtype)\n"),
    ),
    _way(
        "one_place_too_many",
        "The mask is a place too long.",
        (*KEPT, "        mask = mask | mask.roll(1, 1)\n" + KEPT[1]),
    ),
    _way(
        "logits_averaged_without_the_mask",
        "The mean of logits is the logits of the mean, but for padding.",
        (*LOGITS, "        logits = self.classifier(tokens).mean(dim=1)\n"),
    ),
    _way(
        "before_the_norm",
        "The head reads what the norm gives.",
        (
            MODEL,
            "        return self.ln_f(x)\n",
            "        return x\n",
        ),
        (*HEAD, "        logits = self.head(self.ln_f(self.represent(idx)))\n"),
    ),
    _way(
        "logits_of_tokens",
        "A layer behind the head is another classifier.",
        (*MAKING, "        self.classifier = nn.Linear(gpt.config.vocab_size, n_classes)\n"),
        (*TOKENS, "        tokens = self.gpt(idx)[0]\n"),
    ),
    _way(
        "two_layers",
        "It is to be a linear layer.",
        (
            *MAKING,
            (
                "        width = gpt.config.n_embd\n"
                "        self.classifier = nn.Sequential(nn.Linear(width, 8), nn.Linear(8, 4))\n"
            ),
        ),
    ),
    _way(
        "no_bias",
        "The layer has one.",
        (*MAKING, MAKING[1].replace("n_classes)", "n_classes, bias=False)")),
    ),
    _way(
        "always_three",
        "n_classes says how many there are.",
        (*MAKING, MAKING[1].replace("n_classes", "3")),
    ),
    _way(
        "a_gpt_of_its_own",
        "It is to hold the one that it is given.",
        (*HOLDING, "        self.gpt = GPT(gpt.config)\n"),
    ),
    _way(
        "detached",
        "The GPT is never taught.",
        (*TOKENS, "        tokens = self.gpt.represent(idx).detach()\n"),
    ),
    _way(
        "loss_of_probabilities",
        "cross_entropy takes logits.",
        (*LOSS, LOSS[1].replace("(logits, labels)", "(logits.softmax(-1), labels)")),
    ),
    _way(
        "loss_summed",
        "It is a mean over rows.",
        (*LOSS, LOSS[1].replace("(logits, labels)", '(logits, labels, reduction="sum")')),
    ),
    _way(
        "loss_of_the_first_row",
        "Every row is to be learned.",
        (*LOSS, LOSS[1].replace("(logits, labels)", "(logits[:1], labels[:1])")),
    ),
    _way(
        "loss_always",
        "Without labels there is none.",
        (
            *LOSS,
            "        loss = logits.sum() if labels is None else F.cross_entropy(logits, labels)\n",
        ),
    ),
    _way(
        "no_step",
        "Nothing is learned.",
        (*STEP, "        optimizer.zero_grad()\n        loss.backward()\n"),
    ),
    _way(
        "gpt_not_trained",
        "Only the classifier is handed to the optimizer.",
        (
            *OPTIMIZER,
            OPTIMIZER[1].replace("model.parameters()", "model.classifier.parameters()"),
        ),
    ),
    _way(
        "not_seeded",
        "The seed does not decide how it begins.",
        (*SEEDED, ""),
    ),
    _way(
        "seeded_always_alike",
        "Another seed leads to the same.",
        (*SEEDED, "    seed = 0\n    torch.manual_seed(seed)\n"),
    ),
    _way(
        "labels_of_other_rows",
        "Each row is taught the class of another.",
        (*DRAWN, DRAWN[1] + "        labels = labels.roll(1)\n"),
    ),
    _way(
        "one_batch_alone",
        "It knows those rows by heart.",
        (*DRAWN, DRAWN[1].replace("generator)", "torch.Generator().manual_seed(seed))")),
        (CLASSIFY, "    batch_size: int = 32\n", "    batch_size: int = 6\n"),
    ),
    _way(
        "losses_told_once",
        "Each step has a loss.",
        (*TOLD, "    losses.append(loss.item() if config.steps else 0.0)\n"),
    ),
    _way(
        "accuracy_without_the_mask",
        "Padding counts where it is measured.",
        (CLASSIFY, "    logits, _ = model(idx, mask)\n", "    logits, _ = model(idx)\n"),
    ),
    _way(
        "accuracy_of_the_batch",
        "All rows are right, or none.",
        (*GIVEN, "    return float((logits.argmax(dim=-1) == labels).all())\n"),
    ),
    _way(
        "accuracy_always_one",
        "It is no measurement.",
        (*GIVEN, "    return 1.0\n"),
    ),
    _way(
        "mode_left_behind",
        "What trains on would train in eval mode.",
        (*RESTORED, "    return"),
    ),
    _way(
        "batch_of_one_squeezed",
        "One row has an axis of length 1.",
        (*MEAN, "        mean = (tokens * kept).sum(dim=1) / kept.sum(dim=1).squeeze()[:, None]\n"),
    ),
    _way(
        "never_cleared",
        "Gradients of all steps before are added.",
        (*STEP, "        loss.backward()\n        optimizer.step()\n"),
    ),
    _way(
        "trained_on_padding",
        "It is trained on other means than it is asked for.",
        (*CALLED, "        _, loss = model(idx, labels=labels)\n"),
    ),
    _way(
        "losses_averaged",
        "Each step has a loss of its own.",
        (*TOLD, "        losses.append((sum(losses) + loss.item()) / (len(losses) + 1))\n"),
    ),
    _way(
        "losses_by_rows",
        "A loss is a mean.",
        (*TOLD, "        losses.append(loss.item() * len(idx))\n"),
    ),
    _way(
        "batches_of_32",
        "batch_size says how many.",
        (*DRAWN, "        idx, mask, labels = draw_rows(32, config.block_size, generator)\n"),
    ),
    _way(
        "positions_by_default",
        "block_size says how many.",
        (CLASSIFY, "block_size=config.block_size))\n", "block_size=16))\n"),
    ),
    _way(
        "measured_with_gradients",
        "A graph is kept that nobody needs.",
        (CLASSIFY, "@torch.no_grad()\ndef accuracy", "def accuracy"),
    ),
    _way(
        "smoothed_in_training",
        "The loss that is learned is another than the one asked for.",
        (
            *LOSS,
            """\
        smoothing = 0.1 if self.training else 0.0
        loss = None
        if labels is not None:
            loss = F.cross_entropy(logits, labels, label_smoothing=smoothing)
""",
        ),
    ),
    _way(
        "smoothed_in_the_loop",
        "So it is here.",
        (
            *CALLED,
            """\
        logits, _ = model(idx, mask)
        loss = torch.nn.functional.cross_entropy(logits, labels, label_smoothing=0.2)
""",
        ),
    ),
    _way(
        "four_rows_of_all",
        "The rest is thrown away.",
        (*DRAWN, DRAWN[1] + "        idx, mask, labels = idx[:4], mask[:4], labels[:4]\n"),
    ),
    _way(
        "two_labels_lost",
        "They are of another class.",
        (*DRAWN, DRAWN[1] + "        labels[:2] = 0\n"),
    ),
    _way(
        "begun_always_alike",
        "The seed decides how it begins, too.",
        (*SEEDED, "    torch.manual_seed(1337)\n"),
    ),
)
