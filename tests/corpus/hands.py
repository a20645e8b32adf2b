"""Models and trainings by other hands: nothing in them is the reference's but the contract."""

FROM_THE_LEFT = '''\
"""A decoder of parameters alone, x @ W throughout."""
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import cross_entropy, gelu, layer_norm


@dataclass
class GPTConfig:
    vocab_size: int
    block_size: int = 24
    n_layer: int = 2
    n_head: int = 4
    n_embd: int = 48


def normal(*shape):
    return nn.Parameter(torch.randn(*shape) * 0.02)


class Layer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.wq, self.wk, self.wv, self.wo = (normal(width, width) for _ in range(4))
        self.bq, self.bk, self.bv, self.bo = (nn.Parameter(torch.zeros(width)) for _ in range(4))
        self.w1, self.w2 = normal(width, 4 * width), normal(4 * width, width)
        self.b1, self.b2 = nn.Parameter(torch.zeros(4 * width)), nn.Parameter(torch.zeros(width))
        self.g1, self.g2 = nn.Parameter(torch.ones(width)), nn.Parameter(torch.ones(width))
        self.s1, self.s2 = nn.Parameter(torch.zeros(width)), nn.Parameter(torch.zeros(width))


class GPT(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        C = config.n_embd
        self.E = normal(config.vocab_size, C)
        self.P = normal(config.block_size, C)
        self.layers = nn.ModuleList([Layer(C) for _ in range(config.n_layer)])
        self.g, self.s = nn.Parameter(torch.ones(C)), nn.Parameter(torch.zeros(C))
        self.U = normal(config.vocab_size, C)

    def heads(self, x):
        return x.unflatten(-1, (self.config.n_head, -1))

    def attend(self, x, p):
        q, k, v = (
            self.heads(x @ w + b) for w, b in ((p.wq, p.bq), (p.wk, p.bk), (p.wv, p.bv))
        )
        scores = torch.einsum("bihd,bjhd->bhij", q, k) * q.size(-1) ** -0.5
        future = torch.ones(scores.shape[-2:], dtype=torch.bool, device=x.device).triu(1)
        weights = scores.masked_fill(future, -torch.inf).softmax(-1)
        return torch.einsum("bhij,bjhd->bihd", weights, v).flatten(-2) @ p.wo + p.bo

    def forward(self, idx, targets=None):
        C = (self.config.n_embd,)
        x = self.E[idx] + self.P[: idx.shape[1]]
        for p in self.layers:
            x = x + self.attend(layer_norm(x, C, p.g1, p.s1), p)
            x = x + gelu(layer_norm(x, C, p.g2, p.s2) @ p.w1 + p.b1) @ p.w2 + p.b2
        logits = layer_norm(x, C, self.g, self.s) @ self.U.T
        if targets is None:
            return logits, None
        return logits, cross_entropy(logits.movedim(-1, 1), targets)

    @torch.no_grad()
    def generate(self, idx, max_new_tokens, temperature=1.0, top_k=None):
        for _ in range(max_new_tokens):
            last = self.forward(idx[:, -self.config.block_size :])[0][:, -1]
            if temperature == 0:
                new = last.argmax(-1)[:, None]
            else:
                last = last / temperature
                if top_k is not None and top_k < last.shape[-1]:
                    threshold = last.sort(-1, descending=True).values[:, top_k - 1 : top_k]
                    last = last.where(last >= threshold, -torch.inf)
                new = last.softmax(-1).multinomial(1)
            idx = torch.hstack([idx, new])
        return idx
'''

