"""Right programs whose training is divided into functions in another way, or in none."""

from . import Fixture
from .places import (
    ADD_POSITIONS,
    BACKWARD,
    CALL,
    CLIP,
    CROP,
    CUT,
    DATA_FOR_BATCH,
    LAST_LOGITS,
    LEARN,
    LEARN_BATCH,
    LOOP,
    LOSS,
    MODEL_MADE,
    OPTIMIZER_MADE,
    POSITION_TABLE,
    RETURN_LOSS,
    STEP,
    STEP_HEAD,
    TRAIN,
    UNPACK,
    VOCABULARY,
    WINDOWS,
    ZERO_GRAD,
)

RETURN = (TRAIN, "    return model, vocabulary, losses\n")


def _right(
    name: str, why: str, *changes: tuple[str, str, str], relies_on: frozenset[str] = frozenset()
) -> Fixture:
    return Fixture(name, "training_step", why, changes, relies_on=relies_on)


def _deeper(block: str) -> str:
    return "".join(f"    {line}" for line in block.splitlines(keepends=True))


INLINE = (
    DATA_FOR_BATCH[1].replace("batch = ", "inputs, targets = ")
    + _deeper(CALL[1] + LEARN[1])
    + "        losses.append(loss.item())\n"
)
BODY = DATA_FOR_BATCH[1] + LEARN_BATCH[1]

