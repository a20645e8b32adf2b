"""Programs written anew to PROBLEM.md, right and wrong; and one that lacks what it states."""

from . import Fixture
from .hands import (
    CONVOLUTIONS,
    ENGINE,
    FROM_THE_LEFT,
    FUNCTIONAL,
    GENERATORS,
    LIBRARY_ATTENTION,
    LIBRARY_LAYERS,
    LOADER,
    ONE_CLASS,
    TRAINER,
)

MODEL, TRAIN = "model.py", "train.py"

MADE = (
    MODEL,
    """\
        q, k, v = (
            self.heads(x @ w + b) for w, b in ((p.wq, p.bq), (p.wk, p.bk), (p.wv, p.bv))
        )
""",
)
MERGED = (
    MODEL,
    """\
        return torch.einsum("bhij,bjhd->bihd", weights, v).flatten(-2) @ p.wo + p.bo
""",
)
DEEP = (MODEL, "gelu(layer_norm(x, C, p.g2, p.s2) @ p.w1 + p.b1) @ p.w2 + p.b2")
DEEP_MADE = (
    MODEL,
    """\
        self.w1, self.w2 = normal(width, 4 * width), normal(4 * width, width)
        self.b1, self.b2 = nn.Parameter(torch.zeros(4 * width)), nn.Parameter(torch.zeros(width))
""",
)
FUSED_FROM_THE_LEFT = (
    (
        MODEL,
        """\
        self.wq, self.wk, self.wv, self.wo = (normal(width, width) for _ in range(4))
        self.bq, self.bk, self.bv, self.bo = (nn.Parameter(torch.zeros(width)) for _ in range(4))
""",
        """\
        self.wa, self.wo = normal(width, 3 * width), normal(width, width)
        self.ba, self.bo = (nn.Parameter(torch.zeros(n * width)) for n in (3, 1))
""",
    ),
    (*MADE, "        q, k, v = map(self.heads, (x @ p.wa + p.ba).chunk(3, -1))\n"),
)


def _program(
    name: str, why: str, model: str, train: str, *changes: tuple[str, str, str]
) -> Fixture:
    return Fixture(name, "elsewhere", why, ((MODEL, "", model), (TRAIN, "", train), *changes))


RIGHT = (
    _program(
        "from_the_left",
        "Matrices (C, C), (C, 4C) and (4C, C) stand behind what they multiply.",
        FROM_THE_LEFT,
        TRAINER,
    ),
    _program(
        "from_the_left_by_einsum",
        "einsum multiplies as @ does.",
        FROM_THE_LEFT,
        GENERATORS,
        (MODEL, "self.heads(x @ w + b)", 'self.heads(torch.einsum("bti,io->bto", x, w) + b)'),
    ),
    _program(
        "output_alone_from_the_right",
        "Either side may be multiplied, layer by layer.",
        FROM_THE_LEFT,
        ENGINE,
        (*MERGED, MERGED[1].replace("p.wo ", "p.wo.mT ")),
    ),
    _program(
        "attention_alone_from_the_left",
        "The MLP is of linear layers.",
        FROM_THE_LEFT,
        LOADER,
        (
            *DEEP_MADE,
            """\
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        for layer in (self.up, self.down):
            nn.init.normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)
""",
        ),
        (*DEEP, "p.down(gelu(p.up(layer_norm(x, C, p.g2, p.s2))))"),
    ),
    _program(
        "joined_on_the_fly_from_the_left",
        "One product makes all three, of matrices that are joined for it.",
        FROM_THE_LEFT,
        FUNCTIONAL,
        (
            *MADE,
            """\
        w, b = torch.cat((p.wq, p.wk, p.wv), 1), torch.cat((p.bq, p.bk, p.bv))
        q, k, v = map(self.heads, (x @ w + b).chunk(3, -1))
""",
        ),
    ),
    _program(
        "heads_of_views_from_the_left",
        "Each matrix is seen as one for each head.",
        FROM_THE_LEFT,
        LOADER,
        (
            *MADE,
            """\
        def made(w, b):
            w, b = (part.unflatten(-1, (self.config.n_head, -1)) for part in (w, b))
            return torch.einsum("btc,chd->bthd", x, w) + b

        q, k, v = made(p.wq, p.bq), made(p.wk, p.bk), made(p.wv, p.bv)
""",
        ),
    ),
    _program(
        "fused_from_the_left",
        "A fused matrix (C, 3C) is one (3C, C), turned.",
        FROM_THE_LEFT,
        GENERATORS,
        *FUSED_FROM_THE_LEFT,
    ),
    _program(
        "keys_where_queries_were",
        "Which of two is called the query is but a name.",
        FROM_THE_LEFT,
        TRAINER,
        (MODEL, '"bihd,bjhd->bhij"', '"bihd,bjhd->bhji"'),
    ),
    _program("one_class", "A dictionary holds all parameters.", ONE_CLASS, FUNCTIONAL),
    _program("one_class_trained", "The trainer is another.", ONE_CLASS, TRAINER),
    _program("library_attention", "torch's own attention, masked.", LIBRARY_ATTENTION, GENERATORS),
    _program("library_attention_loaded", "A loader makes batches.", LIBRARY_ATTENTION, LOADER),
    _program("library_layers", "torch's own blocks, norm first.", LIBRARY_LAYERS, FUNCTIONAL),
    _program(
        "library_layers_in_an_engine", "The loss is worked out outside.", LIBRARY_LAYERS, ENGINE
    ),
    _program("convolutions", "A convolution one wide is a linear layer.", CONVOLUTIONS, ENGINE),
    _program(
        "convolutions_generated", "Batches come out of a generator.", CONVOLUTIONS, GENERATORS
    ),
)