ONE_CLASS = '''\
"""The whole decoder in one class: a dictionary of parameters and functions of torch."""
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class GPTConfig:
    vocab_size: int
    block_size: int = 24
    n_layer: int = 2
    n_head: int = 4
    n_embd: int = 48


class GPT(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        C, V, T = config.n_embd, config.vocab_size, config.block_size
        shapes = {"unembed": (V, C), "wpe": (T, C), "wte": (V, C)}
        for i in range(config.n_layer):
            for name in ("q", "k", "v", "o"):
                shapes[f"h{i}_{name}_w"] = (C, C)
                shapes[f"h{i}_{name}_b"] = (C,)
            shapes |= {f"h{i}_up_w": (4 * C, C), f"h{i}_up_b": (4 * C,)}
            shapes |= {f"h{i}_down_w": (C, 4 * C), f"h{i}_down_b": (C,)}
            shapes |= {f"h{i}_ln{n}_{p}": (C,) for n in (1, 2) for p in ("gain", "shift")}
        shapes |= {"ln_gain": (C,), "ln_shift": (C,)}
        self.p = nn.ParameterDict({name: self._fresh(name, s) for name, s in shapes.items()})

    @staticmethod
    def _fresh(name, shape):
        if name.endswith("gain"):
            return torch.ones(shape)
        return torch.zeros(shape) if len(shape) == 1 else torch.randn(shape).mul(0.02)

    def _norm(self, x, name):
        return F.layer_norm(x, x.shape[-1:], self.p[f"{name}_gain"], self.p[f"{name}_shift"])

    def _linear(self, x, name):
        return F.linear(x, self.p[f"{name}_w"], self.p[f"{name}_b"])

    def forward(self, idx, targets=None):
        n, T = self.config.n_head, idx.size(-1)
        x = F.embedding(idx, self.p["wte"]) + self.p["wpe"].narrow(0, 0, T)
        bias = torch.zeros(T, T, device=x.device)
        bias[torch.triu_indices(T, T, 1).unbind()] = float("-inf")
        for i in range(self.config.n_layer):
            h = self._norm(x, f"h{i}_ln1")
            q, k, v = (
                self._linear(h, f"h{i}_{name}").unflatten(-1, (n, -1)).movedim(-2, 1)
                for name in "qkv"
            )
            att = torch.softmax(q @ k.mT / k.shape[-1] ** 0.5 + bias, -1)
            x = x + self._linear((att @ v).movedim(1, -2).flatten(-2), f"h{i}_o")
            h = self._norm(x, f"h{i}_ln2")
            x = x + self._linear(F.gelu(self._linear(h, f"h{i}_up")), f"h{i}_down")
        logits = F.linear(self._norm(x, "ln"), self.p["unembed"])
        if targets is None:
            return logits, None
        nll = logits.logsumexp(-1) - logits.gather(-1, targets[..., None]).squeeze(-1)
        return logits, nll.mean()

    @torch.no_grad()
    def generate(self, idx, max_new_tokens, temperature=1.0, top_k=None):
        start = idx.size(1)
        idx = F.pad(idx, (0, max_new_tokens))
        for end in range(start, start + max_new_tokens):
            logits = self(idx[:, max(0, end - self.config.block_size) : end])[0][:, -1]
            if temperature == 0:
                idx[:, end] = logits.argmax(-1)
            else:
                logits = logits / temperature
                if top_k is not None:
                    least = torch.topk(logits, min(top_k, logits.size(-1)))[0][:, -1:]
                    logits[logits < least] = -torch.inf
                idx[:, end] = torch.multinomial(logits.softmax(-1), 1).squeeze(1)
        return idx
'''

