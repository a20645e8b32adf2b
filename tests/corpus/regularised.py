"""Right and wrong ways to drop, to accumulate and clip, to let the rate go, to evaluate, to begin
and to sample, as changes of the program that is trained as large ones are.
"""

from . import Fixture

MODEL = "model.py"
DATA = "data.py"
TRAIN = "train.py"

QUERIES = (MODEL, "        q = self.split_heads(self.query(x))\n")
KEYS = (MODEL, "        k = self.split_heads(self.key(x))\n")
MASKED = (MODEL, '        att = att.masked_fill(~self.mask[:T, :T], float("-inf"))\n')
DROPPED = (MODEL, "        att = F.dropout(att, p=self.dropout, training=self.training)\n")
ATTENDED = (
    MODEL,
    """\
        att = (q @ k.transpose(-2, -1)) / math.sqrt(k.size(-1))  # (B, nh, T, T)
        att = att.masked_fill(~self.mask[:T, :T], float("-inf"))
        att = F.softmax(att, dim=-1)
        att = F.dropout(att, p=self.dropout, training=self.training)
        y = att @ v  # (B, nh, T, hs)
""",
)
HEARD = (MODEL, "        return self.resid_dropout(self.proj(y))\n")
THOUGHT = (MODEL, "        return self.dropout(self.proj(F.gelu(self.up(x))))\n")
EMBEDDED = (MODEL, "        x = self.dropout(x)\n")
READ = (MODEL, "        x = self.tok_emb(idx) + self.pos_emb[: idx.size(1)]  # (B, T, C)\n")
ATTENDS = (MODEL, "        x = x + self.attn(self.ln_1(x))\n")
BLOCKS = (
    MODEL,
    "        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layer))\n",
)
THROUGH = (MODEL, "            x = block(x)\n")
TIED = (MODEL, "        self.head.weight = self.tok_emb.weight\n")
HEAD = (MODEL, "        self.head = nn.Linear(config.n_embd, config.vocab_size, bias=False)\n")
LOGITS = (MODEL, "        logits = self.head(self.ln_f(x))\n")
BEGUN_SMALLER = (
    MODEL,
    "nn.init.normal_(parameter, mean=0.0, std=0.02 / math.sqrt(2 * config.n_layer))",
)
DRAWN = (
    MODEL,
    """\
                logits = logits / temperature
                if top_k is not None:
                    kept, _ = logits.topk(min(top_k, logits.size(-1)))
                    logits = logits.masked_fill(logits < kept[:, [-1]], float("-inf"))
                next_idx = torch.multinomial(F.softmax(logits, dim=-1), num_samples=1)
""",
)
STEP = (
    TRAIN,
    """\
    optimizer.zero_grad()
    total = 0.0
    for _ in range(config.accumulate):
        inputs, targets = get_batch(data, config, generator)
        _, loss = model(inputs.to(config.device), targets.to(config.device))
        loss = loss / config.accumulate
        loss.backward()
        total += loss.item()
    nn.utils.clip_grad_norm_(model.parameters(), config.grad_clip)
    optimizer.step()
    return total
""",
)
BATCH = "        inputs, targets = get_batch(data, config, generator)\n"
CLIPPED = "    nn.utils.clip_grad_norm_(model.parameters(), config.grad_clip)\n"
TOLD = "        total += loss.item()\n"
STEPS = (TRAIN, "    for step in range(config.steps):\n")
WARMING = (TRAIN, "        return config.learning_rate * (step + 1) / config.warmup_steps\n")
DONE = (
    TRAIN,
    "    done = (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps)\n",
)
FALLING = (
    TRAIN,
    "    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * done))\n",
)
OPTIMIZER = (TRAIN, "    optimizer = make_optimizer(model, config)\n")
RATE_SET = (
    TRAIN,
    """\
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, config)
""",
)
LEARNS = (
    TRAIN,
    "        losses.append(train_step(model, optimizer, learned, config, generator))\n",
)
GROUPED = (
    TRAIN,
    """\
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() == 1]
""",
)
WHEN_EVALUATED = (TRAIN, "        if (step + 1) % config.eval_every == 0:\n")
EVALUATED = (
    TRAIN,
    """\
    model.eval()
    total = count = 0
    for start in range(0, len(data) - 1, config.block_size):
        window = data[None, start : start + config.block_size + 1].to(config.device)
        _, loss = model(window[:, :-1], window[:, 1:])
        total += loss.item() * (window.size(1) - 1)
        count += window.size(1) - 1
    model.train()
    return total / count
""",
)


