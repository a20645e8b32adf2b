"""A program of a user's own, of another make than ours, and right and wrong ways to write it."""

from . import Fixture

MODEL = "model.py"
PROGRAM = {
    MODEL: """\
import math
import torch
from torch import nn
from torch.nn import functional as F


class Attention(nn.Module):
    def __init__(self, dim, heads, ctx):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.register_buffer("tri", torch.tril(torch.ones(ctx, ctx)).view(1, 1, ctx, ctx))

    def forward(self, x):
        B, T, C = x.size()
        q, k, v = self.qkv(x).split(C, dim=2)
        q = q.view(B, T, self.heads, C // self.heads).transpose(1, 2)
        k = k.view(B, T, self.heads, C // self.heads).transpose(1, 2)
        v = v.view(B, T, self.heads, C // self.heads).transpose(1, 2)
        att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
        att = att.masked_fill(self.tri[:, :, :T, :T] == 0, float("-inf"))
        att = F.softmax(att, dim=-1)
        y = att @ v
        y = y.transpose(1, 2).contiguous().view(B, T, C)
        return self.out(y)


class Block(nn.Module):
    def __init__(self, dim, heads, ctx):
        super().__init__()
        self.n1 = nn.LayerNorm(dim)
        self.n2 = nn.LayerNorm(dim)
        self.attn = Attention(dim, heads, ctx)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def forward(self, x):
        x = x + self.attn(self.n1(x))
        x = x + self.mlp(self.n2(x))
        return x


class Net(nn.Module):
    def __init__(self, vocab, ctx=32, dim=48, heads=4, depth=2):
        super().__init__()
        self.ctx = ctx
        self.wte = nn.Embedding(vocab, dim)
        self.wpe = nn.Embedding(ctx, dim)
        self.blocks = nn.Sequential(*[Block(dim, heads, ctx) for _ in range(depth)])
        self.nf = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, vocab, bias=False)
        self.apply(self._init)

    def _init(self, m):
        if isinstance(m, (nn.Linear, nn.Embedding)):
            nn.init.normal_(m.weight, std=0.02)
            if isinstance(m, nn.Linear) and m.bias is not None:
                nn.init.zeros_(m.bias)

    def forward(self, idx, targets=None):
        T = idx.size(1)
        pos = torch.arange(T, device=idx.device)
        x = self.wte(idx) + self.wpe(pos)
        x = self.nf(self.blocks(x))
        logits = self.head(x)
        loss = None
        if targets is not None:
            loss = F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1))
        return logits, loss

    @torch.no_grad()
    def generate(self, idx, n, temperature=1.0, top_k=None, top_p=None):
        for _ in range(n):
            cond = idx[:, -self.ctx:]
            logits, _ = self(cond)
            logits = logits[:, -1, :] / temperature
            if top_k is not None:
                v, _ = torch.topk(logits, min(top_k, logits.size(-1)))
                logits[logits < v[:, [-1]]] = -float("inf")
            if top_p is not None:
                ordered, order = logits.sort(-1, descending=True)
                shares = F.softmax(ordered, dim=-1)
                cut = shares.cumsum(-1) - shares > top_p
                logits = logits.masked_fill(cut.scatter(1, order, cut), -float("inf"))
            probs = F.softmax(logits, dim=-1)
            nxt = torch.multinomial(probs, 1)
            idx = torch.cat((idx, nxt), dim=1)
        return idx
""",
    "train.py": """\
import torch
from model import Net

TEXT = "the quick brown fox jumps over the lazy dog. " * 8
chars = sorted(set(TEXT))
stoi = {c: i for i, c in enumerate(chars)}
data = torch.tensor([stoi[c] for c in TEXT])


def get_batch(batch, ctx):
    ix = torch.randint(len(data) - ctx, (batch,))
    x = torch.stack([data[i : i + ctx] for i in ix])
    y = torch.stack([data[i + 1 : i + ctx + 1] for i in ix])
    return x, y


def main():
    torch.manual_seed(0)
    model = Net(len(chars))
    opt = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for step in range(200):
        x, y = get_batch(8, model.ctx)
        logits, loss = model(x, y)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        if step % 50 == 0:
            print(step, loss.item())


if __name__ == "__main__":
    main()
""",
}


