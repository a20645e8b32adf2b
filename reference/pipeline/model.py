"""A causal transformer that classifies a row by its last token, and predicts each next one.

Shapes: B is the batch, T the time, C the width (n_embd), nh the heads, hs the size of one.
"""

import math
from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class ModelConfig:
    n_token: int = 17
    n_class: int = 3
    block_size: int = 12
    n_layer: int = 6
    n_head: int = 4
    n_embd: int = 32
    dropout: float = 0.0


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.n_head = config.n_head
        self.qkv = nn.Linear(config.n_embd, 3 * config.n_embd)
        self.proj = nn.Linear(config.n_embd, config.n_embd)

    def forward(self, x, past):
        B, T, C = x.shape
        q, k, v = self.qkv(x).view(B, T, 3, self.n_head, C // self.n_head).permute(2, 0, 3, 1, 4)
        if past is not None:
            k, v = past.extend(k, v)
        scores = q @ k.transpose(-2, -1) / math.sqrt(C // self.n_head)
        before = k.size(2) - T
        visible = torch.ones(T, k.size(2), dtype=torch.bool).tril(before)
        scores = scores.masked_fill(~visible, float("-inf"))
        weights = scores.softmax(dim=-1)
        y = (weights @ v).transpose(1, 2).reshape(B, T, C)
        return self.proj(y)


class Block(nn.Module):
    """Each part adds to the stream, and the sum is normalised."""

    def __init__(self, config):
        super().__init__()
        self.attention = Attention(config)
        self.norm_1 = nn.LayerNorm(config.n_embd)
        self.mlp = nn.Sequential(
            nn.Linear(config.n_embd, 4 * config.n_embd),
            nn.GELU(),
            nn.Linear(4 * config.n_embd, config.n_embd),
            nn.Dropout(config.dropout),
        )
        self.norm_2 = nn.LayerNorm(config.n_embd)

    def forward(self, x, past):
        x = self.norm_1(x + self.attention(x, past))
        return self.norm_2(x + self.mlp(x))


class Classifier(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.tokens = nn.Embedding(config.n_token, config.n_embd)
        self.positions = nn.Embedding(config.block_size, config.n_embd)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList([Block(config) for _ in range(config.n_layer)])
        self.class_head = nn.Linear(config.n_embd, config.n_class)
        self.token_head = nn.Linear(config.n_embd, config.n_token)
        self.apply(self._begin)

    def _begin(self, module):
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)

    def forward(self, tokens, lengths=None, pasts=None):
        """Map tokens (B, T) of rows of these lengths (B,), all of T if not given, to logits of
        classes (B, n_class) and of next tokens (B, T, n_token).

        pasts: what each layer keeps of tokens that came before, if any did.
        """
        B, T = tokens.shape
        if lengths is None:
            lengths = torch.full((B,), T)
        if pasts is None:
            pasts = [None] * len(self.blocks)
        offset = pasts[0].length if pasts[0] is not None else 0
        places = torch.arange(offset, offset + T)
        x = self.dropout(self.tokens(tokens) + self.positions(places))
        for block, past in zip(self.blocks, pasts, strict=True):
            x = block(x, past)
        last = x[torch.arange(B), lengths - 1]  # (B, C)
        return self.class_head(last), self.token_head(x)