LIBRARY_ATTENTION = '''\
"""torch's own attention module in pre-norm blocks."""
from dataclasses import dataclass

import torch
from torch import nn
import torch.nn.functional as F


@dataclass
class GPTConfig:
    vocab_size: int
    block_size: int = 24
    n_layer: int = 2
    n_head: int = 4
    n_embd: int = 48


class Block(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.norm1 = nn.LayerNorm(d)
        self.attn = nn.MultiheadAttention(d, h, batch_first=True)
        self.norm2 = nn.LayerNorm(d)
        self.ff = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))

    def forward(self, x, mask):
        h = self.norm1(x)
        a, _ = self.attn(h, h, h, attn_mask=mask, need_weights=False)
        x = x + a
        return x + self.ff(self.norm2(x))


class GPT(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        d = config.n_embd
        self.token = nn.Embedding(config.vocab_size, d)
        self.position = nn.Embedding(config.block_size, d)
        self.blocks = nn.ModuleList([Block(d, config.n_head) for _ in range(config.n_layer)])
        self.norm = nn.LayerNorm(d)
        self.unembed = nn.Linear(d, config.vocab_size, bias=False)
        for name, p in self.named_parameters():
            if "norm" in name:
                continue
            if p.ndim == 2:
                nn.init.normal_(p, 0.0, 0.02)
            else:
                nn.init.constant_(p, 0.0)

    def forward(self, idx, targets=None):
        T = idx.shape[1]
        x = self.token(idx) + self.position(torch.arange(T, device=idx.device))[None]
        mask = nn.Transformer.generate_square_subsequent_mask(T, device=idx.device)
        for block in self.blocks:
            x = block(x, mask)
        logits = self.unembed(self.norm(x))
        loss = None
        if targets is not None:
            loss = F.cross_entropy(logits.transpose(1, 2), targets)
        return logits, loss

    @torch.inference_mode()
    def generate(self, idx, max_new_tokens, temperature=1.0, top_k=None):
        before = self.training
        self.eval()
        try:
            for _ in range(max_new_tokens):
                logits = self(idx[:, -self.config.block_size :])[0][:, -1]
                if temperature == 0:
                    nxt = logits.argmax(dim=-1, keepdim=True)
                else:
                    logits = logits / temperature
                    if top_k:
                        cut = logits.topk(min(top_k, logits.shape[-1])).values.min(-1, True).values
                        logits = torch.where(logits < cut, float("-inf"), logits)
                    nxt = torch.multinomial(logits.softmax(-1), 1)
                idx = torch.cat([idx, nxt], 1)
        finally:
            self.train(before)
        return idx
'''

LIBRARY_LAYERS = '''\
"""A stack of torch's encoder layers, norm first, with a causal mask."""
from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class GPTConfig:
    vocab_size: int
    block_size: int = 24
    n_layer: int = 2
    n_head: int = 4
    n_embd: int = 48


class GPT(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        layer = nn.TransformerEncoderLayer(
            d_model=config.n_embd,
            nhead=config.n_head,
            dim_feedforward=4 * config.n_embd,
            dropout=0.0,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.tokens = nn.Embedding(config.vocab_size, config.n_embd)
        self.places = nn.Embedding(config.block_size, config.n_embd)
        self.stack = nn.TransformerEncoder(
            layer,
            num_layers=config.n_layer,
            norm=nn.LayerNorm(config.n_embd),
            enable_nested_tensor=False,
        )
        self.out = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        with torch.no_grad():
            for p in self.parameters():
                if p.dim() > 1:
                    p.normal_(std=0.02)
            for m in self.modules():
                bias = getattr(m, "bias", None)
                if isinstance(m, nn.Linear) and bias is not None:
                    bias.zero_()

    def forward(self, idx, targets=None):
        length = idx.size(1)
        where = torch.arange(length, device=idx.device).expand_as(idx)
        mask = torch.full((length, length), float("-inf"), device=idx.device).triu(1)
        hidden = self.stack(self.tokens(idx) + self.places(where), mask=mask, is_causal=True)
        logits = self.out(hidden)
        if targets is None:
            return logits, None
        return logits, nn.CrossEntropyLoss()(logits.flatten(end_dim=1), targets.flatten())

    @torch.no_grad()
    def generate(self, idx, max_new_tokens, temperature=1.0, top_k=None):
        training, tokens = self.training, idx
        self.eval()
        for _ in range(max_new_tokens):
            scores = self(tokens[:, -self.config.block_size :])[0][:, -1]
            if temperature == 0:
                chosen = scores.topk(1).indices
            else:
                scores = scores / temperature
                if top_k is not None:
                    kept = scores.topk(min(top_k, scores.size(1)))
                    scores = torch.full_like(scores, -torch.inf)
                    scores = scores.scatter(1, kept.indices, kept.values)
                chosen = torch.multinomial(torch.softmax(scores, dim=1), 1)
            tokens = torch.cat((tokens, chosen), dim=1)
        self.train(training)
        return tokens
'''

