"""Training pipelines that are right, and some that are wrong, as changes of the reference."""

from tests.corpus import Fixture

FILL = 'scores.masked_fill(~visible, float("-inf"))'
SOFTMAX = "weights = scores.softmax(dim=-1)"
READ = "x[torch.arange(B), lengths - 1]"
CLEAR = "    state.optimizer.zero_grad()\n"
BACKWARD = "    state.scaler.scale(loss).backward()\n"
CLIP = "    nn.utils.clip_grad_norm_(state.model.parameters(), config.grad_clip)\n"
NEXT_LOSS = (
    "    summed = F.cross_entropy(early.flatten(0, 1), late.flatten(), "
    'ignore_index=PAD, reduction="sum")\n'
    "    token_loss = summed / (late != PAD).sum()\n"
)
GROUPS = """    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() == 1]
"""
ORDERED = """    order = torch.randperm(len(rows), generator=generator).tolist()
    count = round(len(rows) * share)
"""
SPLIT = "    return [rows[i] for i in order[count:]], [rows[i] for i in order[:count]]\n"
EPOCH = """    order = torch.randperm(len(rows), generator=generator).tolist()
    for start in range(0, len(rows), size):
        yield collate([rows[i] for i in order[start : start + size]])
"""
PADDED = """    padded = nn.utils.rnn.pad_sequence(
        [tokens for tokens, _ in rows], batch_first=True, padding_value=PAD
    )
"""
LABEL = "        label = values[keys == asked][-1]\n"
NOISY = (
    "            label = (label + torch.randint(1, VALUES, (1,), generator=generator)) % VALUES\n"
)
PREDICTING = """    for start in range(0, len(rows), size):
        tokens, lengths, wanted = collate(rows[start : start + size])
"""
F1 = 'multiclass_f1_score(scores, labels, count, average="macro").item()'
SHARE = """        if step < config.warmup_steps:
            return (step + 1) / config.warmup_steps
"""
EXTEND = """        if self.keys is not None:
            k = torch.cat([self.keys, k], dim=2)
            v = torch.cat([self.values, v], dim=2)
"""
LEARNING = "        epoch = batches(rows, config.batch_size, generator)\n"
JUDGING = (
    "        evaluations.append(metrics(*predict(state.model, held_out, config.batch_size)))\n"
)
SPLITTING = (
    "    rows, held_out = split(draw_rows(config.rows, generator), config.held_out, generator)\n"
)
FORGET = "        for past in self.pasts:\n            past.clear()\n"


def _fixture(name: str, why: str, *changes: tuple[str, str, str]) -> Fixture:
    return Fixture(name, "pipeline", why, changes)