def _way(name: str, why: str, *changes: tuple[str, str, str]) -> Fixture:
    return Fixture(name, "elsewhere", why, changes)


def _of_weights(shape: str, scale: str = " / (1 - self.dropout)") -> tuple[str, str, str]:
    """Drop weights of attention by a mask of some shape."""
    return (
        *DROPPED,
        f"""\
        if self.training and self.dropout:
            att = att * (torch.rand({shape}) >= self.dropout){scale}
""",
    )


def _of_embeddings(shape: str, scale: str = " / (1 - p)") -> tuple[str, str, str]:
    return (
        *EMBEDDED,
        f"""\
        p = self.config.dropout
        if self.training and p:
            x = x * (torch.rand({shape}) >= p){scale}
""",
    )


def _of_what_is(
    added: tuple[str, str], shape: str, scale: str = " / (1 - p)"
) -> tuple[str, str, str]:
    """Drop of what a sublayer adds by a mask of some shape."""
    share, made = {
        HEARD: ("self.resid_dropout.p", "self.proj(y)"),
        THOUGHT: ("self.dropout.p", "self.proj(F.gelu(self.up(x)))"),
    }[added]
    return (
        *added,
        f"""\
        out, p = {made}, {share}
        if self.training and p:
            out = out * (torch.rand({shape}) >= p){scale}
        return out
""",
    )


def _step(*changes: tuple[str, str]) -> tuple[str, str, str]:
    step = STEP[1]
    for old, new in changes:
        assert step.count(old) == 1, old
        step = step.replace(old, new)
    return (*STEP, step)


def _scheduler(made: str) -> tuple[tuple[str, str, str], ...]:
    return (
        (*OPTIMIZER, OPTIMIZER[1] + made),
        (*RATE_SET, ""),
        (*LEARNS, LEARNS[1] + "        scheduler.step()\n"),
    )