CONVOLUTIONS = '''\
"""Every linear layer as a convolution over time with a kernel of one."""
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F


@dataclass
class GPTConfig:
    vocab_size: int
    block_size: int = 24
    n_layer: int = 2
    n_head: int = 4
    n_embd: int = 48


class ChannelNorm(nn.LayerNorm):
    def forward(self, x):  # (B, C, T)
        return super().forward(x.mT).mT


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.merge = (
            nn.Conv1d(width, width, 1) for _ in range(4)
        )

    def forward(self, x):
        b, c, t = x.shape
        q, k, v = (
            f(x).reshape(b * self.heads, c // self.heads, t)
            for f in (self.query, self.key, self.value)
        )
        scores = torch.bmm(q.mT, k) / (c // self.heads) ** 0.5
        seen = torch.ones(t, t, device=x.device).tril().bool()
        p = torch.softmax(scores.masked_fill(seen.logical_not(), float("-inf")), dim=2)
        return self.merge(torch.bmm(v, p.mT).reshape(b, c, t))


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        c = config.n_embd
        self.att = nn.Sequential(ChannelNorm(c), Attention(c, config.n_head))
        self.ffn = nn.Sequential(
            ChannelNorm(c), nn.Conv1d(c, 4 * c, 1), nn.GELU(), nn.Conv1d(4 * c, c, 1)
        )

    def forward(self, x):
        x = x + self.att(x)
        return x + self.ffn(x)


class GPT(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        c = config.n_embd
        self.tok = nn.Embedding(config.vocab_size, c)
        self.pos = nn.Parameter(torch.zeros(c, config.block_size).T.contiguous())
        self.body = nn.Sequential(*(Block(config) for _ in range(config.n_layer)), ChannelNorm(c))
        self.head = nn.Conv1d(c, config.vocab_size, 1, bias=False)
        for m in self.modules():
            if isinstance(m, (nn.Conv1d, nn.Embedding)):
                nn.init.normal_(m.weight, std=0.02)
                if getattr(m, "bias", None) is not None:
                    nn.init.zeros_(m.bias)

    def forward(self, idx, targets=None):
        x = self.tok(idx) + self.pos[: idx.size(1)]
        logits = self.head(self.body(x.mT))  # (B, V, T)
        loss = None if targets is None else F.cross_entropy(logits, targets)
        return logits.mT, loss

    @torch.no_grad()
    def generate(self, idx, max_new_tokens, temperature=1.0, top_k=None):
        out = list(idx.unbind(1))
        for _ in range(max_new_tokens):
            window = torch.stack(out[-self.config.block_size :], dim=1)
            logits = self(window)[0][:, -1]
            if temperature == 0:
                out.append(logits.max(dim=-1).indices)
                continue
            logits = logits / temperature
            if top_k is not None:
                rank = logits.argsort(descending=True).argsort()
                logits = logits.masked_fill(rank >= top_k, float("-inf"))
            noise = -torch.empty_like(logits).exponential_().log()
            out.append((logits + noise).argmax(-1))
        return torch.stack(out, dim=1)
'''