RIGHT = (
    _fixture(
        "fused attention",
        "torch's own attention computes the same.",
        (
            "model.py",
            "        y = (weights @ v).transpose",
            (
                "        attend = nn.functional.scaled_dot_product_attention\n"
                "        y = attend(q, k, v, attn_mask=visible).transpose"
            ),
        ),
    ),
    _fixture(
        "least number",
        "The least number of the scores' own type has a weight of nothing.",
        ("model.py", FILL, "scores.masked_fill(~visible, torch.finfo(scores.dtype).min)"),
    ),
    _fixture(
        "softmax in full",
        "A softmax in float32 cannot overflow.",
        ("model.py", SOFTMAX, "weights = scores.float().softmax(dim=-1).type_as(v)"),
    ),
    _fixture(
        "softmax by hand",
        "With its greatest score taken off, a softmax may be written out.",
        (
            "model.py",
            SOFTMAX,
            (
                "weights = (scores - scores.amax(dim=-1, keepdim=True)).exp()\n"
                "        weights = weights / weights.sum(dim=-1, keepdim=True)"
            ),
        ),
    ),
    _fixture(
        "scaled queries",
        "Queries may be divided instead of scores.",
        (
            "model.py",
            "q @ k.transpose(-2, -1) / math.sqrt(C // self.n_head)",
            "(q * (C // self.n_head) ** -0.5) @ k.mT",
        ),
    ),
    _fixture(
        "gathered",
        "The last place of each row may be gathered.",
        (
            "model.py",
            READ,
            "x.gather(1, (lengths - 1).view(B, 1, 1).expand(B, 1, x.size(2))).squeeze(1)",
        ),
    ),
    _fixture(
        "padding marked",
        "Padding may be marked by -100, which no loss counts.",
        (
            "objective.py",
            NEXT_LOSS,
            (
                "    late = late.masked_fill(late == PAD, -100)\n"
                "    token_loss = F.cross_entropy(early.transpose(1, 2), late)\n"
            ),
        ),
    ),
    _fixture(
        "tokens picked",
        "Only real places may be picked.",
        (
            "objective.py",
            NEXT_LOSS,
            (
                "    there = late != PAD\n"
                "    token_loss = F.cross_entropy(early[there], late[there])\n"
            ),
        ),
    ),
    _fixture(
        "cleared behind the step",
        "Gradients may be cleared when they have been used.",
        ("train.py", CLEAR, ""),
        (
            "train.py",
            "    state.scaler.update()\n",
            "    state.scaler.update()\n    state.model.zero_grad(set_to_none=True)\n",
        ),
    ),
    _fixture(
        "clipped by hand",
        "Gradients may be clipped by a norm that is worked out.",
        (
            "train.py",
            CLIP,
            (
                "    grads = [p.grad for p in state.model.parameters() if p.grad is not None]\n"
                "    norm = torch.stack([g.norm() for g in grads]).norm()\n"
                "    for g in grads:\n"
                "        g.mul_((config.grad_clip / (norm + 1e-6)).clamp(max=1.0))\n"
            ),
        ),
    ),
    _fixture(
        "groups by name",
        "Biases and norms may be told by their names.",
        (
            "optim.py",
            GROUPS,
            (
                "    named = dict(model.named_parameters())\n"
                '    vectors = [p for n, p in named.items() if "norm" in n or n.endswith("bias")]\n'
                "    small = set(map(id, vectors))\n"
                "    matrices = [p for p in named.values() if id(p) not in small]\n"
            ),
        ),
    ),
    _fixture(
        "rise first",
        "The rise may be worked out before it is asked whether it is over.",
        (
            "optim.py",
            SHARE,
            (
                "        rise = (step + 1) / config.warmup_steps\n"
                "        if rise <= 1:\n"
                "            return rise\n"
            ),
        ),
    ),
    _fixture(
        "split by sorting",
        "An order may come from numbers that are drawn.",
        (
            "data.py",
            ORDERED,
            (
                "    order = torch.rand(len(rows), generator=generator).argsort().tolist()\n"
                "    count = round(len(rows) * share)\n"
            ),
        ),
    ),
    _fixture(
        "loader",
        "torch has batches of its own.",
        (
            "data.py",
            EPOCH,
            (
                "    order = torch.utils.data.RandomSampler(rows, generator=generator)\n"
                "    yield from torch.utils.data.DataLoader(\n"
                "        rows, batch_size=size, sampler=order, collate_fn=collate\n"
                "    )\n"
            ),
        ),
    ),
    _fixture(
        "padded by hand",
        "Rows may be written into a tensor of padding.",
        (
            "data.py",
            PADDED,
            (
                "    padded = torch.full((len(rows), int(lengths.max())), PAD)\n"
                "    for place, (tokens, _) in enumerate(rows):\n"
                "        padded[place, : len(tokens)] = tokens\n"
            ),
        ),
    ),
    _fixture(
        "noise drawn again",
        "Another value may be drawn until it is another.",
        (
            "data.py",
            NOISY,
            (
                "            others = [value for value in range(VALUES) if value != label]\n"
                "            pick = torch.randint(len(others), (1,), generator=generator)\n"
                "            label = others[int(pick)]\n"
            ),
        ),
    ),
    _fixture(
        "f1 by hand",
        "F1 may be counted.",
        (
            "evaluate.py",
            F1,
            (
                "sum(\n"
                "            2 * int(((told == c) & (labels == c)).sum())\n"
                "            / max(1, int((told == c).sum() + (labels == c).sum()))\n"
                "            for told in [scores.argmax(1)]\n"
                "            for c in range(count)\n"
                "        )\n"
                "        / count"
            ),
        ),
    ),
    _fixture(
        "all at once",
        "Rows may be predicted in one batch, of whatever size.",
        ("evaluate.py", PREDICTING, "    for tokens, lengths, wanted in [collate(rows)]:\n"),
    ),
    _fixture(
        "new pasts",
        "A stream may begin with new pasts.",
        ("stream.py", FORGET, "        self.pasts = [Past() for _ in self.model.blocks]\n"),
    ),
    _fixture(
        "another seed for rows",
        "The rows' seed may be any that follows from the one that is given.",
        (
            "train.py",
            "generator = torch.Generator().manual_seed(seed)",
            "generator = torch.Generator().manual_seed(2 * seed + 1)",
        ),
    ),
    _fixture(
        "padding hidden",
        "What is behind the end of a row may be nothing.",
        (
            "model.py",
            "        last = x[",
            ("        x = x * (torch.arange(T) < lengths[:, None])[:, :, None]\n        last = x["),
        ),
    ),
    _fixture(
        "padding seen by itself alone",
        "Padding may be hidden from padding, too.",
        (
            "model.py",
            "        visible = torch.ones(T, k.size(2), dtype=torch.bool).tril(before)\n",
            (
                "        visible = torch.ones(T, k.size(2), dtype=torch.bool).tril(before)\n"
                "        if real is not None:\n"
                "            itself = torch.eye(T, dtype=torch.bool)\n"
                "            visible = visible & (real[:, None, None] | itself)\n"
            ),
        ),
        (
            "model.py",
            "forward(self, x, past):\n        B, T",
            "forward(self, x, past, real):\n        B, T",
        ),
        (
            "model.py",
            "forward(self, x, past):\n        x =",
            "forward(self, x, past, real):\n        x =",
        ),
        ("model.py", "self.attention(x, past)", "self.attention(x, past, real)"),
        ("model.py", "block(x, past)", "block(x, past, real)"),
        (
            "model.py",
            "        if pasts is None:\n",
            ("        real = tokens != 0 if pasts is None else None\n        if pasts is None:\n"),
        ),
    ),
    _fixture(
        "low number",
        "No score is near it, and half precision has it.",
        ("model.py", FILL, "scores.masked_fill(~visible, -1e4)"),
    ),
    _fixture(
        "share rounded down",
        "How a share of a row is rounded is nowhere stated.",
        ("data.py", "round(len(rows) * share)", "int(len(rows) * share)"),
    ),
    _fixture(
        "learned rows judged, too",
        "What a program says of rows that it learns is its own affair.",
        (
            "train.py",
            JUDGING,
            (
                f"{JUDGING}"
                "        told = metrics(*predict(state.model, rows, config.batch_size))\n"
                "        print(f\"learned {told['accuracy']:.3f}\")\n"
            ),
        ),
    ),
    _fixture(
        "rate kept where a step is skipped",
        "Where the scaler takes no step, the rate may wait.",
        (
            "train.py",
            "    state.scaler.update()\n    state.schedule.step()\n",
            (
                "    scale = state.scaler.get_scale()\n"
                "    state.scaler.update()\n"
                "    if state.scaler.get_scale() >= scale:\n"
                "        state.schedule.step()\n"
            ),
        ),
    ),
    _fixture(
        "schedules in sequence",
        "torch has a rise and a fall of its own.",
        (
            "optim.py",
            "    return torch.optim.lr_scheduler.LambdaLR(optimizer, share)",
            (
                "    del share\n"
                "    schedules, rise = torch.optim.lr_scheduler, config.warmup_steps\n"
                "    parts = [\n"
                "        schedules.LinearLR(optimizer, 1 / rise, 1.0, total_iters=rise - 1),\n"
                "        schedules.CosineAnnealingLR(optimizer, max(1, steps - rise)),\n"
                "    ]\n"
                "    return schedules.SequentialLR(optimizer, parts, milestones=[rise])"
            ),
        ),
    ),
    _fixture(
        "area by ranks",
        "Where all classes are there, the area may be had from ranks.",
        (
            "evaluate.py",
            'multiclass_auroc(scores, labels, count, average="macro").item()',
            "sum(_area(scores[:, c], labels == c) for c in range(count)) / count",
        ),
        (
            "evaluate.py",
            "def metrics(",
            (
                "def _area(scores, true):\n"
                "    ranks = scores.argsort().argsort() + 1\n"
                "    up = int(true.sum())\n"
                "    pairs = up * (len(true) - up)\n"
                "    return (int(ranks[true].sum()) - up * (up + 1) / 2) / pairs\n\n\n"
                "def metrics("
            ),
        ),
    ),
    _fixture(
        "predicted by length",
        "Rows may be predicted in any order, if they are put back.",
        (
            "evaluate.py",
            PREDICTING,
            (
                "    order = sorted(range(len(rows)), key=lambda row: len(rows[row][0]))\n"
                + PREDICTING.replace(
                    "rows[start : start + size]", "[rows[i] for i in order[start : start + size]]"
                )
            ),
        ),
        (
            "evaluate.py",
            "    return torch.cat(logits), torch.cat(labels)",
            (
                "    back = torch.tensor(order).argsort()\n"
                "    return torch.cat(logits)[back], torch.cat(labels)[back]"
            ),
        ),
    ),
    _fixture(
        "a bound for itself",
        "A softmax may leave autocast, and the loss may stand outside it.",
        (
            "model.py",
            SOFTMAX,
            (
                'with torch.autocast("cpu", enabled=False):\n'
                "            weights = scores.float().softmax(dim=-1)\n"
                "        weights = weights.to(v.dtype)"
            ),
        ),
        (
            "train.py",
            "        loss = objective(logits, tokens, labels, config.token_weight)\n",
            (
                "    logits = tuple(some.float() for some in logits)\n"
                "    loss = objective(logits, tokens, labels, config.token_weight)\n"
            ),
        ),
    ),
    _fixture(
        "the scale that torch begins with",
        "It comes down by itself.",
        ("train.py", "init_scale=1024.0, ", ""),
    ),
    _fixture(
        "older names of autocast",
        "They are the same.",
        ("train.py", 'torch.amp.GradScaler("cpu", ', "torch.cpu.amp.GradScaler("),
        ("train.py", 'torch.autocast("cpu", ', "torch.cpu.amp.autocast("),
    ),
    _fixture(
        "a program with arguments",
        "What it is asked for may be read in any way.",
        (
            "train.py",
            '    config = TrainConfig(half="--half" in sys.argv[1:])\n',
            (
                "    parser = argparse.ArgumentParser()\n"
                '    parser.add_argument("--half", action="store_true")\n'
                '    parser.add_argument("--seed", type=int, default=1337)\n'
                "    given = parser.parse_args()\n"
                "    config = TrainConfig(half=given.half)\n"
            ),
        ),
        ("train.py", "import sys\n", "import argparse\n"),
        ("train.py", "seed=1337", 'seed=given.seed, path="last.pt"'),
    ),
    _fixture(
        "inference mode",
        "It keeps no graph either.",
        ("evaluate.py", "@torch.no_grad()", "@torch.inference_mode()"),
        ("stream.py", "@torch.no_grad()", "@torch.inference_mode()"),
    ),
    _fixture(
        "a schedule of its own",
        "Whatever sets the rates and says where it stands is a schedule.",
        (
            "optim.py",
            "    return torch.optim.lr_scheduler.LambdaLR(optimizer, share)",
            """    return Schedule(optimizer, share, config.learning_rate)


class Schedule:
    def __init__(self, optimizer, share, rate):
        self.optimizer, self.share, self.rate = optimizer, share, rate
        self.load_state_dict({"done": 0})

    def step(self):
        self.load_state_dict({"done": self.done + 1})

    def state_dict(self):
        return {"done": self.done}

    def load_state_dict(self, kept):
        self.done = kept["done"]
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * self.share(self.done)""",
        ),
    ),
    _fixture(
        "each precision by itself",
        "Without half precision nothing needs a scale, and a loss may be a tensor.",
        ("train.py", BACKWARD, "    if not config.half:\n        loss.backward()\n"),
        (
            "train.py",
            f"    state.scaler.unscale_(state.optimizer)\n{CLIP}",
            (
                "    else:\n"
                "        state.scaler.scale(loss).backward()\n"
                "        state.scaler.unscale_(state.optimizer)\n"
                f"{CLIP}"
            ),
        ),
        ("train.py", "return loss.item()", "return loss.detach()"),
    ),
    _fixture(
        "masked where causal",
        "Behind a past, one more token may see all.",
        (
            "model.py",
            "        y = (weights @ v).transpose",
            (
                "        attend = nn.functional.scaled_dot_product_attention\n"
                "        y = attend(q, k, v, is_causal=before == 0).transpose"
            ),
        ),
    ),
)

