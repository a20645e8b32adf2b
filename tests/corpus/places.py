"""Places in the reference that fixtures rewrite: the file, and the text that stands there."""

MODEL = "model.py"
TRAIN = "train.py"

Place = tuple[str, str]

MODEL_IMPORTS: Place = (MODEL, "import math\nfrom dataclasses import dataclass\n")
HEAD_COUNT: Place = (MODEL, "        self.n_head = config.n_head\n")
QKV_LAYERS: Place = (
    MODEL,
    """\
        self.query = nn.Linear(config.n_embd, config.n_embd)
        self.key = nn.Linear(config.n_embd, config.n_embd)
        self.value = nn.Linear(config.n_embd, config.n_embd)
""",
)
PROJ_LAYER: Place = (MODEL, "        self.proj = nn.Linear(config.n_embd, config.n_embd)\n")
MASK_TABLE: Place = (
    MODEL,
    """\
        mask = torch.tril(torch.ones(config.block_size, config.block_size, dtype=torch.bool))
        self.register_buffer("mask", mask, persistent=False)
""",
)
SPLIT: Place = (
    MODEL,
    """\
        B, T, C = x.shape
        return x.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)  # (B, nh, T, hs)
""",
)
QKV: Place = (
    MODEL,
    """\
        q = self.split_heads(self.query(x))
        k = self.split_heads(self.key(x))
        v = self.split_heads(self.value(x))
""",
)
QUERY: Place = (MODEL, "        q = self.split_heads(self.query(x))\n")
KEY: Place = (MODEL, "        k = self.split_heads(self.key(x))\n")
VALUE: Place = (MODEL, "        v = self.split_heads(self.value(x))\n")
SCORES: Place = (
    MODEL,
    "        att = (q @ k.transpose(-2, -1)) / math.sqrt(k.size(-1))  # (B, nh, T, T)\n",
)
MASK: Place = (MODEL, '        att = att.masked_fill(~self.mask[:T, :T], float("-inf"))\n')
SOFTMAX: Place = (MODEL, "        att = F.softmax(att, dim=-1)\n")
WEIGH: Place = (MODEL, "        y = att @ v  # (B, nh, T, hs)\n")
MERGE: Place = (
    MODEL,
    "        y = y.transpose(1, 2).contiguous().view(B, T, C)  # (B, T, C)\n",
)
PROJ: Place = (MODEL, "        return self.proj(y)\n")
MASKED_SOFTMAX: Place = (MODEL, MASK[1] + SOFTMAX[1])
ATTEND: Place = (MODEL, SCORES[1] + MASK[1] + SOFTMAX[1] + WEIGH[1])
WHOLE_ATTENTION: Place = (MODEL, QKV[1] + ATTEND[1] + MERGE[1] + PROJ[1])
MLP_LAYERS: Place = (
    MODEL,
    """\
        self.up = nn.Linear(config.n_embd, 4 * config.n_embd)
        self.down = nn.Linear(4 * config.n_embd, config.n_embd)
""",
)
MLP_FORWARD: Place = (MODEL, "        return self.down(F.gelu(self.up(x)))\n")
BLOCK_LAYERS: Place = (
    MODEL,
    """\
        self.ln_1 = nn.LayerNorm(config.n_embd)
        self.attn = CausalSelfAttention(config)
        self.ln_2 = nn.LayerNorm(config.n_embd)
        self.mlp = MLP(config)
""",
)
RESIDUALS: Place = (
    MODEL,
    """\
        x = x + self.attn(self.ln_1(x))
        x = x + self.mlp(self.ln_2(x))
        return x
""",
)
FIRST_RESIDUAL: Place = (MODEL, "        x = x + self.attn(self.ln_1(x))\n")
SECOND_RESIDUAL: Place = (MODEL, "        x = x + self.mlp(self.ln_2(x))\n")
TOKEN_TABLE: Place = (
    MODEL,
    "        self.tok_emb = nn.Embedding(config.vocab_size, config.n_embd)\n",
)
POSITION_TABLE: Place = (
    MODEL,
    "        self.pos_emb = nn.Parameter(0.02 * torch.randn(config.block_size, config.n_embd))\n",
)
BLOCKS: Place = (
    MODEL,
    "        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layer))\n",
)
LAST_NORM: Place = (MODEL, "        self.ln_f = nn.LayerNorm(config.n_embd)\n")
HEAD: Place = (
    MODEL,
    "        self.head = nn.Linear(config.n_embd, config.vocab_size, bias=False)\n",
)
APPLY_INIT: Place = (MODEL, "        self.apply(self.init_weights)\n")
INIT: Place = (
    MODEL,
    """\
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, mean=0.0, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
""",
)
ADD_POSITIONS: Place = (
    MODEL,
    "        x = self.tok_emb(idx) + self.pos_emb[: idx.size(1)]  # (B, T, C)\n",
)
RUN_BLOCKS: Place = (
    MODEL,
    """\
        for block in self.blocks:
            x = block(x)
""",
)
LOGITS: Place = (MODEL, "        logits = self.head(self.ln_f(x))\n")
NO_TARGETS: Place = (
    MODEL,
    """\
        if targets is None:
            return logits, None
""",
)
LOSS: Place = (
    MODEL,
    "        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())\n",
)
FORWARD_HEAD: Place = (
    MODEL,
    """\
    def forward(self, idx, targets=None):
        \"\"\"Map tokens (B, T) to logits (B, T, V); with targets (B, T), also give the loss.\"\"\"
""",
)
NO_GRAD: Place = (MODEL, "    @torch.no_grad()\n")
MODE_KEPT: Place = (
    MODEL,
    """\
        was_training = self.training
        self.eval()
""",
)
MODE_BACK: Place = (MODEL, "        self.train(was_training)\n")
CROP: Place = (MODEL, "            context = idx[:, -self.config.block_size :]\n")
LAST_LOGITS: Place = (MODEL, "            logits = logits[:, -1, :]  # (B, V)\n")
ARGMAX: Place = (MODEL, "                next_idx = logits.argmax(dim=-1, keepdim=True)\n")
TEMPERATURE: Place = (MODEL, "                logits = logits / temperature\n")
TOP_K: Place = (
    MODEL,
    """\
                    kept, _ = logits.topk(min(top_k, logits.size(-1)))
                    logits = logits.masked_fill(logits < kept[:, [-1]], float("-inf"))
""",
)
DRAW: Place = (
    MODEL,
    "                next_idx = torch.multinomial(F.softmax(logits, dim=-1), num_samples=1)\n",
)
GROW: Place = (MODEL, "            idx = torch.cat((idx, next_idx), dim=1)\n")