TRAINER = '''\
"""A trainer as a dataclass, with a scheduler."""
import argparse
import math
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import torch
from torch.optim.lr_scheduler import LambdaLR

from model import GPT, GPTConfig

TEXT = "Nobody had told the ferry that the bridge was finished."


@dataclass(frozen=True)
class TrainConfig:
    block_size: int = 24
    batch_size: int = 32
    steps: int = 300
    learning_rate: float = 5e-3
    warmup_steps: int = 20
    weight_decay: float = 0.01
    grad_clip: float = 1.0
    device: str = "cpu"


class CharTokenizer:
    def __init__(self, text: str) -> None:
        self.alphabet = "".join(dict.fromkeys(text))

    def __call__(self, text: str) -> torch.Tensor:
        return torch.tensor([self.alphabet.index(c) for c in text])

    def invert(self, ids: torch.Tensor) -> str:
        return "".join(self.alphabet[i] for i in ids)


@dataclass
class Trainer:
    config: TrainConfig
    model: torch.nn.Module
    data: torch.Tensor
    generator: torch.Generator
    losses: list = field(default_factory=list)
    optimizer: Any = field(init=False)
    scheduler: Any = field(init=False)

    def __post_init__(self):
        c = self.config
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=c.learning_rate, weight_decay=c.weight_decay
        )

        def factor(step):
            if step < c.warmup_steps:
                return (step + 1) / c.warmup_steps
            done = (step - c.warmup_steps) / max(1, c.steps - c.warmup_steps)
            return 0.5 * (1.0 + math.cos(math.pi * done))

        self.scheduler = LambdaLR(self.optimizer, factor)

    def batch(self):
        c = self.config
        windows = self.data.unfold(0, c.block_size + 1, 1)
        picks = torch.randint(len(windows), (c.batch_size,), generator=self.generator)
        chosen = windows[picks].to(c.device)
        return chosen[:, :-1], chosen[:, 1:]

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        _, loss = self.model(*self.batch())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.grad_clip)
        self.optimizer.step()
        self.scheduler.step()
        self.losses.append(float(loss.detach()))

    def fit(self):
        self.model.train()
        while len(self.losses) < self.config.steps:
            self.step()
        return self.model


def train(text, config, seed):
    torch.manual_seed(seed)
    tokenizer = CharTokenizer(text)
    model = GPT(GPTConfig(len(tokenizer.alphabet), config.block_size)).to(config.device)
    trainer = Trainer(config, model, tokenizer(text), torch.Generator().manual_seed(seed))
    return trainer.fit(), tokenizer, trainer.losses


def sample(model, vocabulary, prompt, max_new_tokens):
    device = next(model.parameters()).device
    out = model.generate(vocabulary(prompt).to(device).unsqueeze(0), max_new_tokens, temperature=0)
    return vocabulary.invert(out.squeeze(0))


def main():
    parser = argparse.ArgumentParser(description="Overfit one sentence.")
    parser.add_argument("device", nargs="?", default="cpu")
    parser.add_argument("--seed", type=int, default=1337)
    for f in fields(TrainConfig):
        if f.name != "device":
            name = "--" + f.name.replace("_", "-")
            parser.add_argument(name, type=type(f.default), default=f.default)
    args = vars(parser.parse_args())
    seed = args.pop("seed")
    config = TrainConfig(**args)
    print(asdict(config))
    model, vocabulary, losses = train(TEXT, config, seed)
    for i, loss in enumerate(losses):
        if i % 50 == 0 or i == len(losses) - 1:
            print(f"step {i}  loss {loss:.4f}")
    print("sample:", sample(model, vocabulary, TEXT[:8], len(TEXT) - 8))


if __name__ == "__main__":
    main()
'''