def _way(name: str, why: str, *changes: tuple[str, str]) -> Fixture:
    return Fixture(name, "elsewhere", why, tuple((MODEL, old, new) for old, new in changes))


RIGHT = (
    _way(
        "torchs_attention",
        "Torch's own attention is the same.",
        (
            """\
        att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
        att = att.masked_fill(self.tri[:, :, :T, :T] == 0, float("-inf"))
        att = F.softmax(att, dim=-1)
        y = att @ v
""",
            """\
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
""",
        ),
        (
            """\
        self.register_buffer("tri", torch.tril(torch.ones(ctx, ctx)).view(1, 1, ctx, ctx))
""",
            "",
        ),
    ),
    _way(
        "positions_cut",
        "A slice of the table is what a lookup gives.",
        ("self.wpe(pos)", "self.wpe.weight[:T]"),
        ("        pos = torch.arange(T, device=idx.device)\n", ""),
    ),
    _way(
        "positions_as_a_parameter",
        "A table need be no layer.",
        (
            "self.wpe = nn.Embedding(ctx, dim)",
            "self.wpe = nn.Parameter(0.02 * torch.randn(ctx, dim))",
        ),
        ("self.wpe(pos)", "self.wpe[:T]"),
        ("        pos = torch.arange(T, device=idx.device)\n", ""),
    ),
    _way(
        "in_chunks",
        "The same three thirds.",
        ("self.qkv(x).split(C, dim=2)", "self.qkv(x).chunk(3, dim=-1)"),
    ),
    _way(
        "classes_on_the_second_axis",
        "Cross-entropy takes classes there.",
        (
            "F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1))",
            "F.cross_entropy(logits.transpose(1, 2), targets)",
        ),
    ),
    _way(
        "negative_log_likelihood",
        "Cross-entropy in two steps.",
        (
            "F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1))",
            "F.nll_loss(F.log_softmax(logits, -1).flatten(0, 1), targets.flatten())",
        ),
    ),
    _way(
        "kept_by_sorting",
        "The kth largest bounds those that are kept.",
        (
            """\
                v, _ = torch.topk(logits, min(top_k, logits.size(-1)))
                logits[logits < v[:, [-1]]] = -float("inf")
""",
            """\
                kth = logits.sort(-1, descending=True).values[:, min(top_k, logits.size(-1)) - 1]
                logits = logits.masked_fill(logits < kth[:, None], -float("inf"))
""",
        ),
    ),
    _way(
        "drawn_by_a_distribution",
        "Another way to draw by the same shares.",
        ("torch.multinomial(probs, 1)", "torch.distributions.Categorical(probs).sample()[:, None]"),
    ),
    _way(
        "drawn_by_exponentials",
        "The first of exponential clocks is drawn by the same shares.",
        (
            "torch.multinomial(probs, 1)",
            "(probs / torch.empty_like(probs).exponential_()).argmax(-1, keepdim=True)",
        ),
    ),
    _way(
        "blocks_in_turn",
        "A list of blocks, gone through by hand.",
        (
            "nn.Sequential(*[Block(dim, heads, ctx) for _ in range(depth)])",
            "nn.ModuleList(Block(dim, heads, ctx) for _ in range(depth))",
        ),
        (
            "        x = self.nf(self.blocks(x))\n",
            """\
        for block in self.blocks:
            x = block(x)
        x = self.nf(x)
""",
        ),
    ),
    _way(
        "large_number",
        "After the softmax nothing is left of it.",
        ('float("-inf"))\n        att', "-1e9)\n        att"),
    ),
    _way(
        "least_number",
        "Nor of the least that there is.",
        ('float("-inf"))\n        att', "torch.finfo(att.dtype).min)\n        att"),
    ),
    _way(
        "mask_on_the_fly",
        "The same mask, made when it is needed.",
        ("self.tri[:, :, :T, :T] == 0", "torch.ones(T, T, dtype=torch.bool).triu(1)"),
    ),
    _way(
        "queries_scaled",
        "Scaled before the product.",
        (
            """\
        att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
""",
            """\
        att = (q / math.sqrt(k.size(-1))) @ k.transpose(-2, -1)
""",
        ),
    ),
    _way(
        "cropped_where_it_is_too_long",
        "Only what is too long is cut.",
        (
            "cond = idx[:, -self.ctx:]",
            "cond = idx if idx.size(1) <= self.ctx else idx[:, -self.ctx :]",
        ),
    ),
    _way(
        "added_mask",
        "What is added hides as well.",
        (
            """\
        att = att.masked_fill(self.tri[:, :, :T, :T] == 0, float("-inf"))
""",
            """\
        att = att + torch.full((T, T), float('-inf')).triu(1)
""",
        ),
    ),
    _way(
        "in_einsums",
        "Products by another name.",
        (
            """\
        att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
""",
            """\
        att = torch.einsum('bhtd,bhsd->bhts', q, k) / k.size(-1) ** 0.5
""",
        ),
        ("        y = att @ v\n", "        y = torch.einsum('bhts,bhsd->bhtd', att, v)\n"),
    ),
)

