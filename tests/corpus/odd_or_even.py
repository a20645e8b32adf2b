"""Right and wrong ways to classify tokens, as changes of the reference that does so."""

from . import Fixture

MODEL = "model.py"
TRAIN = "train.py"

MAKING = (
    MODEL,
    """\
        self.classifier = None
        if config.n_classes:
            self.classifier = nn.Linear(config.n_embd, config.n_classes)
""",
)
READING = (
    MODEL,
    """\
        hidden = self.ln_f(x)
        logits = self.head(hidden)
        loss = None
        if targets is not None:
            loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        if self.classifier is None:
            return logits, loss
        class_logits = self.classifier(hidden)
        if labels is not None:
            class_loss = F.cross_entropy(class_logits.flatten(0, 1), labels.flatten())
            loss = class_loss if loss is None else loss + class_loss
        return logits, loss, class_logits
""",
)
CLASSES = (MODEL, "        class_logits = self.classifier(hidden)\n")
CLASS_LOSS = (
    MODEL,
    "            class_loss = F.cross_entropy(class_logits.flatten(0, 1), labels.flatten())\n",
)
SUM = (MODEL, "            loss = class_loss if loss is None else loss + class_loss\n")
WITHOUT = (MODEL, "        if self.classifier is None:\n            return logits, loss\n")
LOGITS = (MODEL, "        hidden = self.ln_f(x)\n        logits = self.head(hidden)\n")
LABELS = (TRAIN, "    labels = inputs % 2 if config.n_classes else None\n")
STEP = (
    TRAIN,
    (
        "    labels = inputs % 2 if config.n_classes else None\n"
        "    _, loss, *_ = model(inputs, targets, labels)\n"
    ),
)
MEASURED = (
    TRAIN,
    """\
    was_training = model.training
    model.eval()
    _, _, class_logits = model(idx)
    model.train(was_training)
    return (class_logits.argmax(dim=-1) == idx % 2).float().mean().item()
""",
)
GIVEN = (TRAIN, "    return (class_logits.argmax(dim=-1) == idx % 2).float().mean().item()\n")
RESTORED = (TRAIN, "    model.train(was_training)\n    return")
SIZED = (TRAIN, '    sizes = {"block_size": config.block_size, "n_classes": config.n_classes}\n')
BUILT = (TRAIN, SIZED[1] + "    model = GPT(GPTConfig(vocab_size=len(vocabulary), **sizes))\n")
GENERATING = (MODEL, "            logits, *_ = self(context)\n")


def _way(name: str, why: str, *changes: tuple[str, str, str]) -> Fixture:
    return Fixture(name, "elsewhere", why, changes)