LOADER = '''\
"""Batches from a DataLoader."""
import sys
from dataclasses import dataclass

import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR
from torch.utils.data import DataLoader, Dataset, RandomSampler

from model import GPT, GPTConfig

TEXT = "Nobody had told the ferry that the bridge was finished."


@dataclass
class TrainConfig:
    block_size: int = 24
    batch_size: int = 32
    steps: int = 300
    learning_rate: float = 5e-3
    warmup_steps: int = 20
    weight_decay: float = 0.01
    grad_clip: float = 1.0
    device: str = "cpu"


class Windows(Dataset):
    def __init__(self, tokens, block_size):
        self.tokens, self.block_size = tokens, block_size

    def __len__(self):
        return len(self.tokens) - self.block_size

    def __getitem__(self, i):
        window = self.tokens[i : i + self.block_size + 1]
        return {"input_ids": window[:-1], "labels": window[1:]}


def build_vocab(text):
    return {c: i for i, c in enumerate(sorted(set(text)))}


def train(text, config, seed):
    torch.manual_seed(seed)
    vocab = build_vocab(text)
    dataset = Windows(torch.LongTensor([vocab[c] for c in text]), config.block_size)
    sampler = RandomSampler(
        dataset,
        replacement=True,
        num_samples=config.steps * config.batch_size,
        generator=torch.Generator().manual_seed(seed),
    )
    loader = DataLoader(dataset, batch_size=config.batch_size, sampler=sampler, num_workers=0)
    model = GPT(GPTConfig(vocab_size=len(vocab), block_size=config.block_size)).to(config.device)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    warm = max(1, config.warmup_steps)
    scheduler = SequentialLR(
        optimizer,
        [
            LinearLR(optimizer, start_factor=1 / warm, total_iters=warm - 1),
            CosineAnnealingLR(optimizer, T_max=max(1, config.steps - warm), eta_min=0.0),
        ],
        milestones=[warm - 1],
    )
    history = []
    for batch in loader:
        batch = {name: tensor.to(config.device) for name, tensor in batch.items()}
        _, loss = model(batch["input_ids"], targets=batch["labels"])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=config.grad_clip)
        optimizer.step()
        scheduler.step()
        history.append(loss.item())
    return model, vocab, history


def sample(model, vocabulary, prompt, max_new_tokens):
    inverse = {i: c for c, i in vocabulary.items()}
    ids = torch.tensor([[vocabulary[c] for c in prompt]], device=next(model.parameters()).device)
    grown = model.generate(ids, max_new_tokens, temperature=0.0)[0]
    return "".join(map(inverse.get, grown.tolist()))


def main():
    config = TrainConfig()
    if sys.argv[1:]:
        config.device = sys.argv[1]
    model, vocab, history = train(TEXT, config, seed=0)
    print(*(f"{i:4d} {l:.4f}" for i, l in enumerate(history) if i % 50 == 0), sep="\\n")
    print(sample(model, vocab, TEXT[:8], len(TEXT) - 8))


if __name__ == "__main__":
    main()
'''

GENERATORS = '''\
"""Generators all the way."""
import itertools as it
import sys
from dataclasses import dataclass
from types import SimpleNamespace

import torch
from torch.nn.utils import clip_grad_norm_

from model import GPT, GPTConfig

TEXT = "Nobody had told the ferry that the bridge was finished."


@dataclass
class TrainConfig:
    block_size: int = 24
    batch_size: int = 32
    steps: int = 300
    learning_rate: float = 5e-3
    warmup_steps: int = 20
    weight_decay: float = 0.01
    grad_clip: float = 1.0
    device: str = "cpu"


def batches(data, size, span, generator, device):
    while True:
        starts = torch.randint(0, len(data) - span, (size, 1), generator=generator)
        places = starts + torch.arange(span)
        yield data[places].to(device), data[places + 1].to(device)


def rates(peak, warmup, steps):
    yield from (peak * n / max(warmup, 1) for n in range(1, warmup + 1))
    left = max(1, steps - warmup)
    yield from (peak * max(0.0, 1 - n / left) for n in it.count())


def learn(model, optimizer, pairs, rates, clip):
    for (x, y), rate in zip(pairs, rates):
        for group in optimizer.param_groups:
            group.update(lr=rate)
        _, loss = model(x, y)
        optimizer.zero_grad()
        loss.backward()
        clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        yield loss.detach()


def train(text, config, seed):
    rng = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    alphabet = sorted(set(text), reverse=True)
    vocabulary = SimpleNamespace(
        encode=lambda s: torch.tensor(list(map(alphabet.index, s))),
        decode=lambda ids: "".join(alphabet[i] for i in ids),
    )
    model = GPT(GPTConfig(vocab_size=len(alphabet), block_size=config.block_size))
    model = model.to(config.device).train()
    optimizer = torch.optim.AdamW(
        model.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    stream = batches(
        vocabulary.encode(text), config.batch_size, config.block_size, rng, config.device
    )
    schedule = rates(config.learning_rate, config.warmup_steps, config.steps)
    run = learn(model, optimizer, stream, schedule, config.grad_clip)
    losses = torch.stack(list(it.islice(run, config.steps))).tolist()
    return model, vocabulary, losses


def sample(model, vocabulary, prompt, max_new_tokens):
    ids = vocabulary.encode(prompt)[None].to(next(model.parameters()).device)
    return vocabulary.decode(model.generate(ids, max_new_tokens, temperature=0)[0])


def main(argv=None):
    (device,) = (argv if argv is not None else sys.argv[1:]) or ["cpu"]
    model, vocabulary, losses = train(TEXT, TrainConfig(device=device), 7)
    print("loss", losses[-1])
    print("sample", repr(sample(model, vocabulary, TEXT[:8], len(TEXT) - 8)))


if __name__ == "__main__":
    main()
'''