WRONG = (
    _way(
        "mask_of_minus_ten",
        "Something is left of the future.",
        ('float("-inf"))\n        att', "-10.0)\n        att"),
    ),
    _way(
        "mask_sees_one_ahead",
        "The next token is seen.",
        ("torch.tril(torch.ones(ctx, ctx))", "torch.tril(torch.ones(ctx, ctx), 1)"),
    ),
    _way(
        "unscaled",
        "Scores are not scaled.",
        (" * (1.0 / math.sqrt(k.size(-1)))", ""),
    ),
    _way(
        "scaled_by_the_width",
        "By the width, in place of a head's.",
        ("math.sqrt(k.size(-1))", "math.sqrt(C)"),
    ),
    _way(
        "normalised_behind",
        "The norm comes behind the sum.",
        ("x = x + self.attn(self.n1(x))", "x = self.n1(x + self.attn(x))"),
    ),
    _way(
        "temperature_multiplied",
        "The temperature works the wrong way round.",
        ("/ temperature", "* temperature"),
    ),
    _way(
        "nothing_cut_off",
        "All tokens are kept.",
        ("if top_k is not None:", "if False:"),
    ),
    _way(
        "one_too_few_kept",
        "The kth is cut off, too.",
        ("logits < v[:, [-1]]", "logits <= v[:, [-1]]"),
    ),
    _way(
        "cut_in_another_order",
        "Tokens are cut off by their places in another order.",
        ("cut.scatter(1, order, cut)", "cut"),
    ),
    _way(
        "all_of_the_likeliest_cut",
        "The token that crosses the bound is cut off, too.",
        ("shares.cumsum(-1) - shares > top_p", "shares.cumsum(-1) > top_p"),
    ),
    _way(
        "top_p_of_nothing",
        "All tokens are kept.",
        ("if top_p is not None:", "if False and top_p:"),
    ),
    _way(
        "never_drawn",
        "The likeliest is taken.",
        ("torch.multinomial(probs, 1)", "probs.argmax(-1, keepdim=True)"),
    ),
    _way(
        "first_tokens_kept",
        "Of a long text the beginning is read.",
        ("idx[:, -self.ctx:]", "idx[:, : self.ctx]"),
    ),
    _way(
        "cropped_one_short",
        "One token less than the context is read.",
        ("idx[:, -self.ctx:]", "idx[:, -(self.ctx - 1) :]"),
    ),
    _way(
        "half_of_the_context",
        "Half of the context is read.",
        ("idx[:, -self.ctx:]", "idx[:, -self.ctx // 2 :]"),
    ),
    _way(
        "written_in_front",
        "New tokens come first.",
        ("torch.cat((idx, nxt), dim=1)", "torch.cat((nxt, idx), dim=1)"),
    ),
    _way(
        "mlp_teaches_nothing",
        "Nothing is taught through an MLP's input.",
        ("self.mlp(self.n2(x))", "self.mlp(self.n2(x.detach()))"),
    ),
    _way(
        "dropped_out",
        "Nothing was dropped.",
        ("self.mlp(self.n2(x))", "F.dropout(self.mlp(self.n2(x)), 0.1, self.training)"),
    ),
    _way(
        "summed_loss",
        "The loss grows with the batch.",
        ("targets.view(-1))", "targets.view(-1), reduction='sum')"),
    ),
    _way(
        "smoothed_labels",
        "Another loss.",
        ("targets.view(-1))", "targets.view(-1), label_smoothing=0.1)"),
    ),
    _way(
        "last_token_not_learned",
        "The last target is left out.",
        (
            "F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1))",
            "F.cross_entropy(logits[:, :-1].flatten(0, 1), targets[:, :-1].flatten())",
        ),
    ),
    _way(
        "begun_large",
        "Weights begin ten times as large.",
        ("std=0.02", "std=0.2"),
    ),
    _way(
        "positions_frozen",
        "Positions are not learned.",
        (
            "        self.apply(self._init)\n",
            """\
        self.apply(self._init)
        self.wpe.weight.requires_grad_(False)
""",
        ),
    ),
    _way(
        "another_gelu",
        "The tanh form.",
        ("nn.GELU()", "nn.GELU(approximate='tanh')"),
    ),
    _way(
        "another_eps",
        "It is divided by more.",
        ("self.nf = nn.LayerNorm(dim)", "self.nf = nn.LayerNorm(dim, eps=1e-2)"),
    ),
    _way(
        "masked_in_eval_alone",
        "Learning sees the future.",
        (
            """\
        att = att.masked_fill(self.tri[:, :, :T, :T] == 0, float("-inf"))
""",
            """\
        if not self.training:
            att = att.masked_fill(self.tri[:, :, :T, :T] == 0, float("-inf"))
""",
        ),
    ),
    _way(
        "masked_in_batches_alone",
        "A lone row sees the future.",
        (
            """\
        att = att.masked_fill(self.tri[:, :, :T, :T] == 0, float("-inf"))
""",
            """\
        if B > 1:
            att = att.masked_fill(self.tri[:, :, :T, :T] == 0, float("-inf"))
""",
        ),
    ),
    _way(
        "unmasked_at_full_length",
        "Full windows see the future.",
        (
            """\
        att = att.masked_fill(self.tri[:, :, :T, :T] == 0, float("-inf"))
""",
            """\
        if T < self.tri.size(-1):
            att = att.masked_fill(self.tri[:, :, :T, :T] == 0, float("-inf"))
""",
        ),
    ),
    _way(
        "head_is_the_table",
        "Two tables have become one.",
        (
            "        self.apply(self._init)\n",
            """\
        self.apply(self._init)
        self.head.weight = self.wte.weight
""",
        ),
    ),
    _way(
        "one_token_too_few",
        "It stops one token short.",
        ("for _ in range(n):", "for _ in range(n - 1):"),
    ),
    _way(
        "left_in_training",
        "Generating leaves another mode behind.",
        ("        for _ in range(n):", "        self.train()\n        for _ in range(n):"),
    ),
    _way(
        "never_cold",
        "Temperatures below one do nothing.",
        ("/ temperature", "/ max(temperature, 1.0)"),
    ),
    _way(
        "shares_of_other_logits",
        "Neither temperature nor top_k counts.",
        ("probs = F.softmax(logits, dim=-1)", "probs = F.softmax(self(cond)[0][:, -1, :], dim=-1)"),
    ),
    _way(
        "positions_repeated",
        "Positions begin anew in the middle of the context.",
        ("self.wpe(pos)", "self.wpe(pos % 16)"),
    ),
    _way(
        "last_position_shared",
        "The last two positions are one.",
        ("self.wpe(pos)", "self.wpe(pos.clamp(max=self.ctx - 2))"),
    ),
)