RIGHT = (
    _way("as_it_is", "Nothing is changed."),
    _way(
        "always_a_list",
        "A list of heads is a classifier, too.",
        (
            *MAKING,
            (
                "        sizes = [config.n_classes] if config.n_classes else []\n"
                "        self.heads = nn.ModuleList(nn.Linear(config.n_embd, n) for n in sizes)\n"
            ),
        ),
        (*WITHOUT, "        if not self.heads:\n            return logits, loss\n"),
        (*CLASSES, "        class_logits = self.heads[0](hidden)\n"),
    ),
    _way(
        "parameters_by_hand",
        "A matrix and a bias are a linear layer.",
        (
            *MAKING,
            """\
        self.classes = config.n_classes
        if config.n_classes:
            self.class_weight = nn.Parameter(0.02 * torch.randn(config.n_classes, config.n_embd))
            self.class_bias = nn.Parameter(torch.zeros(config.n_classes))
""",
        ),
        (*WITHOUT, "        if not self.classes:\n            return logits, loss\n"),
        (*CLASSES, "        class_logits = F.linear(hidden, self.class_weight, self.class_bias)\n"),
    ),
    _way(
        "begun_at_zero",
        "How it begins is free.",
        (
            MODEL,
            "        self.apply(self.init_weights)\n",
            (
                "        self.apply(self.init_weights)\n"
                "        if self.classifier is not None:\n"
                "            nn.init.zeros_(self.classifier.weight)\n"
            ),
        ),
    ),
    _way(
        "classes_first",
        "The order of the two heads does not matter.",
        (
            *READING,
            """\
        x = self.ln_f(x)
        class_logits = None if self.classifier is None else self.classifier(x)
        logits = self.head(x)
        losses = []
        if targets is not None:
            losses.append(F.cross_entropy(logits.flatten(0, 1), targets.flatten()))
        if labels is not None:
            losses.append(F.cross_entropy(class_logits.flatten(0, 1), labels.flatten()))
        loss = sum(losses) if losses else None
        return (logits, loss) if class_logits is None else (logits, loss, class_logits)
""",
        ),
    ),
    _way(
        "axis_moved",
        "cross_entropy takes classes on the second axis.",
        (
            *CLASS_LOSS,
            "            class_loss = F.cross_entropy(class_logits.transpose(1, 2), labels)\n",
        ),
    ),
    _way(
        "log_softmax_by_hand",
        "The same mean.",
        (
            *CLASS_LOSS,
            (
                "            told = class_logits.log_softmax(-1).gather(-1, labels[..., None])\n"
                "            class_loss = -told.mean()\n"
            ),
        ),
    ),
    _way(
        "added_from_the_other_side",
        "A sum of two.",
        (*SUM, "            loss = class_loss + (0 if loss is None else loss)\n"),
    ),
    _way(
        "labels_by_a_bit",
        "The last bit says whether a number is odd.",
        (*LABELS, "    labels = inputs & 1 if config.n_classes else None\n"),
    ),
    _way(
        "labels_by_remainder",
        "The same.",
        (*LABELS, "    labels = inputs.remainder(2) if config.n_classes > 0 else None\n"),
    ),
    _way(
        "losses_added_in_the_loop",
        "Where they are added is free.",
        (
            *STEP,
            """\
    if config.n_classes:
        _, loss, _ = model(inputs, targets)
        _, class_loss, _ = model(inputs, labels=inputs % 2)
        loss = loss + class_loss
    else:
        _, loss = model(inputs, targets)
""",
        ),
    ),
    _way(
        "labels_always",
        "A model without a classifier has no use for them.",
        (
            *READING,
            READING[1].replace(
                "        if labels is not None:\n",
                "        if labels is not None and self.classifier is not None:\n",
            ),
        ),
        (*LABELS, "    labels = inputs % 2\n"),
    ),
    _way(
        "counted_by_hand",
        "A share is a sum by a count.",
        (
            *GIVEN,
            (
                "    right = class_logits.argmax(dim=-1).eq(idx.remainder(2)).sum().item()\n"
                "    return right / idx.numel()\n"
            ),
        ),
    ),
    _way(
        "by_the_greater_of_two",
        "Of two logits the greater is known by comparing them.",
        (
            *GIVEN,
            (
                "    says_odd = class_logits[..., 1] > class_logits[..., 0]\n"
                "    return (says_odd == (idx % 2 == 1)).double().mean().item()\n"
            ),
        ),
    ),
    _way(
        "restored_at_the_end",
        "The mode is as it was, whatever happens.",
        (
            *MEASURED,
            """\
    was_training = model.training
    model.eval()
    try:
        class_logits = model(idx)[-1]
        return (class_logits.argmax(-1) == idx % 2).float().mean().item()
    finally:
        model.train(was_training)
""",
        ),
    ),
    _way(
        "row_by_row",
        "Rows are equally long, so that the mean of their shares is the share.",
        (
            *GIVEN,
            (
                "    rows = (class_logits.argmax(dim=-1) == idx % 2).float().mean(dim=1)\n"
                "    return float(rows.mean())\n"
            ),
        ),
    ),
    _way(
        "sizes_by_position",
        "The same sizes.",
        (
            *BUILT,
            (
                "    n_classes, block_size = config.n_classes, config.block_size\n"
                "    model = GPT(GPTConfig(len(vocabulary), n_classes, block_size))\n"
            ),
        ),
    ),
    _way(
        "shifted_in_the_loss",
        "Where labels of the language are shifted is free.",
        (
            TRAIN,
            "    return windows[:, :-1], windows[:, 1:]\n",
            "    return windows[:, :-1], windows\n",
        ),
        (
            MODEL,
            "F.cross_entropy(logits.flatten(0, 1), targets.flatten())",
            "F.cross_entropy(logits.flatten(0, 1), targets[:, 1:].flatten())",
        ),
    ),
    _way(
        "first_of_what_is_given",
        "generate needs the logits of tokens alone.",
        (*GENERATING, "            logits = self(context)[0]\n"),
    ),
    _way(
        "norm_worked_out_twice",
        "The same numbers.",
        (*CLASSES, "        class_logits = self.classifier(self.ln_f(x))\n"),
    ),
    _way(
        "measured_in_inference_mode",
        "Nothing is kept for gradients there either.",
        (TRAIN, "@torch.no_grad()\ndef accuracy", "@torch.inference_mode()\ndef accuracy"),
    ),
    _way(
        "a_copy_measured",
        "The mode of a copy is nobody's.",
        (
            *MEASURED,
            """\
    import copy

    measured = copy.deepcopy(model).eval()
    found = measured(idx)[2].argmax(-1)
    return (found == idx.remainder(2)).double().mean().item()
""",
        ),
    ),
    _way(
        "picked_by_gather",
        "The same mean.",
        (
            *CLASS_LOSS,
            """\
            picked = class_logits.log_softmax(-1).gather(-1, labels[..., None])
            class_loss = -picked.mean()
""",
        ),
    ),
    _way(
        "measured_in_any_mode",
        "There is no dropout, and the mode makes no difference.",
        (
            *MEASURED,
            """\
    _, _, class_logits = model(idx)
    return (class_logits.argmax(dim=-1) == idx % 2).float().mean().item()
""",
        ),
    ),
)