FUNCTIONAL = '''\
"""Gradients by torch.func."""
import math
import sys
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch.func import functional_call, grad_and_value

from model import GPT, GPTConfig

TEXT = "Nobody had told the ferry that the bridge was finished."


@dataclass
class TrainConfig:
    block_size: int = 24
    batch_size: int = 32
    steps: int = 300
    learning_rate: float = 5e-3
    warmup_steps: int = 20
    weight_decay: float = 0.01
    grad_clip: float = 1.0
    device: str = "cpu"


def train(text, config, seed):
    torch.manual_seed(seed)
    chars = tuple(sorted(set(text)))
    data = torch.tensor([chars.index(c) for c in text], device=config.device)
    model = GPT(GPTConfig(vocab_size=len(chars), block_size=config.block_size)).to(config.device)
    params = dict(model.named_parameters())
    optimizer = torch.optim.AdamW(
        params.values(), lr=config.learning_rate, weight_decay=config.weight_decay
    )

    def loss_of(params, x, y):
        logits, _ = functional_call(model, params, (x,))
        return F.cross_entropy(logits.flatten(0, 1), y.flatten())

    teach = grad_and_value(loss_of)
    losses = []
    for step in range(config.steps):
        if step < config.warmup_steps:
            rate = (step + 1) / config.warmup_steps
        else:
            span = max(1, config.steps - config.warmup_steps)
            rate = 0.5 + 0.5 * math.cos(math.pi * (step - config.warmup_steps) / span)
        optimizer.param_groups[0]["lr"] = rate * config.learning_rate
        at = torch.randint(0, len(data) - config.block_size, (config.batch_size,)).tolist()
        x = torch.stack([data[a : a + config.block_size] for a in at])
        y = torch.stack([data[a + 1 : a + config.block_size + 1] for a in at])
        detached = {n: p.detach() for n, p in params.items()}
        grads, loss = teach(detached, x, y)
        for name, p in params.items():
            p.grad = grads[name]
        torch.nn.utils.clip_grad_norm_(params.values(), config.grad_clip)
        optimizer.step()
        losses.append(loss.item())
    return model, chars, losses


def sample(model, vocabulary, prompt, max_new_tokens):
    idx = torch.tensor([[vocabulary.index(c) for c in prompt]])
    idx = idx.to(next(model.parameters()).device)
    return "".join(vocabulary[i] for i in model.generate(idx, max_new_tokens, 0)[0])


def main():
    device = sys.argv[1] if len(sys.argv) > 1 else "cpu"
    model, chars, losses = train(TEXT, TrainConfig(device=device), 1)
    print(f"loss {losses[0]:.3f} -> {losses[-1]:.3f}")
    print(sample(model, chars, TEXT[:8], len(TEXT) - 8))


if __name__ == "__main__":
    main()
'''