RIGHT = (
    _way(
        "weights_dropped_by_hand",
        "What is dropped may be drawn and divided by hand.",
        _of_weights("att.shape"),
    ),
    _way(
        "everything_dropped_by_hand",
        "So it may at all places.",
        _of_weights("B, self.n_head, T, T"),
        _of_embeddings("x.shape"),
        _of_what_is(HEARD, "out.shape"),
        _of_what_is(THOUGHT, "out.shape"),
    ),
    _way(
        "weights_filled_where_dropped",
        "A dropped weight may be filled with nothing.",
        (
            *DROPPED,
            """\
        if self.training and self.dropout > 0:
            gone = torch.rand_like(att) < self.dropout
            att = att.masked_fill(gone, 0.0) / (1 - self.dropout)
""",
        ),
    ),
    _way(
        "attention_of_torch_drops",
        "torch's attention is told what to drop while learning.",
        (
            *ATTENDED,
            """\
        y = F.scaled_dot_product_attention(
            q, k, v, is_causal=True, dropout_p=self.dropout if self.training else 0.0
        )
""",
        ),
    ),
    _way(
        "one_dropout_for_all",
        "One layer that drops may serve all places.",
        (
            *BLOCKS,
            BLOCKS[1]
            + """\
        for block in self.blocks:
            block.mlp.dropout = block.attn.resid_dropout = self.dropout
""",
        ),
    ),
    _way(
        "dropped_by_the_block",
        "A block may drop what its sublayers give.",
        (*HEARD, "        return self.proj(y)\n"),
        (*ATTENDS, "        x = x + self.mlp.dropout(self.attn(self.ln_1(x)))\n"),
    ),
    _way(
        "blocks_computed_again",
        "Blocks may be computed again on the way back, in the older of torch's two ways.",
        (
            MODEL,
            "from torch import nn\n",
            "from torch import nn\nfrom torch.utils import checkpoint\n",
        ),
        (
            *THROUGH,
            """\
            if torch.is_grad_enabled():
                x = checkpoint.checkpoint(block, x, use_reentrant=True)
            else:
                x = block(x)
""",
        ),
    ),
    _way(
        "batches_joined",
        "All batches of a step may be read at once.",
        (
            *STEP,
            """\
    optimizer.zero_grad()
    batches = [get_batch(data, config, generator) for _ in range(config.accumulate)]
    inputs, targets = (torch.cat(part).to(config.device) for part in zip(*batches))
    _, loss = model(inputs, targets)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), config.grad_clip)
    optimizer.step()
    return loss.item()
""",
        ),
    ),
    _way(
        "gradients_divided",
        "Gradients may be added up and then divided.",
        _step(
            ("        loss = loss / config.accumulate\n", ""),
            (TOLD, "        total += loss.item() / config.accumulate\n"),
            (
                CLIPPED,
                "    for p in model.parameters():\n        p.grad /= config.accumulate\n" + CLIPPED,
            ),
        ),
    ),
    _way(
        "losses_added_up",
        "Losses may be added up, and taught at once.",
        (
            *STEP,
            """\
    optimizer.zero_grad(set_to_none=True)
    loss = 0
    for _ in range(config.accumulate):
        inputs, targets = get_batch(data, config, generator)
        loss = loss + model(inputs.to(config.device), targets.to(config.device))[1]
    loss = loss / config.accumulate
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), config.grad_clip)
    optimizer.step()
    return float(loss)
""",
        ),
    ),
    _way(
        "step_of_a_closure",
        "The optimizer may call what accumulates and clips.",
        (
            *STEP,
            """\
    def closure():
        optimizer.zero_grad()
        total = 0.0
        for _ in range(config.accumulate):
            inputs, targets = get_batch(data, config, generator)
            _, loss = model(inputs.to(config.device), targets.to(config.device))
            (loss / config.accumulate).backward()
            total += loss.item() / config.accumulate
        nn.utils.clip_grad_norm_(model.parameters(), config.grad_clip)
        return total

    return optimizer.step(closure)
""",
        ),
    ),
    _way(
        "gradients_asked_for",
        "Gradients may be asked for, added up and clipped by hand.",
        (
            *STEP,
            """\
    params = list(model.parameters())
    sums = [torch.zeros_like(p) for p in params]
    total = 0.0
    for _ in range(config.accumulate):
        inputs, targets = get_batch(data, config, generator)
        _, loss = model(inputs.to(config.device), targets.to(config.device))
        for s, g in zip(sums, torch.autograd.grad(loss, params)):
            s += g / config.accumulate
        total += loss.item() / config.accumulate
    norm = torch.stack([s.norm() for s in sums]).norm()
    for p, s in zip(params, sums):
        p.grad = s * (config.grad_clip / norm).clamp(max=1.0)
    optimizer.step()
    return total
""",
        ),
    ),
    _way(
        "batches_drawn_ahead",
        "The next batch may be drawn before a step begins.",
        _step(
            (BATCH, ""),
            (
                "    for _ in range(config.accumulate):\n",
                """\
    batches = [get_batch(data, config, generator) for _ in range(config.accumulate)]
    for inputs, targets in batches:
""",
            ),
        ),
    ),
    _way(
        "rate_begins_at_nothing",
        "The first rate may be nothing, and the whole one come a step later.",
        (*WARMING, WARMING[1].replace("(step + 1)", "step")),
    ),
    _way(
        "rate_ends_at_nothing",
        "The last rate may be nothing.",
        (*DONE, DONE[1].replace("config.steps - ", "config.steps - 1 - ")),
    ),
    _way(
        "two_schedulers",
        "Two schedulers of torch's may follow each other.",
        *_scheduler(
            """\
    warm, schedulers = config.warmup_steps, torch.optim.lr_scheduler
    scheduler = schedulers.SequentialLR(
        optimizer,
        [
            schedulers.LinearLR(optimizer, 1 / warm, total_iters=warm),
            schedulers.CosineAnnealingLR(optimizer, config.steps - warm),
        ],
        [warm],
    )
"""
        ),
    ),
    _way(
        "scheduler_warms_from_a_third",
        "The straight line may begin at a third, as torch's does if nothing is said.",
        *_scheduler(
            """\
    warm, schedulers = config.warmup_steps, torch.optim.lr_scheduler
    scheduler = schedulers.SequentialLR(
        optimizer,
        [
            schedulers.LinearLR(optimizer, total_iters=warm),
            schedulers.CosineAnnealingLR(optimizer, config.steps - warm),
        ],
        [warm],
    )
"""
        ),
    ),
    _way(
        "groups_by_module",
        "What does not decay may be told by the layers that it belongs to.",
        (
            *GROUPED,
            """\
    vectors = []
    for module in model.modules():
        if isinstance(module, (nn.LayerNorm, nn.Linear)) and module.bias is not None:
            vectors.append(module.bias)
        if isinstance(module, nn.LayerNorm):
            vectors.append(module.weight)
    matrices = [p for p in model.parameters() if all(p is not v for v in vectors)]
""",
        ),
    ),
    _way(
        "evaluated_on_drawn_windows",
        "Windows of what is held out may be drawn, each time the same.",
        (
            *EVALUATED,
            """\
    was_training = model.training
    model.eval()
    generator = torch.Generator().manual_seed(0)
    losses = []
    for _ in range(4):
        inputs, targets = get_batch(data, config, generator)
        losses.append(model(inputs.to(config.device), targets.to(config.device))[1].item())
    model.train(was_training)
    return sum(losses) / len(losses)
""",
        ),
    ),
    _way(
        "evaluated_at_once",
        "All windows may be read at once.",
        (
            *EVALUATED,
            """\
    model.eval()
    windows = data.unfold(0, config.block_size + 1, 1).to(config.device)
    logits, _ = model(windows[:, :-1])
    model.train()
    return nn.functional.cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten()).item()
""",
        ),
    ),
    _way(
        "evaluated_at_the_end_too",
        "What comes of the last step may be evaluated beside what is asked for.",
        (*WHEN_EVALUATED, WHEN_EVALUATED[1].replace(":", " or step + 1 == config.steps:")),
    ),
    _way(
        "table_used_twice",
        "A head without a weight of its own may use the table.",
        (*HEAD, ""),
        (*TIED, ""),
        (*LOGITS, "        logits = F.linear(self.ln_f(x), self.tok_emb.weight)\n"),
    ),
    _way(
        "begun_and_divided",
        "Weights may be divided once they are drawn.",
        (*BEGUN_SMALLER, "parameter.data.div_(math.sqrt(2 * config.n_layer))"),
    ),
    _way(
        "begun_cut_off",
        "Normal numbers may be cut off at twice their spread.",
        (
            MODEL,
            "nn.init.normal_(module.weight, mean=0.0, std=0.02)",
            "nn.init.trunc_normal_(module.weight, std=0.02, a=-0.04, b=0.04)",
        ),
    ),
    _way(
        "most_shares_kept",
        "The least likely may be taken out behind the softmax.",
        (
            *DRAWN,
            """\
                probs = F.softmax(logits / temperature, dim=-1)
                if top_k is not None:
                    kept, _ = probs.topk(min(top_k, probs.size(-1)))
                    probs = probs.masked_fill(probs < kept[:, [-1]], 0.0)
                next_idx = torch.multinomial(probs, num_samples=1)
""",
        ),
    ),
    _way(
        "drawn_by_noise",
        "The likeliest, noise of Gumbel's added, is a draw.",
        (
            *DRAWN,
            DRAWN[1].replace(
                "next_idx = torch.multinomial(F.softmax(logits, dim=-1), num_samples=1)",
                "noise = torch.empty_like(logits).exponential_().log()\n"
                "                next_idx = (logits - noise).argmax(dim=-1, keepdim=True)",
            ),
        ),
    ),
)