WRONG = (
    _way(
        "labels_of_the_targets",
        "The class of the next token is learned.",
        (*LABELS, "    labels = targets % 2 if config.n_classes else None\n"),
    ),
    _way(
        "labels_turned_round",
        "Odd is 1.",
        (*LABELS, "    labels = (inputs + 1) % 2 if config.n_classes else None\n"),
    ),
    _way(
        "labels_of_the_first_token",
        "Each token has a class of its own.",
        (
            *LABELS,
            "    labels = (inputs[:, :1] % 2).expand_as(inputs) if config.n_classes else None\n",
        ),
    ),
    _way(
        "labels_of_places",
        "A token's place is not its number.",
        (
            *LABELS,
            (
                "    labels = torch.arange(inputs.size(1)).expand_as(inputs) % 2\n"
                "    labels = labels if config.n_classes else None\n"
            ),
        ),
    ),
    _way(
        "labels_rolled",
        "They are a place too far.",
        (*LABELS, "    labels = inputs.roll(1, 1) % 2 if config.n_classes else None\n"),
    ),
    _way(
        "reads_before_the_norm",
        "The head reads the stream behind the last LayerNorm.",
        (*CLASSES, "        class_logits = self.classifier(x)\n"),
    ),
    _way(
        "reads_the_tokens",
        "It is to read what the head reads.",
        (*CLASSES, "        class_logits = self.classifier(self.tok_emb(idx))\n"),
    ),
    _way(
        "reads_the_mean",
        "That is one class for a whole row.",
        (
            *CLASSES,
            (
                "        mean = hidden.mean(dim=1, keepdim=True).expand_as(hidden)\n"
                "        class_logits = self.classifier(mean)\n"
            ),
        ),
    ),
    _way(
        "reads_what_was_before",
        "Each place gets the class of the one before it.",
        (*CLASSES, "        class_logits = self.classifier(hidden.roll(1, 1))\n"),
    ),
    _way(
        "reads_it_detached",
        "Its loss teaches the classifier and nothing else.",
        (*CLASSES, "        class_logits = self.classifier(hidden.detach())\n"),
    ),
    _way(
        "no_bias",
        "The layer has one.",
        (*MAKING, MAKING[1].replace("config.n_classes)\n", "config.n_classes, bias=False)\n")),
    ),
    _way(
        "two_layers",
        "It is to be a linear layer.",
        (
            *MAKING,
            MAKING[1].replace(
                "nn.Linear(config.n_embd, config.n_classes)",
                "nn.Sequential(nn.Linear(config.n_embd, 8), nn.Linear(8, config.n_classes))",
            ),
        ),
    ),
    _way(
        "always_two",
        "n_classes says how many there are.",
        (*MAKING, MAKING[1].replace("config.n_embd, config.n_classes", "config.n_embd, 2")),
    ),
    _way(
        "made_in_any_case",
        "Without classes there is to be nothing more.",
        (
            *MAKING,
            (
                "        self.n_classes = config.n_classes\n"
                "        self.classifier = nn.Linear(config.n_embd, max(1, config.n_classes))\n"
            ),
        ),
        (*WITHOUT, "        if not self.n_classes:\n            return logits, loss\n"),
    ),
    _way(
        "drawn_before_the_rest",
        "What is drawn behind it is another number, though nothing is classified.",
        (
            MODEL,
            "        self.blocks = nn.ModuleList",
            "        torch.rand(max(1, config.n_classes))\n        self.blocks = nn.ModuleList",
        ),
    ),
    _way(
        "always_three",
        "Without classes forward gives two things.",
        (*WITHOUT, "        if self.classifier is None:\n            return logits, loss, None\n"),
        (TRAIN, "    _, _, class_logits = model(idx)\n", "    class_logits = model(idx)[-1]\n"),
    ),
    _way(
        "never_three",
        "The logits of classes are to be given.",
        (MODEL, "        return logits, loss, class_logits\n", "        return logits, loss\n"),
        (
            TRAIN,
            "    _, _, class_logits = model(idx)\n",
            "    class_logits = model.classifier(model.ln_f(model.tok_emb(idx)))\n",
        ),
    ),
    _way(
        "class_loss_left_out",
        "The classes are never learned.",
        (*SUM, "            loss = class_loss if loss is None else loss\n"),
    ),
    _way(
        "class_loss_alone",
        "The language is learned no more.",
        (*SUM, "            loss = class_loss\n"),
    ),
    _way(
        "losses_averaged",
        "The loss is their sum.",
        (*SUM, "            loss = class_loss if loss is None else (loss + class_loss) / 2\n"),
    ),
    _way(
        "class_loss_summed",
        "It is a mean over tokens.",
        (
            *CLASS_LOSS,
            (
                "            class_loss = F.cross_entropy(\n"
                '                class_logits.flatten(0, 1), labels.flatten(), reduction="sum"\n'
                "            )\n"
            ),
        ),
    ),
    _way(
        "rows_of_classes_mixed",
        "A view that puts the numbers of one token under others.",
        (
            *CLASS_LOSS,
            (
                "            rows = class_logits.transpose(1, 2).reshape(labels.numel(), -1)\n"
                "            class_loss = F.cross_entropy(rows, labels.flatten())\n"
            ),
        ),
    ),
    _way(
        "last_token_alone",
        "Every token is to be learned.",
        (
            *CLASS_LOSS,
            "            class_loss = F.cross_entropy(class_logits[:, -1], labels[:, -1])\n",
        ),
    ),
    _way(
        "softmax_first",
        "cross_entropy takes logits.",
        (
            *CLASS_LOSS,
            (
                "            class_loss = F.cross_entropy(\n"
                "                class_logits.softmax(-1).flatten(0, 1), labels.flatten()\n"
                "            )\n"
            ),
        ),
    ),
    _way(
        "language_given_up_for_labels",
        "The loss of tokens is asked for, too.",
        (
            MODEL,
            "        if targets is not None:\n",
            "        if targets is not None and labels is None:\n",
        ),
    ),
    _way(
        "accuracy_of_the_next_token",
        "It holds a token's class against the one before.",
        (
            *GIVEN,
            (
                "    right = class_logits[:, :-1].argmax(dim=-1) == idx[:, 1:] % 2\n"
                "    return right.float().mean().item()\n"
            ),
        ),
    ),
    _way(
        "accuracy_of_whole_rows",
        "A row counts where all of it is right.",
        (
            *GIVEN,
            (
                "    rows = (class_logits.argmax(dim=-1) == idx % 2).all(dim=1)\n"
                "    return rows.float().mean().item()\n"
            ),
        ),
    ),
    _way(
        "accuracy_of_the_last_token",
        "It is to count all.",
        (
            *GIVEN,
            (
                "    right = class_logits[:, -1].argmax(dim=-1) == idx[:, -1] % 2\n"
                "    return right.float().mean().item()\n"
            ),
        ),
    ),
    _way(
        "accuracy_always_one",
        "It is no measurement.",
        (*GIVEN, "    return 1.0\n"),
    ),
    _way(
        "accuracy_in_hundredths",
        "A share goes from 0 to 1.",
        (
            *GIVEN,
            "    return 100 * (class_logits.argmax(dim=-1) == idx % 2).float().mean().item()\n",
        ),
    ),
    _way(
        "mode_left_behind",
        "What trains on would train in eval mode.",
        (*RESTORED, "    return"),
    ),
    _way(
        "always_training_behind_it",
        "It was in eval mode before.",
        (*RESTORED, "    model.train()\n    return"),
    ),
    _way(
        "language_forgotten",
        "Behind the first steps the language is taught nothing that is true.",
        (
            TRAIN,
            "        batch = get_batch(data, config, generator)\n",
            (
                "        batch = get_batch(data, config, generator)\n"
                "        if config.n_classes and step > 3:\n"
                "            batch = batch[0], torch.zeros_like(batch[1])\n"
            ),
        ),
    ),
    _way(
        "generates_otherwise",
        "With a classifier the likeliest token is not taken.",
        (
            *GENERATING,
            (
                "            logits, *_ = self(context)\n"
                "            logits = logits if self.classifier is None else -logits\n"
            ),
        ),
    ),
    _way(
        "generates_without_alone",
        "With a classifier forward gives three things.",
        (*GENERATING, "            logits, _ = self(context)\n"),
    ),
    _way(
        "built_without_classes",
        "train never makes a classifier.",
        (*SIZED, '    sizes = {"block_size": config.block_size}\n'),
    ),
    _way(
        "other_logits_with_classes",
        "The logits of tokens change where they are classified.",
        (
            *LOGITS,
            (
                "        hidden = self.ln_f(x)\n"
                "        if self.classifier is not None:\n"
                "            hidden = hidden * 1.001\n"
                "        logits = self.head(hidden)\n"
            ),
        ),
    ),
    _way(
        "single_tokens_squeezed",
        "A row of one token has an axis of length 1.",
        (*CLASSES, "        class_logits = self.classifier(hidden).squeeze(1)\n"),
    ),
    _way(
        "measured_with_gradients",
        "A graph is kept that nobody needs.",
        (TRAIN, "@torch.no_grad()\ndef accuracy", "def accuracy"),
    ),
    _way(
        "classifier_not_trained",
        "The optimizer never gets it.",
        (
            TRAIN,
            "        model.parameters(), lr=config.learning_rate,",
            "        [p for p in model.parameters() if len(p) != 2], lr=config.learning_rate,",
        ),
    ),
    _way(
        "classifier_not_clipped",
        "The gradients of all parameters are clipped.",
        (
            TRAIN,
            "clip_grad_norm_(model.parameters(), config.grad_clip)",
            "clip_grad_norm_([p for p in model.parameters() if len(p) != 2], config.grad_clip)",
        ),
    ),
    _way(
        "main_without_classes",
        "It is to train both.",
        (TRAIN, ", n_classes=2)\n", ")\n"),
        (
            TRAIN,
            '    print(f"odd or even: {accuracy(model, unseen):.0%} of',
            '    print(f"{len(unseen)} of',
        ),
    ),
    _way(
        "main_without_accuracy",
        "It is to print how many are right.",
        (TRAIN, "{accuracy(model, unseen):.0%} of", "of"),
    ),
    _way(
        "smoothed_in_training",
        "The loss that is learned is another than the one asked for.",
        (
            *CLASS_LOSS,
            """\
            smoothing = 0.1 if self.training else 0.0
            class_loss = F.cross_entropy(
                class_logits.flatten(0, 1), labels.flatten(), label_smoothing=smoothing
            )
""",
        ),
    ),
    _way(
        "classes_weighted",
        "Every token counts alike.",
        (
            *CLASS_LOSS,
            """\
            counts = labels.flatten().bincount(minlength=class_logits.size(-1)).float()
            class_loss = F.cross_entropy(
                class_logits.flatten(0, 1), labels.flatten(), weight=1 / counts.clamp(min=1)
            )
""",
        ),
    ),
    _way(
        "even_ones_ignored",
        "0 is a class like any other.",
        (
            *CLASS_LOSS,
            """\
            class_loss = F.cross_entropy(
                class_logits.flatten(0, 1), labels.flatten(), ignore_index=0
            )
""",
        ),
    ),
    _way(
        "draws_from_classes",
        "Greedy tokens are right, and drawn ones are classes.",
        (
            *GENERATING,
            """\
            if temperature == 0 or self.classifier is None:
                logits, *_ = self(context)
            else:
                logits = self(context)[2]
""",
        ),
    ),
)