ENGINE = '''\
"""Epochs over shuffled windows; OneCycleLR; loss computed outside of the model."""
import logging
import os
import random
import sys
from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from model import GPT, GPTConfig

TEXT = "Nobody had told the ferry that the bridge was finished."
log = logging.getLogger("train")


@dataclass
class TrainConfig:
    block_size: int = 24
    batch_size: int = 32
    steps: int = 300
    learning_rate: float = 5e-3
    warmup_steps: int = 20
    weight_decay: float = 0.01
    grad_clip: float = 1.0
    device: str = "cpu"


def set_seed(seed):
    random.seed(seed)
    torch.manual_seed(seed)


def endless(loader):
    while True:
        yield from loader


class Engine:
    criterion = nn.CrossEntropyLoss()

    def __init__(self, model, config):
        self.model, self.config = model, config
        self.optimizer = self.configure_optimizer()
        self.scheduler = self.configure_scheduler()

    def configure_optimizer(self):
        return torch.optim.AdamW(
            [p for p in self.model.parameters() if p.requires_grad],
            lr=self.config.learning_rate,
            weight_decay=self.config.weight_decay,
            foreach=False,
        )

    def configure_scheduler(self):
        warm, steps = self.config.warmup_steps, self.config.steps

        def factor(n):
            if n < warm:
                return (n + 1) / warm
            return max(0.0, (steps - n) / max(1, steps - warm))

        return torch.optim.lr_scheduler.LambdaLR(self.optimizer, lr_lambda=factor)

    def training_step(self, batch):
        inputs, labels = (t.to(self.config.device, non_blocking=True) for t in batch)
        logits, _ = self.model(inputs)
        return self.criterion(logits.reshape(-1, logits.size(-1)), labels.reshape(-1))

    def fit(self, loader):
        self.model.train()
        history = []
        stream = endless(loader)
        for step in range(self.config.steps):
            loss = self.training_step(next(stream))
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), self.config.grad_clip)
            self.optimizer.step()
            self.optimizer.zero_grad()
            self.scheduler.step()
            history.append(loss.detach().cpu().item())
            if step % 50 == 0:
                log.info("step %d loss %.4f", step, history[-1])
        return history


def train(text, config, seed):
    set_seed(seed)
    chars = sorted(set(text))
    lookup = {c: i for i, c in enumerate(chars)}
    ids = torch.tensor([lookup[c] for c in text])
    windows = ids.unfold(0, config.block_size + 1, 1)
    dataset = TensorDataset(windows[:, :-1], windows[:, 1:])
    loader = DataLoader(
        dataset,
        config.batch_size,
        sampler=torch.utils.data.RandomSampler(
            dataset, replacement=True, num_samples=config.batch_size * 10
        ),
    )
    model = GPT(GPTConfig(vocab_size=len(chars), block_size=config.block_size)).to(config.device)
    history = Engine(model, config).fit(loader)
    return model, {"chars": chars, "lookup": lookup}, history


def sample(model, vocabulary, prompt, max_new_tokens):
    model.eval()
    ids = torch.tensor([vocabulary["lookup"][c] for c in prompt]).view(1, -1)
    ids = ids.to(next(model.parameters()).device)
    full = model.generate(ids, max_new_tokens=max_new_tokens, temperature=0.0, top_k=None)
    return "".join(vocabulary["chars"][i] for i in full.flatten().tolist())


def main():
    logging.basicConfig(level=os.environ.get("LOGLEVEL", "INFO"), stream=sys.stdout)
    config = replace(TrainConfig(), device=next(iter(sys.argv[1:]), "cpu"))
    model, vocabulary, history = train(TEXT, config, seed=42)
    log.info("final loss %.4f", history[-1])
    log.info("sample: %s", sample(model, vocabulary, TEXT[:8], len(TEXT) - 8))


if __name__ == "__main__":
    main()
'''