WRONG = (
    _way(
        "queries_dropped",
        "Queries are dropped, too.",
        (*QUERIES, QUERIES[1] + "        q = F.dropout(q, self.dropout, self.training)\n"),
    ),
    _way(
        "keys_dropped",
        "Keys are dropped, too.",
        (*KEYS, KEYS[1] + "        k = F.dropout(k, self.dropout, self.training)\n"),
    ),
    _way(
        "read_by_queries_dropped",
        "What queries are made of is dropped.",
        (MODEL, "self.query(x)", "self.query(F.dropout(x, self.dropout, self.training))"),
    ),
    _way(
        "read_by_keys_dropped",
        "What keys are made of is dropped.",
        (MODEL, "self.key(x)", "self.key(F.dropout(x, self.dropout, self.training))"),
    ),
    _way(
        "scores_dropped",
        "A part of the scores is 0 in place of what it is.",
        (*MASKED, DROPPED[1] + MASKED[1]),
    ),
    _way(
        "weights_not_divided",
        "Weights that are kept are not divided by the share of them.",
        _of_weights("att.shape", ""),
    ),
    _way(
        "kept_for_dropped",
        "The share that is to be dropped is kept.",
        (MODEL, "p=self.dropout", "p=1 - self.dropout if self.dropout else 0.0"),
    ),
    _way(
        "weights_normalised_again",
        "What is left of the weights is made to add up to 1.",
        (
            *DROPPED,
            DROPPED[1] + "        att = att / att.sum(-1, keepdim=True).clamp(min=1e-9)\n",
        ),
    ),
    _way(
        "weights_by_one_mask_of_heads",
        "All heads lose the same weights.",
        _of_weights("B, 1, T, T"),
    ),
    _way(
        "weights_by_one_mask_of_rows",
        "All rows of a batch lose the same weights.",
        _of_weights("self.n_head, T, T"),
    ),
    _way(
        "whole_keys_dropped",
        "All positions lose what they hear of the same others.",
        _of_weights("B, self.n_head, 1, T"),
    ),
    _way(
        "whole_queries_dropped",
        "A position loses all that it hears, or nothing.",
        _of_weights("B, self.n_head, T, 1"),
    ),
    _way(
        "embeddings_by_one_mask_of_rows",
        "All rows lose the same numbers.",
        _of_embeddings("x.shape[1:]"),
    ),
    _way(
        "embeddings_by_one_mask_of_positions",
        "All positions lose the same numbers.",
        _of_embeddings("len(x), 1, x.size(2)"),
    ),
    _way(
        "whole_tokens_dropped",
        "A position loses its embedding, or nothing of it.",
        _of_embeddings("*idx.shape, 1"),
    ),
    _way(
        "embeddings_not_divided",
        "Numbers that are kept are not divided by the share of them.",
        _of_embeddings("x.shape", ""),
    ),
    _way(
        "embeddings_dropped_apart",
        "Tokens and positions are dropped before they are added, positions alike in all rows.",
        (
            *READ,
            """\
        x = self.dropout(self.tok_emb(idx)) + self.dropout(self.pos_emb[: idx.size(1)])
""",
        ),
        (*EMBEDDED, ""),
    ),
    _way(
        "heard_by_one_mask_of_positions",
        "All positions lose the same numbers of what attention adds.",
        _of_what_is(HEARD, "len(out), 1, out.size(2)"),
    ),
    _way(
        "heard_not_divided",
        "What is kept of what attention adds is not divided by the share.",
        _of_what_is(HEARD, "out.shape", ""),
    ),
    _way(
        "thought_by_one_mask_of_rows",
        "All rows lose the same numbers of what the MLP adds.",
        _of_what_is(THOUGHT, "out.shape[1:]"),
    ),
    _way(
        "thought_not_divided",
        "What is kept of what the MLP adds is not divided by the share.",
        _of_what_is(THOUGHT, "out.shape", ""),
    ),
    _way(
        "whole_sublayers_dropped",
        "A row loses all that an MLP adds, or nothing.",
        _of_what_is(THOUGHT, "len(out), 1, 1"),
    ),
    _way(
        "one_batch_again_and_again",
        "The batches of a step are one.",
        _step((BATCH, ""), ("    total = 0.0\n", "    total = 0.0\n" + BATCH[4:])),
    ),
    _way(
        "seed_set_at_each_batch",
        "All batches of the training are one.",
        _step((BATCH, "        generator.manual_seed(torch.initial_seed())\n" + BATCH)),
    ),
    _way(
        "seed_set_at_each_step",
        "All steps learn from the same batches.",
        (
            *STEPS,
            "    state = generator.get_state()\n"
            + STEPS[1]
            + "        generator.set_state(state)\n",
        ),
    ),
    _way(
        "last_batch_again",
        "A step begins with the last batch of the one before.",
        _step(
            (BATCH, ""),
            (
                "    for _ in range(config.accumulate):\n",
                """\
    batches = [get_batch(data, config, generator) for _ in range(config.accumulate)]
    batches[0], optimizer.last = getattr(optimizer, "last", batches[0]), batches[-1]
    for inputs, targets in batches:
""",
            ),
        ),
    ),
    _way(
        "clipped_batch_by_batch",
        "What has been accumulated is clipped behind each batch.",
        _step((CLIPPED, ""), (TOLD, TOLD + "    " + CLIPPED)),
    ),
    _way(
        "clipped_group_by_group",
        "Each group of parameters is clipped by itself.",
        _step(
            (
                CLIPPED,
                """\
    for group in optimizer.param_groups:
        nn.utils.clip_grad_norm_(group["params"], config.grad_clip)
""",
            )
        ),
    ),
    _way(
        "falls_in_a_line",
        "The rate falls in a straight line.",
        (*FALLING, "    return config.learning_rate * (1 - done)\n"),
    ),
    _way(
        "falls_to_a_tenth",
        "The rate falls to a tenth, and not to nothing.",
        (
            *FALLING,
            "    return config.learning_rate * (0.55 + 0.45 * math.cos(math.pi * done))\n",
        ),
    ),
    _way(
        "falls_along_a_quarter",
        "The rate falls along the first quarter of a cosine.",
        (*FALLING, "    return config.learning_rate * math.cos(0.5 * math.pi * done)\n"),
    ),
    _way(
        "cosine_counts_the_warm_up",
        "The cosine is on its way before the warm-up ends, so that the rate jumps.",
        (*DONE, "    done = step / config.steps\n"),
    ),
    _way(
        "cosine_not_finished",
        "The cosine breaks off by as many steps as the warm-up has.",
        (*DONE, "    done = (step - config.warmup_steps) / config.steps\n"),
    ),
    _way(
        "warmed_up_in_a_curve",
        "The rate rises along a parabola.",
        (
            *WARMING,
            WARMING[1].replace(
                "(step + 1) / config.warmup_steps", "((step + 1) / config.warmup_steps) ** 2"
            ),
        ),
    ),
    _way(
        "warmed_up_half_as_long_again",
        "The warm-up takes half as long again.",
        (
            TRAIN,
            "    if step < config.warmup_steps:\n",
            "    if step < 1.5 * config.warmup_steps:\n",
        ),
        (
            *WARMING,
            WARMING[1].replace("config.warmup", "(1.5 * config.warmup").replace("\n", ")\n"),
        ),
    ),
    _way(
        "rates_of_seven_tenths",
        "The rate comes to seven tenths of the one asked for.",
        (*WARMING, WARMING[1].replace("return ", "return 0.7 * ")),
        (*FALLING, FALLING[1].replace("return ", "return 0.7 * ")),
    ),
    _way(
        "begun_by_the_depth_alone",
        "Each layer adds twice, and weights are divided by the root of how many there are.",
        (*BEGUN_SMALLER, BEGUN_SMALLER[1].replace("2 * config", "config")),
    ),
    _way(
        "begun_by_the_heads",
        "Heads are counted in place of layers.",
        (*BEGUN_SMALLER, BEGUN_SMALLER[1].replace("n_layer", "n_head")),
    ),
    _way(
        "begun_for_two_layers",
        "The root is that of the program's own depth, whatever depth is asked for.",
        (*BEGUN_SMALLER, BEGUN_SMALLER[1].replace("2 * config.n_layer", "2 * 2")),
    ),
    _way(
        "begun_with_their_biases",
        "Biases of the projections are drawn, too.",
        (MODEL, 'name.endswith("proj.weight")', '"proj." in name'),
    ),
    _way(
        "biases_of_torch",
        "Biases begin as torch draws them.",
        (
            MODEL,
            """\
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
""",
            "",
        ),
    ),
    _way(
        "begun_off_centre",
        "Weights begin around half of their spread.",
        (*BEGUN_SMALLER, BEGUN_SMALLER[1].replace("mean=0.0", "mean=0.004")),
    ),
    _way(
        "norms_of_a_half",
        "LayerNorms halve what they read at first.",
        (
            *TIED,
            TIED[1]
            + """\
        for block in self.blocks:
            nn.init.constant_(block.ln_1.weight, 0.5)
""",
        ),
    ),
    _way(
        "blocks_begun_alike",
        "All blocks begin as the first.",
        (
            *TIED,
            TIED[1]
            + """\
        for block in self.blocks[1:]:
            block.load_state_dict(self.blocks[0].state_dict())
""",
        ),
    ),
    _way(
        "keys_begun_as_queries",
        "Keys begin as queries do, number by number.",
        (
            *TIED,
            TIED[1]
            + """\
        for block in self.blocks:
            block.attn.key.weight.data.copy_(block.attn.query.weight.data)
""",
        ),
    ),
    _way(
        "begun_by_a_seed_of_its_own",
        "A model draws its weights by a seed of its own, whatever the training's.",
        (*BLOCKS, "        torch.manual_seed(1337)\n" + BLOCKS[1]),
    ),
    _way(
        "evaluated_behind_the_first_step",
        "Evaluations begin behind the first step, and come one step too late from there on.",
        (*WHEN_EVALUATED, "        if step % config.eval_every == 0:\n"),
    ),
)