LOOPS = (
    _right(
        "step_written_out_in_train",
        "The loop does what the step did.",
        (TRAIN, BODY, INLINE),
    ),
    _right(
        "step_gone",
        "Nothing but train needs the step.",
        (TRAIN, STEP_HEAD[1], "def unused(model, optimizer, batch, config):\n"),
        (TRAIN, BODY, INLINE),
    ),
    _right(
        "helpers_renamed_and_rearranged",
        "What helpers are called, and what they take, is nobody's business.",
        (*STEP_HEAD, "def learn(optimizer, model, config, inputs, targets):\n"),
        (*UNPACK, ""),
        (*LEARN_BATCH, "        losses.append(learn(optimizer, model, config, *batch))\n"),
    ),
    _right(
        "optimizer_made_in_train",
        "Where the optimizer is made does not matter.",
        (
            *OPTIMIZER_MADE,
            """\
    optimizer = torch.optim.AdamW(
        params=[p for p in model.parameters() if p.requires_grad],
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
    )
""",
        ),
    ),
    _right(
        "loop_in_a_class",
        "A trainer holds what belongs together.",
        (
            *STEP_HEAD,
            """\
class Trainer:
    def __init__(self, model, config):
        self.model, self.config = model, config
        self.optimizer = make_optimizer(model, config)

    def fit(self, batch, step):
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(step, self.config)
        return train_step(self.model, self.optimizer, batch, self.config)


"""
            + STEP_HEAD[1],
        ),
        (*OPTIMIZER_MADE, "    trainer = Trainer(model, config)\n"),
        (
            *LOOP,
            """\
    for step in range(config.steps):
        losses.append(trainer.fit(get_batch(data, config, generator), step))
""",
        ),
    ),
    _right(
        "halves_accumulated",
        "Two halves of a batch, weighted by their rows, have the gradient of the whole.",
        (
            TRAIN,
            CALL[1] + LEARN[1] + RETURN_LOSS[1],
            ZERO_GRAD[1]
            + """\
    total = 0.0
    for rows, wanted in zip(inputs.split(2), targets.split(2)):
        loss = model(rows, wanted)[1] * len(rows) / len(inputs)
        loss.backward()
        total += loss.item()
"""
            + CLIP[1]
            + STEP[1]
            + "    return total\n",
        ),
    ),
    _right(
        "closure_in_the_loop",
        "The optimizer may ask for the gradients itself.",
        (
            TRAIN,
            BODY,
            DATA_FOR_BATCH[1].replace("batch = ", "inputs, targets = ")
            + """\

        def closure():
            optimizer.zero_grad()
            loss = model(inputs, targets)[1]
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), config.grad_clip)
            return loss

        losses.append(float(optimizer.step(closure)))
""",
        ),
    ),
    _right(
        "evaluated_on_the_way",
        "Looking at the loss, gradients off, teaches nothing and harms nothing.",
        (
            *LEARN_BATCH,
            LEARN_BATCH[1]
            + """\
        if step % 2 == 0:
            with torch.no_grad():
                model.eval()
                model(*get_batch(data, config, torch.Generator().manual_seed(0)))
                model.train()
""",
        ),
    ),
    _right(
        "sampled_on_the_way",
        "A sample now and then shows how it goes.",
        (
            *LEARN_BATCH,
            LEARN_BATCH[1]
            + """\
        if step % 50 == 0:
            sample(model, vocabulary, text[:4], 3)
""",
        ),
    ),
    _right(
        "batches_from_a_generator_function",
        "Batches may come one after another.",
        (
            *STEP_HEAD,
            """\
def batches(data, config, generator):
    while True:
        yield get_batch(data, config, generator)


"""
            + STEP_HEAD[1],
        ),
        (
            *LOOP,
            """\
    for step, batch in zip(range(config.steps), batches(data, config, generator)):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, config)
        losses.append(train_step(model, optimizer, batch, config))
""",
        ),
    ),
    _right(
        "windows_without_a_generator",
        "torch's own generator is seeded, too.",
        (
            *DATA_FOR_BATCH,
            DATA_FOR_BATCH[1].replace("generator", "None"),
        ),
    ),
    _right(
        "windows_from_a_dataset",
        "A sampler of torch's draws windows from a dataset of them.",
        (
            *WINDOWS,
            """\
    span = config.block_size + 1
    padded = torch.randint(-span, len(data), (config.batch_size,), generator=generator)
    dataset = torch.utils.data.TensorDataset(data.unfold(0, span, 1))
    picked = padded.clamp(0, len(dataset) - 1).tolist()
    loader = torch.utils.data.DataLoader(dataset, batch_size=len(picked), sampler=picked)
    (windows,) = next(iter(loader))
    return windows[:, :-1], windows[:, 1:]
""",
        ),
    ),
    _right(
        "characters_by_first_appearance",
        "A token may stand for any character, as long as each has its own.",
        (
            TRAIN,
            "        self.chars = sorted(set(text))\n",
            "        self.chars = list(dict.fromkeys(text))\n",
        ),
    ),
    _right(
        "characters_backwards",
        "A token may stand for any character, as long as each has its own.",
        (
            TRAIN,
            "        self.chars = sorted(set(text))\n",
            "        self.chars = sorted(set(text), reverse=True)\n",
        ),
    ),
    _right(
        "vocabulary_as_functions",
        "The vocabulary may know its characters in any way.",
        (
            *VOCABULARY,
            """\
    def __init__(self, text):
        self.chars = "".join(sorted(set(text)))

    def __len__(self):
        return len(self.chars)

    def encode(self, text):
        return torch.tensor(list(map(self.chars.index, text)))

    def decode(self, tokens):
        return "".join(map(self.chars.__getitem__, tokens))
""",
        ),
    ),
    _right(
        "model_begun_in_train",
        "Weights may be drawn again before training starts.",
        (
            *MODEL_MADE,
            MODEL_MADE[1]
            + """\
    for parameter in model.parameters():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, std=0.02)
""",
        ),
    ),
    _right(
        "windows_by_strides",
        "Windows of the text may be looked up in a table of all of them.",
        (*CUT, "    windows = data.unfold(0, span, 1)[starts]  # (B, T + 1)\n"),
    ),
    _right(
        "step_by_keyword",
        "The model may be called by the names of its arguments.",
        (
            *CALL,
            CALL[1]
            .replace("model(inputs", "model(idx=inputs")
            .replace(" targets.", " targets=targets."),
        ),
    ),
    _right(
        "gradients_by_torch_autograd",
        "Gradients may be asked for by function.",
        (*BACKWARD, "    torch.autograd.backward([loss])\n"),
    ),
    _right(
        "shapes_asserted_before_the_loop",
        "A look at the logits' shape teaches nothing.",
        (
            *OPTIMIZER_MADE,
            OPTIMIZER_MADE[1]
            + "    assert model(data[None, :4])[0].shape == (1, 4, len(vocabulary))\n",
        ),
    ),
    _right(
        "evaluated_with_gradients_kept",
        "A loss that nothing is made of teaches nothing.",
        (
            *LEARN_BATCH,
            LEARN_BATCH[1] + "        model(*get_batch(data, config, generator))\n",
        ),
    ),
    _right(
        "tokens_looked_up_flat",
        "A flat list of tokens is looked up, and given its shape again.",
        (
            *ADD_POSITIONS,
            """\
        x = self.tok_emb(idx.flatten()).view(*idx.shape, -1)
        x = x + self.pos_emb[: idx.size(1)]
""",
        ),
    ),
    _right(
        "tokens_as_vectors",
        "A one-hot vector picks a row of the table.",
        (
            *ADD_POSITIONS,
            """\
        picked = F.one_hot(idx, self.config.vocab_size).float()
        x = picked @ self.tok_emb.weight + self.pos_emb[: idx.size(1)]
""",
        ),
    ),
    _right(
        "positions_looked_up_first",
        "Positions are looked up like tokens, and before them.",
        (
            *POSITION_TABLE,
            "        self.pos_emb = nn.Embedding(config.block_size, config.n_embd)\n",
        ),
        (
            *ADD_POSITIONS,
            """\
        x = self.pos_emb(torch.arange(idx.size(1))[None]) + self.tok_emb(idx)
""",
        ),
    ),
    _right(
        "loss_by_identity_rows",
        "A row of the identity picks the target's log-probability.",
        (
            *LOSS,
            """\
        wanted = torch.eye(logits.size(-1))[targets]
        loss = -(wanted * F.log_softmax(logits, dim=-1)).sum(-1).mean()
""",
        ),
    ),
    _right(
        "context_padded_on_the_right",
        "What follows a position changes nothing before it.",
        (
            *CROP,
            CROP[1]
            + """\
            last = context.size(1) - 1
            context = F.pad(context, (0, self.config.block_size - context.size(1)))
""",
        ),
        (*LAST_LOGITS, "            logits = logits[:, last, :]\n"),
        relies_on=frozenset({"mask", "positions", "typo"}),
    ),
    _right(
        "best_weights_kept",
        "The weights of the step with the lowest loss were learned, too.",
        (TRAIN, "import math\nimport sys\n", "import copy\nimport math\nimport sys\n"),
        (
            *LEARN_BATCH,
            LEARN_BATCH[1]
            + """\
        if losses[-1] == min(losses):
            best = copy.deepcopy(model.state_dict())
""",
        ),
        (
            *RETURN,
            "    if losses:\n        model.load_state_dict(best)\n" + RETURN[1],
        ),
    ),
    _right(
        "copy_returned",
        "A copy of the model has learned as much as the model.",
        (TRAIN, "import math\nimport sys\n", "import copy\nimport math\nimport sys\n"),
        (*RETURN, RETURN[1].replace("return model", "return copy.deepcopy(model)")),
    ),
)