WRONG = (
    _program(
        "left_scaled_by_width",
        "Scores are divided by the root of the width.",
        FROM_THE_LEFT,
        TRAINER,
        (MODEL, "q.size(-1) ** -0.5", "self.config.n_embd ** -0.5"),
    ),
    _program(
        "left_sees_the_next",
        "The mask leaves one place too many.",
        FROM_THE_LEFT,
        FUNCTIONAL,
        (MODEL, ".triu(1)", ".triu(2)"),
    ),
    _program(
        "left_values_of_keys",
        "Values are made by the matrix of keys.",
        FROM_THE_LEFT,
        TRAINER,
        (MODEL, "(p.wv, p.bv))", "(p.wk, p.bk))"),
    ),
    _program(
        "left_bias_of_keys",
        "Values get the bias of keys.",
        FROM_THE_LEFT,
        TRAINER,
        (MODEL, "(p.wv, p.bv))", "(p.wv, p.bk))"),
    ),
    _program(
        "left_queries_of_keys_turned",
        "Queries are made by the matrix of keys, turned.",
        FROM_THE_LEFT,
        TRAINER,
        (MODEL, "((p.wq, p.bq)", "((p.wk.mT, p.bq)"),
    ),
    _program(
        "left_weights_turned",
        "Places give what they should gather.",
        FROM_THE_LEFT,
        TRAINER,
        (MODEL, '"bhij,bjhd->bihd"', '"bhij,bihd->bjhd"'),
    ),
    _program(
        "left_merged_across",
        "Heads and their channels change places.",
        FROM_THE_LEFT,
        TRAINER,
        (MODEL, ".flatten(-2) @ p.wo", ".transpose(-1, -2).flatten(-2) @ p.wo"),
    ),
    _program(
        "left_output_detached",
        "The output's matrix is never taught.",
        FROM_THE_LEFT,
        TRAINER,
        (MODEL, "@ p.wo +", "@ p.wo.detach() +"),
    ),
    _program(
        "left_norm_twice",
        "Both sublayers are normalised by the same weights.",
        FROM_THE_LEFT,
        TRAINER,
        (MODEL, "p.g2, p.s2", "p.g1, p.s1"),
    ),
    _program(
        "left_bias_behind_gelu",
        "A bias is added behind the activation.",
        FROM_THE_LEFT,
        ENGINE,
        (*DEEP, "(gelu(layer_norm(x, C, p.g2, p.s2) @ p.w1) + p.b1) @ p.w2 + p.b2"),
    ),
    _program(
        "left_gradients_kept",
        "Gradients are added to those of steps before.",
        FROM_THE_LEFT,
        FUNCTIONAL,
        (
            TRAIN,
            "p.grad = grads[name]\n",
            "p.grad = grads[name] if p.grad is None else p.grad + grads[name]\n",
        ),
    ),
    _program(
        "fused_left_heads_first",
        "Channels of a head are taken from all heads, where they are merged otherwise.",
        FROM_THE_LEFT,
        GENERATORS,
        *FUSED_FROM_THE_LEFT,
        (
            MODEL,
            "x.unflatten(-1, (self.config.n_head, -1))",
            "x.unflatten(-1, (-1, self.config.n_head)).mT",
        ),
        (
            MODEL,
            "self.heads, (x @ p.wa + p.ba).chunk(3, -1)",
            "self.heads, (x @ p.wa + p.ba).chunk(3, -1)[::2] + (x,)",
        ),
    ),
    _program(
        "one_class_last_places",
        "Short texts are given the last positions.",
        ONE_CLASS,
        TRAINER,
        (MODEL, '["wpe"].narrow(0, 0, T)', '["wpe"].narrow(0, self.config.block_size - T, T)'),
    ),
    _program(
        "one_class_first_layer",
        "All blocks attend with the matrices of the first.",
        ONE_CLASS,
        TRAINER,
        (MODEL, 'f"h{i}_{name}")', 'f"h0_{name}")'),
    ),
    _program(
        "one_class_first_place_unlearned",
        "The first place of a window is not learned.",
        ONE_CLASS,
        TRAINER,
        (MODEL, "nll.mean()", "nll[:, 1:].mean()"),
    ),
    _program(
        "one_class_stale",
        "Each step is taught by the weights of the beginning.",
        ONE_CLASS,
        FUNCTIONAL,
        (
            TRAIN,
            "    losses = []\n",
            "    losses = []\n    detached = {n: p.detach().clone() for n, p in params.items()}\n",
        ),
        (TRAIN, "        detached = {n: p.detach() for n, p in params.items()}\n", ""),
    ),
    _program(
        "one_class_optimizer_anew",
        "Every step has an optimizer of its own.",
        ONE_CLASS,
        TRAINER,
        (
            TRAIN,
            "        self.optimizer.zero_grad(set_to_none=True)\n",
            """\
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(),
            lr=self.scheduler.get_last_lr()[0],
            weight_decay=self.config.weight_decay,
        )
        self.optimizer.zero_grad(set_to_none=True)
""",
        ),
    ),
    _program(
        "library_attention_eval_unmasked",
        "Nothing is masked but while learning.",
        LIBRARY_ATTENTION,
        GENERATORS,
        (MODEL, "x = block(x, mask)", "x = block(x, mask if self.training else None)"),
    ),
    _program(
        "library_attention_key_not_normalised",
        "Keys are made of the stream as it is.",
        LIBRARY_ATTENTION,
        GENERATORS,
        (MODEL, "self.attn(h, h, h,", "self.attn(h, x, h,"),
    ),
    _program(
        "library_attention_time_first",
        "The library takes rows for places.",
        LIBRARY_ATTENTION,
        LOADER,
        (MODEL, "d, h, batch_first=True", "d, h"),
    ),
    _program(
        "library_attention_drops",
        "Attention weights are dropped while learning.",
        LIBRARY_ATTENTION,
        GENERATORS,
        (MODEL, "d, h, batch_first", "d, h, dropout=0.1, batch_first"),
    ),
    _program(
        "library_layers_norm_last",
        "What is normalised is the sum.",
        LIBRARY_LAYERS,
        FUNCTIONAL,
        (MODEL, "norm_first=True", "norm_first=False"),
    ),
    _program(
        "library_layers_relu",
        "The library's own activation is another.",
        LIBRARY_LAYERS,
        FUNCTIONAL,
        (MODEL, '            activation="gelu",\n', ""),
    ),
    _program(
        "library_layers_drop",
        "The library's layers drop a tenth, if not told otherwise.",
        LIBRARY_LAYERS,
        ENGINE,
        (MODEL, "            dropout=0.0,\n", ""),
    ),
    _program(
        "convolutions_gather_across",
        "Places give what they should gather.",
        CONVOLUTIONS,
        ENGINE,
        (MODEL, "torch.bmm(v, p.mT)", "torch.bmm(v, p)"),
    ),
    _program(
        "convolutions_one_more_kept",
        "One token more is kept than was asked for.",
        CONVOLUTIONS,
        ENGINE,
        (MODEL, "rank >= top_k", "rank > top_k"),
    ),
    _program(
        "engine_flat_across",
        "Logits are flattened along another axis than labels.",
        CONVOLUTIONS,
        ENGINE,
        (TRAIN, "logits.reshape(-1, logits.size(-1))", "logits.reshape(logits.size(-1), -1).T"),
    ),
    _program(
        "engine_smooths",
        "Labels are smoothed a little.",
        LIBRARY_LAYERS,
        ENGINE,
        (TRAIN, "nn.CrossEntropyLoss()", "nn.CrossEntropyLoss(label_smoothing=0.01)"),
    ),
    _program(
        "loader_clips_single_numbers",
        "Each number of a gradient is clipped, and not its norm.",
        LIBRARY_ATTENTION,
        LOADER,
        (
            TRAIN,
            "clip_grad_norm_(model.parameters(), max_norm=config.grad_clip)",
            "clip_grad_value_(model.parameters(), config.grad_clip)",
        ),
    ),
    _program(
        "generated_losses_shrink",
        "The loss told is that of a row's share.",
        ONE_CLASS,
        GENERATORS,
        (TRAIN, "yield loss.detach()", "yield loss.detach() / len(x)"),
    ),
)

HEADS_APART = _program(
    "heads_apart",
    "Each head has projections of its own, which PROBLEM.md does not state.",
    FROM_THE_LEFT,
    TRAINER,
    (
        MODEL,
        "        self.wq, self.wk, self.wv, self.wo = (normal(width, width) for _ in range(4))\n",
        """\
        self.made = nn.ParameterList(normal(width, width // heads) for _ in range(3 * heads))
        self.wo = normal(width, width)
""",
    ),
    (MODEL, "def __init__(self, width):", "def __init__(self, width, heads):"),
    (MODEL, "Layer(C) for", "Layer(C, config.n_head) for"),
    (
        *MADE,
        """\
        n = self.config.n_head
        wq, wk, wv = (torch.cat(tuple(p.made[i : i + n]), 1) for i in (0, n, 2 * n))
        q, k, v = (self.heads(x @ w + b) for w, b in ((wq, p.bq), (wk, p.bk), (wv, p.bv)))
""",
    ),
)
