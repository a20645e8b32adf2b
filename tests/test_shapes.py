"""Ways of writing that other small GPTs have: forms find their places there, too."""

import pytest

from bugforge.catalogue import load
from bugforge.edits import apply_edits
from bugforge.surgery import parse, sites

ATTENTION = """def forward(self, x):
    att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
    att = att.masked_fill(self.bias[:, :, :T, :T] == 0, float("-inf"))
    att = F.softmax(att, dim=-1)
    y = att @ v
    y = y.transpose(1, 2).contiguous().view(B, T, C)
    y = self.drop(self.proj(y))
    return y
"""
FUSED = ATTENTION.replace(
    "def forward(self, x):\n",
    """def forward(self, x):
    parts = self.qkv(x).chunk(3, dim=-1)
    q = self.split(parts[0])
    k = self.split(parts[1])
    v = self.split(parts[2])
""",
)
SUM = """def forward(self, idx):
    pos = torch.arange(0, t, dtype=torch.long)
    tok_emb = self.parts.wte(idx)
    pos_emb = self.parts.wpe(pos)
    x = self.parts.drop(tok_emb + pos_emb)
    return x
"""
HEAD = """class LM(nn.Module):
    def __init__(self, width, vocab):
        self.parts = nn.ModuleDict(dict(norm=nn.LayerNorm(width)))
        self.head = nn.Linear(width, vocab)

    def forward(self, x, targets):
        for block in self.parts.h:
            x = block(x)
        x = self.parts.norm(x)
        logits = self.head(x)
        return F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1), ignore_index=-1)
"""
MLP = """class MLP(nn.Module):
    def __init__(self, width):
        self.wide = nn.Linear(width, 4 * width)
        self.gelu = nn.GELU()
        self.narrow = nn.Linear(4 * width, width)

    def forward(self, x):
        x = self.wide(x)
        x = self.gelu(x)
        x = self.narrow(x)
        return x
"""
BATCH = """def get_batch(data, n):
    x = torch.stack([data[i : i + n] for i in ix])
    y = torch.stack([data[i + 1 : i + 1 + n] for i in ix])
    return x, y
"""
STEP = """while True:
    for micro_step in range(steps):
        logits, loss = model(X, Y)
        scaler.scale(loss).backward()
    if grad_clip != 0.0:
        nn.utils.clip_grad_norm_(model.parameters(), grad_clip)
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad(set_to_none=True)
"""
GENERATE = """def generate(self, idx):
    idx_cond = idx if idx.size(1) <= self.size else idx[:, -self.size :]
    logits, _ = self(idx_cond)
    logits = logits[:, -1, :] / temperature
    v, _ = torch.topk(logits, k)
    logits[logits < v[:, [-1]]] = -float("inf")
    return torch.multinomial(F.softmax(logits, dim=-1), num_samples=1)
"""
SHAPES = [
    ("scale-missing", ATTENTION, "att = q @ k.transpose(-2, -1)\n"),
    ("scale-multiplied", ATTENTION, "(q @ k.transpose(-2, -1)) * math.sqrt(k.size(-1))\n"),
    ("scale-after-softmax", ATTENTION, "F.softmax(att, dim=-1) * (1.0 / math.sqrt(k.size(-1)))\n"),
    ("mask-wrong-corner", ATTENTION, "self.bias[:, :, -T:, :T] == 0"),
    ("out-proj-missing", ATTENTION, "y = self.drop(y)\n"),
    ("typo-q-for-k", FUSED, "k = self.split(parts[0])\n"),
    ("typo-k-for-v", FUSED, "v = self.split(parts[1])\n"),
    ("pe-missing", SUM, "self.parts.drop(tok_emb)\n"),
    ("pe-multiplied", SUM, "self.parts.drop(tok_emb * pos_emb)\n"),
    ("pe-off-by-one", SUM, "torch.arange(1, t + 1, dtype=torch.long)\n"),
    ("ln-final-missing", HEAD, "x = block(x)\n        logits = self.head(x)\n"),
    ("detach-in-path", HEAD, "x = self.parts.norm(x.detach())\n"),
    ("lm-head-dims-swapped", HEAD, "nn.Linear(vocab, width)\n"),
    ("blocks-chain-broken", HEAD, "for block in self.parts.h[:-1]:\n"),
    ("shift-double", HEAD, "view(-1, logits.size(-1))[:-1],\n            targets.view(-1)[1:],\n"),
    ("mlp-activation-missing", MLP, "x = self.wide(x)\n        x = self.narrow(x)\n"),
    ("mlp-activation-late", MLP, "x = self.narrow(x)\n        x = self.gelu(x)\n"),
    ("shift-same-end", BATCH, "y = torch.stack([data[i : i + n] for i in ix])\n"),
    ("shift-wrong-direction", BATCH, "x = torch.stack([data[i + 1 : i + 1 + n] for i in ix])\n"),
    ("missing-backward", STEP, "logits, loss = model(X, Y)\n    if grad_clip"),
    ("missing-step", STEP, "grad_clip)\n    scaler.update()\n"),
    ("missing-zero-grad", STEP, "scaler.step(optimizer)\n    scaler.update()\n"),
    ("zero-grad-after-backward", STEP, "backward()\n    optimizer.zero_grad(set_to_none=True)\n"),
    ("clip-after-step", STEP, "scaler.step(optimizer)\n    if grad_clip"),
    ("gen-no-crop", GENERATE, "logits, _ = self(idx)\n"),
    ("gen-wrong-position", GENERATE, "logits[:, -2, :] / temperature\n"),
    ("gen-temperature-mul", GENERATE, "logits[:, -1, :] * temperature\n"),
    ("gen-topk-fill", GENERATE, "logits[logits < v[:, [-1]]] = 1e-10\n"),
]
LOOK_ALIKES = [
    ("typo-k-for-v", FUSED.replace("self.qkv(x).chunk(3, dim=-1)", "given")),
    ("typo-k-for-v", FUSED.replace("self.split(parts[2])", "self.value(x)")),
    ("ln-final-missing", HEAD.replace("norm=nn.LayerNorm(width)", "norm=nn.Dropout(0.1)")),
    ("pe-missing", SUM.replace("self.parts.wpe(pos)", "self.parts.wpe(idx)")),
    ("shift-same-end", BATCH.replace("data[i + 1 : i + 1 + n]", "other[i : i + n]")),
    ("mlp-activation-missing", MLP.replace("nn.GELU()", "nn.LayerNorm(4 * width)")),
]


def _planted(id_: str, text: str) -> list[str]:
    source = parse("example.py", text)
    return [
        apply_edits({"example.py": text}, site.plant())["example.py"]
        for form in load().kind(id_).forms
        for site in sites(source, form)
    ]


@pytest.mark.parametrize(("id_", "text", "planted"), SHAPES, ids=[shape[0] for shape in SHAPES])
def test_a_kind_finds_a_place_in_other_shapes(id_: str, text: str, planted: str) -> None:
    """A kind is planted in code of other shapes than ours as its page says."""
    found = _planted(id_, text)
    assert any(planted in program for program in found), found
    for program in found:
        compile(program, "example.py", "exec")


@pytest.mark.parametrize(("id_", "text"), LOOK_ALIKES, ids=[shape[0] for shape in LOOK_ALIKES])
def test_a_kind_leaves_look_alikes_alone(id_: str, text: str) -> None:
    """What only looks like such a shape is no place."""
    assert _planted(id_, text) == []