TRAIN_IMPORTS: Place = (TRAIN, "import torch\nfrom torch import nn\n")
IMPORT_MODEL: Place = (TRAIN, "from model import GPT, GPTConfig\n")
VOCABULARY: Place = (
    TRAIN,
    """\
    def __init__(self, text):
        self.chars = sorted(set(text))
        self.index = {char: i for i, char in enumerate(self.chars)}

    def __len__(self):
        return len(self.chars)

    def encode(self, text):
        return torch.tensor([self.index[char] for char in text])

    def decode(self, tokens):
        return "".join(self.chars[token] for token in tokens)
""",
)
WINDOWS: Place = (
    TRAIN,
    """\
    span = config.block_size + 1
    last = len(data) - span
    # Starts beyond an edge are moved onto it, else the first and last tokens would be rare.
    starts = torch.randint(-span, last + span, (config.batch_size,), generator=generator)
    starts = starts.clamp(0, last)
    windows = data[starts[:, None] + torch.arange(span)]  # (B, T + 1)
    return windows[:, :-1], windows[:, 1:]
""",
)
CUT: Place = (
    TRAIN,
    "    windows = data[starts[:, None] + torch.arange(span)]  # (B, T + 1)\n",
)
PAIR: Place = (TRAIN, "    return windows[:, :-1], windows[:, 1:]\n")
LAST_START: Place = (TRAIN, "    last = len(data) - span\n")
CLAMP: Place = (TRAIN, "    starts = starts.clamp(0, last)\n")
DATA_FOR_BATCH: Place = (TRAIN, "        batch = get_batch(data, config, generator)\n")
OPTIMIZER: Place = (
    TRAIN,
    """\
    return torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
""",
)
SCHEDULE: Place = (
    TRAIN,
    """\
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    done = (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * done))
""",
)
UNPACK: Place = (TRAIN, "    inputs, targets = batch\n")
CALL: Place = (
    TRAIN,
    "    _, loss = model(inputs.to(config.device), targets.to(config.device))\n",
)
ZERO_GRAD: Place = (TRAIN, "    optimizer.zero_grad()\n")
BACKWARD: Place = (TRAIN, "    loss.backward()\n")
CLIP: Place = (TRAIN, "    nn.utils.clip_grad_norm_(model.parameters(), config.grad_clip)\n")
STEP: Place = (TRAIN, "    optimizer.step()\n")
LEARN: Place = (TRAIN, ZERO_GRAD[1] + BACKWARD[1] + CLIP[1] + STEP[1])
WHOLE_STEP: Place = (TRAIN, UNPACK[1] + CALL[1] + LEARN[1] + "    return loss.item()\n")
RETURN_LOSS: Place = (TRAIN, "    return loss.item()\n")
STEP_HEAD: Place = (TRAIN, "def train_step(model, optimizer, batch, config):\n")
MODEL_MADE: Place = (
    TRAIN,
    "    model = GPT(GPTConfig(vocab_size=len(vocabulary), block_size=config.block_size))\n",
)
OPTIMIZER_MADE: Place = (TRAIN, "    optimizer = make_optimizer(model, config)\n")
MODEL_TRAIN: Place = (TRAIN, "    losses = []\n    model.train()\n")
RATE_SET: Place = (
    TRAIN,
    """\
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, config)
""",
)
LOOP: Place = (
    TRAIN,
    """\
    for step in range(config.steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, config)
        batch = get_batch(data, config, generator)
        losses.append(train_step(model, optimizer, batch, config))
""",
)
LEARN_BATCH: Place = (
    TRAIN,
    "        losses.append(train_step(model, optimizer, batch, config))\n",
)
ENCODE_PROMPT: Place = (
    TRAIN,
    "    idx = vocabulary.encode(prompt)[None].to(device)  # (1, T)\n",
)
GENERATE: Place = (
    TRAIN,
    "    idx = model.generate(idx, max_new_tokens, temperature=0)\n",
)
DECODE: Place = (TRAIN, "    return vocabulary.decode(idx[0].tolist())\n")
DATA: Place = (TRAIN, "    data = vocabulary.encode(text)\n")