WRONG = (
    _fixture(
        "mask upside down",
        "It hides what came before.",
        ("model.py", ".tril(before)", ".triu(before)"),
    ),
    _fixture(
        "mask in training only",
        "In eval mode all is seen.",
        (
            "model.py",
            f"        scores = {FILL}\n",
            f"        if self.training:\n            scores = {FILL}\n",
        ),
    ),
    _fixture(
        "softmax over queries",
        "Weights must add up over what is attended to.",
        ("model.py", SOFTMAX, "weights = scores.softmax(dim=-2)"),
    ),
    _fixture(
        "scores not scaled",
        "Scores are to be divided.",
        ("model.py", " / math.sqrt(C // self.n_head)", ""),
    ),
    _fixture(
        "scaled by the width",
        "The size of a head counts.",
        ("model.py", "math.sqrt(C // self.n_head)", "math.sqrt(C)"),
    ),
    _fixture(
        "pre-norm",
        "The design is post-norm.",
        (
            "model.py",
            "x = self.norm_1(x + self.attention(x, past))",
            "x = x + self.attention(self.norm_1(x), past)",
        ),
    ),
    _fixture(
        "no norm behind the mlp",
        "The sum is to be normalised.",
        ("model.py", "return self.norm_2(x + self.mlp(x))", "return x + self.mlp(x)"),
    ),
    _fixture(
        "mean over all places",
        "Padding is among them.",
        ("model.py", READ, "x.mean(dim=1)"),
    ),
    _fixture(
        "first place read",
        "It has read nothing.",
        ("model.py", READ, "x[:, 0]"),
    ),
    _fixture(
        "positions from the end",
        "They count from 0.",
        ("model.py", "self.positions(places)", "self.positions(places.flip(0))"),
    ),
    _fixture(
        "one position",
        "All places have the first one's.",
        ("model.py", "self.positions(places)", "self.positions(places * 0)"),
    ),
    _fixture(
        "fill beyond half",
        "There is no such number in half precision.",
        ("model.py", FILL, "scores.masked_fill(~visible, -1e9)"),
    ),
    _fixture(
        "classes summed",
        "The loss is a mean.",
        (
            "objective.py",
            "F.cross_entropy(class_logits, labels)",
            'F.cross_entropy(class_logits, labels, reduction="sum")',
        ),
    ),
    _fixture(
        "labels smoothed",
        "PROBLEM.md knows nothing of it.",
        (
            "objective.py",
            "F.cross_entropy(class_logits, labels)",
            "F.cross_entropy(class_logits, labels, label_smoothing=0.1)",
        ),
    ),
    _fixture(
        "weight squared",
        "The weight is applied twice.",
        ("objective.py", "token_weight * token_loss", "token_weight**2 * token_loss"),
    ),
    _fixture(
        "cleared before the step",
        "Nothing is left to learn from.",
        ("train.py", CLEAR, ""),
        ("train.py", BACKWARD, f"{BACKWARD}{CLEAR}"),
    ),
    _fixture("not clipped", "Gradients are to be clipped.", ("train.py", CLIP, "")),
    _fixture(
        "clipped one by one",
        "It is their norm that is to be clipped.",
        ("train.py", "clip_grad_norm_(", "clip_grad_value_("),
    ),
    _fixture(
        "clipped before backward",
        "There is nothing to clip yet.",
        ("train.py", CLIP, ""),
        ("train.py", BACKWARD, f"{CLIP}{BACKWARD}"),
    ),
    _fixture(
        "decay of its own",
        "What is configured is not what decays.",
        ("optim.py", "config.weight_decay", "0.1"),
    ),
    _fixture(
        "rate of its own",
        "What is configured is not the rate.",
        ("optim.py", "config.learning_rate", "1e-2"),
    ),
    _fixture(
        "weight of its own",
        "What is configured is not what tokens weigh.",
        ("train.py", "labels, config.token_weight", "labels, 0.3"),
    ),
    _fixture(
        "scaler not updated",
        "In half precision the second step ends in an error.",
        ("train.py", "    state.scaler.update()\n", ""),
    ),
    _fixture(
        "no fall",
        "The rate is to fall behind its rise.",
        ("optim.py", "return 0.5 * (1 + math.cos(math.pi * done))", "return 1.0 + 0.0 * done"),
    ),
    _fixture(
        "steps of one epoch",
        "The rate falls to nothing too early.",
        ("train.py", "config.epochs * -(-len", "1 * -(-len"),
    ),
    _fixture(
        "all in one group",
        "Biases and norms are not to decay.",
        (
            "optim.py",
            '{"params": vectors, "weight_decay": 0.0}',
            '{"params": vectors, "weight_decay": config.weight_decay}',
        ),
    ),
    _fixture(
        "plain descent",
        "The optimizer is AdamW.",
        ("optim.py", "torch.optim.AdamW", "torch.optim.SGD"),
    ),
    _fixture(
        "same rows held out",
        "They are learned as well.",
        ("data.py", SPLIT, "    return rows, [rows[i] for i in order[:count]]\n"),
    ),
    _fixture(
        "the same order always",
        "Each epoch has its own.",
        (
            "data.py",
            EPOCH,
            EPOCH.replace("generator=generator", "generator=generator.clone_state()"),
        ),
    ),
    _fixture(
        "drawn with repeats",
        "Some rows come twice, and others never.",
        (
            "data.py",
            EPOCH,
            EPOCH.replace("torch.randperm(len(rows), ", "torch.randint(len(rows), (len(rows),), "),
        ),
    ),
    _fixture(
        "padded on the left",
        "Rows begin at the left.",
        (
            "data.py",
            "padding_value=PAD\n",
            'padding_value=PAD, padding_side="left"\n',
        ),
    ),
    _fixture("the first value", "It is the last that counts.", ("data.py", "[-1]\n", "[0]\n")),
    _fixture(
        "no noise", "A share of the labels is noise.", ("data.py", "NOISE = 0.08", "NOISE = 0")
    ),
    _fixture(
        "weighted f1",
        "Every class counts alike.",
        ("evaluate.py", F1, F1.replace("macro", "weighted")),
    ),
    _fixture(
        "predicted in another order",
        "Rows are predicted in their order.",
        (
            "evaluate.py",
            PREDICTING,
            PREDICTING.replace("rows[start", "rows[::-1][start"),
        ),
    ),
    _fixture(
        "left in eval mode",
        "It was in train mode.",
        ("evaluate.py", "    model.train(was_training)\n", "    model.train(not was_training)\n"),
    ),
    _fixture(
        "schedule not kept",
        "The rate begins anew.",
        (
            "checkpoint.py",
            '"optimizer", "schedule", "scaler")',
            '"optimizer", "scaler")',
        ),
    ),
    _fixture(
        "epoch not kept",
        "Training goes on for too long.",
        ("checkpoint.py", '    state.epoch = kept["epoch"]\n', ""),
    ),
    _fixture(
        "dropout drawn anew",
        "What torch's own generator stood at is lost.",
        ("checkpoint.py", "    torch.set_rng_state(common)\n", "    del common\n"),
    ),
    _fixture(
        "never forgotten",
        "Rows are read behind others.",
        ("stream.py", FORGET, "        return\n"),
    ),
    _fixture(
        "all read again",
        "No token is to be read twice.",
        ("stream.py", FORGET, "        self.rows = []\n"),
        (
            "stream.py",
            "        class_logits, _ = self.model(tokens[:, None], pasts=self.pasts)\n",
            (
                '        self.rows = [*getattr(self, "rows", []), tokens]\n'
                "        class_logits, _ = self.model(torch.stack(self.rows, dim=1))\n"
            ),
        ),
    ),
    _fixture(
        "values not kept",
        "New values stand for all.",
        ("stream.py", EXTEND, EXTEND.replace("torch.cat([self.values, v]", "torch.cat([v, v]")),
    ),
    _fixture(
        "one seed for all",
        "Another seed gives the same.",
        ("train.py", "torch.manual_seed(seed)\n    gen", "torch.manual_seed(0)\n    gen"),
        ("train.py", "Generator().manual_seed(seed)", "Generator().manual_seed(0)"),
    ),
    _fixture(
        "losses of the last epoch",
        "A loss is told for each step.",
        ("train.py", "        losses += [", "        losses = ["),
    ),
    _fixture(
        "a file is missing", "It is asked for.", ("stream.py", "class Stream:", "class Flow:")
    ),
    _fixture(
        "fill of -100",
        "Scores may be lower than that, and then what comes later is seen.",
        ("model.py", FILL, "scores.masked_fill(~visible, -100.0)"),
    ),
    _fixture(
        "scores held below ten",
        "Half precision stays in its bounds, and no weight of a large score is right any more.",
        ("model.py", SOFTMAX, "weights = scores.clamp(max=10.0).softmax(dim=-1)"),
    ),
    _fixture(
        "learned rows judged",
        "The metrics are to be those of rows held out.",
        ("train.py", JUDGING, JUDGING.replace("held_out", "rows")),
    ),
    _fixture(
        "judged before it learns",
        "The metrics of an epoch are those of the one before.",
        ("train.py", JUDGING, ""),
        ("train.py", LEARNING, f"{JUDGING}{LEARNING}"),
    ),
    _fixture(
        "one batch judged",
        "All rows held out count.",
        ("train.py", JUDGING, JUDGING.replace("held_out,", "held_out[: config.batch_size],")),
    ),
    _fixture(
        "mean of metrics of batches",
        "F1 and ROC-AUC of parts do not add up, and the last batch is short.",
        (
            "train.py",
            JUDGING,
            (
                "        size = config.batch_size\n"
                "        parts = [\n"
                "            metrics(*predict(state.model, held_out[start : start + size], size))\n"
                "            for start in range(0, len(held_out), size)\n"
                "        ]\n"
                "        evaluations.append(\n"
                "            {m: sum(p[m] for p in parts) / len(parts) for m in parts[0]}\n"
                "        )\n"
            ),
        ),
    ),
    _fixture(
        "split once more",
        "Rows that another drawing holds out are learned.",
        (
            "train.py",
            SPLITTING,
            (
                "    drawn = draw_rows(config.rows, generator)\n"
                "    rows, _ = split(drawn, config.held_out, generator)\n"
                "    _, held_out = split(drawn, config.held_out, generator)\n"
            ),
        ),
    ),
    _fixture(
        "learned in eval mode",
        "Nothing is ever dropped.",
        (
            "train.py",
            "    losses, evaluations = [], []\n",
            "    losses, evaluations = [], []\n    state.model.eval()\n",
        ),
    ),
    _fixture(
        "mode of the root alone",
        "The parts of the model stay in eval mode.",
        ("evaluate.py", "model.train(was_training)", "model.training = was_training"),
    ),
    _fixture(
        "scaled loss told",
        "The loss is that of the step, whatever it is scaled by.",
        ("train.py", "return loss.item()", "return loss.item() / len(labels)"),
    ),
    _fixture(
        "scale not kept",
        "In half precision it begins anew, and steps are skipped once more.",
        (
            "checkpoint.py",
            '"optimizer", "schedule", "scaler")',
            '"optimizer", "schedule")',
        ),
    ),
    _fixture(
        "weights begin alike",
        "Another seed draws the same weights.",
        ("train.py", "torch.manual_seed(seed)\n    gen", "torch.manual_seed(0)\n    gen"),
    ),
    _fixture(
        "rows begin alike",
        "Another seed draws the same rows.",
        ("train.py", "Generator().manual_seed(seed)", "Generator().manual_seed(0)"),
    ),
    _fixture(
        "half precision left out",
        "It is asked for, and nothing is computed in it.",
        ("train.py", "enabled=config.half):", "enabled=False):"),
    ),
    _fixture(
        "another half",
        "PROBLEM.md asks for float16.",
        ("train.py", "dtype=torch.float16", "dtype=torch.bfloat16"),
    ),
    _fixture(
        "nothing scaled",
        "Small gradients are lost in half precision.",
        ("train.py", "init_scale=1024.0, enabled=config.half", "enabled=False"),
    ),
    _fixture(
        "scores held below ten in half",
        "What is near full precision for small scores is not for large ones.",
        (
            "model.py",
            SOFTMAX,
            (
                "if scores.dtype == torch.float16:\n"
                "            scores = scores.clamp(-10, 10)\n"
                "        weights = scores.softmax(dim=-1)"
            ),
        ),
    ),
    _fixture(
        "ends in an error",
        "The program is to tell of its last epoch, too.",
        ("train.py", "losses[epoch * steps - 1]", "losses[epoch * steps]"),
    ),
    _fixture(
        "flag not read",
        "The first flag is one.",
        ("train.py", "in sys.argv[1:]", "in sys.argv[2:]"),
    ),
    _fixture(
        "first rows held out",
        "They are to be drawn.",
        (
            "data.py",
            ORDERED,
            ("    order = list(range(len(rows)))\n    count = round(len(rows) * share)\n"),
        ),
    ),
    _fixture(
        "graphs of predictions kept",
        "They need memory for every row.",
        ("evaluate.py", "@torch.no_grad()\n", ""),
    ),
    _fixture(
        "nothing dropped",
        "What is asked for is dropped in training.",
        ("model.py", "            nn.Dropout(config.dropout),\n", ""),
        ("model.py", "self.dropout = nn.Dropout(config.dropout)", "self.dropout = nn.Identity()"),
    ),
    _fixture(
        "one row squeezed away",
        "A stream of one row has an axis for it.",
        ("stream.py", "return class_logits", "return class_logits.squeeze()"),
    ),
    _fixture(
        "saved at the end",
        "What ends a training on the way loses all of it.",
        (
            "train.py",
            "        if path is not None:\n            save(state, path)\n",
            "    if path is not None:\n        save(state, path)\n",
        ),
    ),
    _fixture(
        "the best saved alone",
        "A training goes on from where it stood, not from where it was best.",
        (
            "train.py",
            "        if path is not None:\n            save",
            (
                '        best = max(told["accuracy"] for told in evaluations)\n'
                '        if path is not None and evaluations[-1]["accuracy"] == best:\n'
                "            save"
            ),
        ),
    ),
    _fixture(
        "each row twice",
        "Nearly all that is held out is learned as well.",
        ("data.py", "    return rows\n", "    return (2 * rows[: (count + 1) // 2])[:count]\n"),
    ),
    _fixture(
        "one row too few",
        "As many are asked for as are to be drawn.",
        ("data.py", "in range(count)", "in range(count - 1)"),
    ),
    _fixture(
        "graphs of losses kept",
        "Each step's graph is held on to until the end.",
        ("train.py", "return loss.item()", "return loss"),
    ),
    _fixture(
        "rate of full precision alone",
        "In half precision it stays where it began.",
        (
            "train.py",
            "    state.schedule.step()\n",
            "    if not config.half:\n        state.schedule.step()\n",
        ),
    ),
    _fixture(
        "graph of a stream kept",
        "It grows with each token.",
        ("stream.py", "    @torch.no_grad()\n", ""),
    ),
    _fixture(
        "rate by the epoch",
        "It is to change with each step.",
        ("train.py", "    state.schedule.step()\n", ""),
        (
            "train.py",
            "        state.epoch += 1\n",
            "        state.epoch += 1\n        state.schedule.step()\n",
        ),
    ),
    _fixture(
        "lengths not handed on",
        "The class is read behind the ends of rows.",
        ("train.py", "state.model(tokens, lengths)", "state.model(tokens)"),
    ),
)
