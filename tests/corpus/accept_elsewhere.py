"""Right programs that differ where no bug was planted: blocks, decoding, data, style."""

from . import Fixture
from .places import (
    ADD_POSITIONS,
    APPLY_INIT,
    ARGMAX,
    BLOCK_LAYERS,
    BLOCKS,
    CALL,
    CROP,
    DRAW,
    FIRST_RESIDUAL,
    GENERATE,
    GROW,
    HEAD,
    IMPORT_MODEL,
    INIT,
    LAST_LOGITS,
    LAST_NORM,
    LEARN_BATCH,
    LOGITS,
    LOOP,
    MASK,
    MLP_FORWARD,
    MLP_LAYERS,
    MODE_BACK,
    MODE_KEPT,
    MODEL,
    MODEL_IMPORTS,
    MODEL_MADE,
    NO_GRAD,
    NO_TARGETS,
    OPTIMIZER_MADE,
    POSITION_TABLE,
    RATE_SET,
    RESIDUALS,
    RUN_BLOCKS,
    SCHEDULE,
    SCORES,
    TEMPERATURE,
    TOKEN_TABLE,
    TOP_K,
    TRAIN,
    TRAIN_IMPORTS,
    UNPACK,
    VOCABULARY,
)

STEPS = (TRAIN, "    steps: int = ", "    steps: int = 2 * ")
RATE = (TRAIN, "    learning_rate: float = ", "    learning_rate: float = 0.7 * ")
FOR_NEW = (MODEL, "        for _ in range(max_new_tokens):\n")
LISTED = """\
        before = 0
        if past is not None:
            if past:
                before = past[0].size(2)
                k, v = torch.cat((past[0], k), dim=2), torch.cat((past[1], v), dim=2)
            past[:] = k, v
"""
RELABELS = "The names of parameters may change, and with them their order."
DRAWS = "Tokens are drawn from the same distribution."


def _right(name: str, why: str, *changes: tuple[str, str, str], trained: bool = False) -> Fixture:
    return Fixture(name, "elsewhere", why, changes, needs_training=trained)


BLOCK_AND_HEAD = (
    _right(
        "residuals_by_method",
        "add is what + calls.",
        (
            *RESIDUALS,
            """\
        x = x.add(self.attn(self.ln_1(x)))
        return torch.add(x, self.mlp(self.ln_2(x)))
""",
        ),
    ),
    _right(
        "residuals_under_new_names",
        "Every sum has a name of its own.",
        (
            *RESIDUALS,
            """\
        heard = self.attn(self.ln_1(x))
        after_attention = x + heard
        thought = self.mlp(self.ln_2(after_attention))
        return after_attention + thought
""",
        ),
    ),
    _right(
        "functional_layer_norm",
        "The function, given the module's weights.",
        (
            *FIRST_RESIDUAL,
            """\
        norm = self.ln_1
        x = x + self.attn(F.layer_norm(x, norm.normalized_shape, norm.weight, norm.bias, norm.eps))
""",
        ),
    ),
    _right(
        "layer_norm_by_hand",
        "Less the mean, over the root of the variance, scaled and shifted.",
        (
            MODEL,
            "class CausalSelfAttention(nn.Module):",
            """\
class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))
        self.shift = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        centred = x - x.mean(-1, keepdim=True)
        variance = centred.pow(2).mean(-1, keepdim=True)
        return centred * torch.rsqrt(variance + 1e-5) * self.gain + self.shift


class CausalSelfAttention(nn.Module):""",
        ),
        (*BLOCK_LAYERS, BLOCK_LAYERS[1].replace("nn.LayerNorm", "Norm")),
        (*LAST_NORM, LAST_NORM[1].replace("nn.LayerNorm", "Norm")),
    ),
    _right(
        "layer_norm_smaller_eps",
        "A smaller eps is too small to matter.",
        (*LAST_NORM, "        self.ln_f = nn.LayerNorm(config.n_embd, eps=1e-6)\n"),
    ),
    _right(
        "mlp_in_a_sequence",
        "A sequence of the same layers, under other names.",
        (
            *MLP_LAYERS,
            """\
        self.net = nn.Sequential(
            nn.Linear(config.n_embd, 4 * config.n_embd),
            nn.GELU(),
            nn.Linear(4 * config.n_embd, config.n_embd),
        )
""",
        ),
        (*MLP_FORWARD, "        return self.net(x)\n"),
    ),
    _right(
        "gelu_by_its_formula",
        "x times the normal distribution's share below x.",
        (
            *MLP_FORWARD,
            """\
        x = self.up(x)
        return self.down(0.5 * x * (1.0 + torch.erf(x / math.sqrt(2.0))))
""",
        ),
    ),
    _right(
        "dropout_of_nothing",
        "Dropout at 0 drops nothing.",
        (
            *MLP_LAYERS,
            MLP_LAYERS[1] + "        self.dropout = nn.Dropout(config.dropout)\n",
        ),
        (*MLP_FORWARD, "        return self.dropout(self.down(F.gelu(self.up(x))))\n"),
        (MODEL, "    n_layer: int = ", "    dropout: float = 0.0\n    n_layer: int = "),
    ),
    _right(
        "blocks_in_a_sequence",
        "A sequence calls its blocks in order.",
        (
            *BLOCKS,
            """\
        self.blocks = nn.Sequential(*[Block(config) for _ in range(config.n_layer)])
""",
        ),
        (*RUN_BLOCKS, "        x = self.blocks(x)\n"),
    ),
    _right(
        "blocks_in_a_dictionary",
        "All in one dictionary, under well-known names.",
        (
            MODEL,
            TOKEN_TABLE[1] + POSITION_TABLE[1] + BLOCKS[1] + LAST_NORM[1] + HEAD[1],
            """\
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(config.vocab_size, config.n_embd),
                "wpe": nn.Embedding(config.block_size, config.n_embd),
                "h": nn.ModuleList([Block(config) for _ in range(config.n_layer)]),
                "ln_f": nn.LayerNorm(config.n_embd),
            }
        )
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
""",
        ),
        (
            *ADD_POSITIONS,
            """\
        tok_emb = self.transformer.wte(idx)
        x = tok_emb + self.transformer.wpe(torch.arange(idx.shape[1], device=idx.device))
""",
        ),
        (*RUN_BLOCKS, RUN_BLOCKS[1].replace("blocks", "transformer.h")),
        (*LOGITS, "        logits = self.lm_head(self.transformer.ln_f(x))\n"),
    ),
    _right(
        "sublayers_in_another_order",
        "The order of registration changes nothing.",
        (
            *BLOCK_LAYERS,
            """\
        self.attn = CausalSelfAttention(config)
        self.mlp = MLP(config)
        self.ln_1 = nn.LayerNorm(config.n_embd)
        self.ln_2 = nn.LayerNorm(config.n_embd)
""",
        ),
    ),
    _right(
        "sublayers_in_another_order_and_renamed",
        RELABELS,
        (
            *BLOCK_LAYERS,
            """\
        self.sa = CausalSelfAttention(config)
        self.ffwd = MLP(config)
        self.ln1 = nn.LayerNorm(config.n_embd)
        self.ln2 = nn.LayerNorm(config.n_embd)
""",
        ),
        (
            *RESIDUALS,
            """\
        x = x + self.sa(self.ln1(x))
        x = x + self.ffwd(self.ln2(x))
        return x
""",
        ),
    ),
    _right(
        "blocks_backwards",
        "Which of the trained blocks is called the first is a matter of names.",
        (*RUN_BLOCKS, RUN_BLOCKS[1].replace("self.blocks", "reversed(self.blocks)")),
        trained=True,
    ),
    _right(
        "tables_in_another_order_and_renamed",
        RELABELS,
        (
            MODEL,
            TOKEN_TABLE[1] + POSITION_TABLE[1],
            HEAD[1].replace("self.head", "self.unembed")
            + TOKEN_TABLE[1].replace("self.tok_emb", "self.embed")
            + POSITION_TABLE[1],
        ),
        (*HEAD, ""),
        (*ADD_POSITIONS, ADD_POSITIONS[1].replace("self.tok_emb", "self.embed")),
        (*LOGITS, LOGITS[1].replace("self.head", "self.unembed")),
    ),
    _right(
        "last_norm_first",
        RELABELS,
        (MODEL, BLOCKS[1] + LAST_NORM[1], LAST_NORM[1].replace("ln_f", "norm") + BLOCKS[1]),
        (*LOGITS, LOGITS[1].replace("ln_f", "norm")),
    ),
    _right(
        "head_by_function",
        "The head's weight, applied by hand.",
        (*LOGITS, "        logits = F.linear(self.ln_f(x), self.head.weight)\n"),
    ),
    _right(
        "head_as_a_parameter",
        "A bare parameter of the same shape.",
        (
            *HEAD,
            """\
        self.unembedding = nn.Parameter(torch.randn(config.vocab_size, config.n_embd) * 0.02)
""",
        ),
        (*LOGITS, "        logits = self.ln_f(x) @ self.unembedding.t()\n"),
    ),
    _right(
        "begun_by_each_module",
        "Weights begin the same, set by a loop over modules.",
        (
            *APPLY_INIT,
            """\
        for module in self.modules():
            self.init_weights(module)
""",
        ),
    ),
    _right(
        "residual_layers_begun_smaller",
        "Layers that add to the stream may begin smaller, as GPT-2's do.",
        (
            *APPLY_INIT,
            APPLY_INIT[1]
            + """\
        for name, parameter in self.named_parameters():
            if name.endswith(("proj.weight", "down.weight")):
                nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * config.n_layer))
""",
        ),
    ),
    _right(
        "linear_layers_begun_as_pytorch_does",
        "How linear layers begin is the program's own choice; it learns as well.",
        (
            *INIT,
            """\
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)
""",
        ),
    ),
    _right(
        "linear_layers_begun_by_xavier",
        "Layers inside blocks may begin larger than 0.02.",
        (
            *APPLY_INIT,
            APPLY_INIT[1]
            + """\
        for parameter in self.blocks.parameters():
            if parameter.dim() == 2:
                nn.init.xavier_uniform_(parameter)
""",
        ),
    ),
    _right(
        "checkpointed_blocks",
        "Blocks computed again in the backward pass give the same gradients.",
        (
            MODEL,
            "from torch.nn import functional as F\n",
            "from torch.nn import functional as F\nfrom torch.utils.checkpoint import checkpoint\n",
        ),
        (
            *RUN_BLOCKS,
            """\
        for block in self.blocks:
            x = checkpoint(block, x, use_reentrant=False)
""",
        ),
    ),
    _right(
        "shapes_asserted",
        "Assertions that hold change nothing.",
        (
            *ADD_POSITIONS,
            """\
        B, T = idx.shape
        assert idx.dtype == torch.long, idx.dtype
        assert T <= self.config.block_size, f"{T} tokens are too many"
"""
            + ADD_POSITIONS[1]
            + "        assert x.shape == (B, T, self.config.n_embd)\n",
        ),
        (
            *NO_TARGETS,
            "        assert not torch.isnan(logits).any()\n"
            + NO_TARGETS[1]
            + "        assert targets.size(0) == idx.size(0)\n",
        ),
    ),
    _right(
        "types_and_logging",
        "Annotations and messages change nothing.",
        (
            *MODEL_IMPORTS,
            """\
from __future__ import annotations

import logging
import math
from dataclasses import dataclass
""",
        ),
        (
            MODEL,
            "@dataclass\nclass GPTConfig:",
            """\
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class GPTConfig:""",
        ),
        (
            MODEL,
            "    def forward(self, idx, targets=None):\n",
            """\
    def forward(
        self, idx: torch.Tensor, targets: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
""",
        ),
        (*RUN_BLOCKS, RUN_BLOCKS[1] + '        logger.debug("stream %s", tuple(x.shape))\n'),
    ),
    _right(
        "functional_mode_of_parts",
        "Helpers in a third file do what the model did itself.",
        (
            "layers.py",
            "",
            """\
import torch
from torch import nn
from torch.nn import functional as F


def feed_forward(x, up, down):
    return down(F.gelu(up(x), approximate="none"))


def normal_(layer):
    nn.init.normal_(layer.weight, std=0.02)


def places(idx):
    return torch.arange(idx.size(-1), device=idx.device)
""",
        ),
        (
            MODEL,
            "from torch.nn import functional as F\n",
            "from torch.nn import functional as F\n\nfrom layers import feed_forward, places\n",
        ),
        (*MLP_FORWARD, "        return feed_forward(x, self.up, self.down)\n"),
        (*ADD_POSITIONS, "        x = self.tok_emb(idx) + self.pos_emb[places(idx)]\n"),
    ),
)

DECODING = (
    _right(
        "inference_mode", "No gradients either way.", (*NO_GRAD, "    @torch.inference_mode()\n")
    ),
    _right(
        "no_grad_inside",
        "No gradients either way.",
        (*NO_GRAD, ""),
        (*LAST_LOGITS, "            logits = logits.detach()[:, -1, :]\n"),
    ),
    _right(
        "mode_left_alone",
        "Nothing in the model depends on its mode, so none has to be set.",
        (*MODE_KEPT, ""),
        (*MODE_BACK, ""),
    ),
    _right(
        "mode_restored_at_last",
        "The mode is restored even after an exception.",
        (
            *MODE_BACK,
            """\
        if was_training:
            self.train()
""",
        ),
    ),
    _right(
        "argmax_via_max",
        "The place of the largest logit.",
        (*ARGMAX, "                _, next_idx = torch.max(logits, dim=-1, keepdim=True)\n"),
    ),
    _right(
        "argmax_via_topk",
        "The first of the largest logits.",
        (*ARGMAX, "                next_idx = torch.topk(logits, k=1, dim=-1).indices\n"),
    ),
    _right(
        "argmax_of_probabilities",
        "The softmax keeps the order.",
        (
            *ARGMAX,
            """\
                next_idx = F.softmax(logits.double(), dim=-1).argmax(-1).unsqueeze(-1)
""",
        ),
    ),
    _right(
        "top_k_by_sorting",
        DRAWS,
        (
            *TOP_K,
            """\
                    kept = min(top_k, logits.size(-1))
                    ranked = torch.sort(logits, dim=-1, descending=True).values
                    logits[logits < ranked[:, kept - 1 : kept]] = -float("inf")
""",
        ),
    ),
    _right(
        "top_k_by_scattering",
        DRAWS,
        (
            *TOP_K,
            """\
                    best = logits.topk(min(top_k, logits.size(-1)), dim=-1)
                    empty = torch.full_like(logits, float("-inf"))
                    logits = empty.scatter(1, best.indices, best.values)
""",
        ),
    ),
    _right(
        "top_k_before_temperature",
        DRAWS,
        (*TEMPERATURE, ""),
        (*DRAW, TEMPERATURE[1] + DRAW[1]),
    ),
    _right(
        "top_k_drawn_among_the_kept",
        DRAWS,
        (
            MODEL,
            "                if top_k is not None:\n" + TOP_K[1] + DRAW[1],
            """\
                k = logits.size(-1) if top_k is None else min(top_k, logits.size(-1))
                values, tokens = logits.topk(k)
                drawn = torch.multinomial(values.softmax(-1), 1)
                next_idx = tokens.gather(1, drawn)
""",
        ),
    ),
    _right(
        "drawn_by_gumbel",
        "The largest of logits with Gumbel noise is a draw from the softmax.",
        (
            *DRAW,
            """\
                noise = -torch.log(-torch.log(torch.rand_like(logits)))
                next_idx = (logits + noise).argmax(-1, keepdim=True)
""",
        ),
    ),
    _right(
        "drawn_by_distribution",
        DRAWS,
        (
            *DRAW,
            """\
                next_idx = torch.distributions.Categorical(logits=logits).sample()[:, None]
""",
        ),
    ),
    _right(
        "cropped_if_longer",
        "Only what fits is read.",
        (
            *CROP,
            """\
            limit = self.config.block_size
            context = idx if idx.size(1) <= limit else idx[:, -limit:]
""",
        ),
    ),
    _right(
        "grown_in_a_buffer",
        "Tokens are written into memory made at the start.",
        (
            *MODE_KEPT,
            MODE_KEPT[1]
            + """\
        B, given = idx.shape
        buffer = torch.zeros(B, given + max_new_tokens, dtype=idx.dtype, device=idx.device)
        buffer[:, :given] = idx
""",
        ),
        (
            MODEL,
            "        for _ in range(max_new_tokens):\n" + CROP[1],
            """\
        for end in range(given, given + max_new_tokens):
            context = buffer[:, max(0, end - self.config.block_size) : end]
""",
        ),
        (*GROW, "            buffer[:, end : end + 1] = next_idx\n"),
        (
            MODEL,
            MODE_BACK[1] + "        return idx\n",
            MODE_BACK[1] + "        return buffer\n",
        ),
    ),
    _right(
        "grown_by_stacking",
        "New tokens are joined behind the old.",
        (*GROW, "            idx = torch.hstack([idx, next_idx.view(-1, 1)])\n"),
    ),
    _right(
        "one_token_by_a_method",
        "A method chooses the next token.",
        (
            MODEL,
            LAST_LOGITS[1]
            + "            if temperature == 0:\n"
            + ARGMAX[1]
            + "            else:\n"
            + TEMPERATURE[1]
            + "                if top_k is not None:\n"
            + TOP_K[1]
            + DRAW[1],
            "            next_idx = self.choose(logits[:, -1], temperature, top_k)\n",
        ),
        (
            *NO_GRAD,
            """\
    @staticmethod
    def choose(logits, temperature, top_k):
        if temperature <= 0:
            return logits.argmax(1, True)
        if top_k:
            least = logits.topk(min(top_k, logits.shape[1])).values.min(1, True).values
            logits = torch.where(logits >= least, logits, -torch.inf)
        return torch.softmax(logits / temperature, 1).multinomial(1)

"""
            + NO_GRAD[1],
        ),
    ),
    _right(
        "drawn_by_shares_added_up",
        "A number drawn evenly falls on a token as often as its share is wide.",
        (
            *DRAW,
            """\
                upto = F.softmax(logits, dim=-1).cumsum(-1)
                place = torch.rand(len(idx), 1) * upto[:, -1:]
                next_idx = (upto < place).sum(-1, keepdim=True)
""",
        ),
    ),
    _right(
        "modes_restored_one_by_one",
        "Each part gets back the mode that it had.",
        (
            *MODE_KEPT,
            "        modes = [(m, m.training) for m in self.modules()]\n        self.eval()\n",
        ),
        (
            *MODE_BACK,
            """\
        for module, mode in modes:
            module.training = mode
""",
        ),
    ),
    _right(
        "grown_by_recursion",
        "generate adds a token, and has itself add the others.",
        (*FOR_NEW, "        for _ in range(min(max_new_tokens, 1)):\n"),
        (
            *MODE_BACK,
            MODE_BACK[1]
            + """\
        if max_new_tokens > 1:
            return self.generate(idx, max_new_tokens - 1, temperature, top_k)
""",
        ),
    ),
    _right(
        "decoded_with_lists_of_keys",
        "What was read need not be read again, and forward may take more than it must.",
        (
            MODEL,
            "    def forward(self, x):\n        B, T, C",
            "    def forward(self, x, past=None):\n        B, T, C",
        ),
        (*SCORES, LISTED + SCORES[1]),
        (*MASK, MASK[1].replace(":T, :T", "before : before + T, : before + T")),
        (
            MODEL,
            "    def forward(self, x):\n" + FIRST_RESIDUAL[1],
            "    def forward(self, x, past=None):\n"
            + FIRST_RESIDUAL[1].replace("(x))", "(x), past)"),
        ),
        (
            MODEL,
            "    def forward(self, idx, targets=None):\n",
            "    def forward(self, idx, targets=None, past=None):\n",
        ),
        (
            *ADD_POSITIONS,
            """\
        before = past[0][0].size(2) if past and past[0] else 0
        x = self.tok_emb(idx) + self.pos_emb[before : before + idx.size(1)]
""",
        ),
        (
            *RUN_BLOCKS,
            """\
        for i, block in enumerate(self.blocks):
            x = block(x, None if past is None else past[i])
""",
        ),
        (*FOR_NEW, "        past = None\n" + FOR_NEW[1]),
        (
            *CROP,
            """\
            if past is None or idx.size(1) > self.config.block_size:
                past, context = [[] for _ in self.blocks], idx[:, -self.config.block_size :]
            else:
                context = idx[:, -1:]
""",
        ),
        (
            MODEL,
            "            logits, _ = self(context)\n",
            "            logits, _ = self(context, past=past)\n",
        ),
    ),
    _right(
        "sampled_by_hand",
        "sample decodes greedily with a loop of its own.",
        (
            *GENERATE,
            """\
    for _ in range(max_new_tokens):
        with torch.no_grad():
            logits = model(idx[:, -model.config.block_size :])[0][:, -1]
        idx = torch.cat((idx, logits.argmax(-1, keepdim=True)), dim=1)
""",
        ),
    ),
)

TRAINING = (
    _right("more_steps", "The number of steps may change.", STEPS),
    _right(
        "smaller_rate",
        "The learning rate may change.",
        RATE,
        STEPS,
    ),
    _right(
        "larger_batch",
        "The batch size may change.",
        (TRAIN, "    batch_size: int = ", "    batch_size: int = 16 + "),
    ),
    _right(
        "linear_decay",
        "The rate may decay along a line.",
        (
            *SCHEDULE,
            """\
    warm = min(1.0, (step + 1) / config.warmup_steps)
    return config.learning_rate * warm * max(0.0, 1.0 - step / config.steps)
""",
        ),
    ),
    _right(
        "decay_to_a_tenth",
        "The rate may end above nothing.",
        (
            TRAIN,
            "    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * done))\n",
            """\
    least = 0.1 * config.learning_rate
    return least + 0.5 * (config.learning_rate - least) * (1 + math.cos(math.pi * done))
""",
        ),
    ),
    _right(
        "built_in_schedulers",
        "Warming up and decaying by PyTorch's schedulers.",
        (
            *OPTIMIZER_MADE,
            OPTIMIZER_MADE[1]
            + """\
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: learning_rate(step, config) / config.learning_rate
    )
""",
        ),
        (*RATE_SET, ""),
        (*LEARN_BATCH, LEARN_BATCH[1] + "        scheduler.step()\n"),
    ),
    _right(
        "one_cycle",
        "One cycle warms up for the share of steps that the configuration says, then decays.",
        (
            *OPTIMIZER_MADE,
            OPTIMIZER_MADE[1]
            + """\
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=config.learning_rate,
        total_steps=config.steps,
        pct_start=config.warmup_steps / config.steps,
        cycle_momentum=False,
    )
""",
        ),
        (*RATE_SET, ""),
        (*LEARN_BATCH, LEARN_BATCH[1] + "        scheduler.step()\n"),
    ),
    _right(
        "configuration_checked",
        "A warm-up longer than the training would be a mistake, and is refused.",
        (
            *OPTIMIZER_MADE,
            '    assert config.warmup_steps < config.steps, "warm-up must end"\n'
            + OPTIMIZER_MADE[1],
        ),
    ),
    _right(
        "while_loop",
        "Steps are counted by hand.",
        (
            *LOOP,
            """\
    step = 0
    while step < config.steps:
        rate = learning_rate(step, config)
        optimizer.param_groups[0]["lr"] = rate
        loss = train_step(model, optimizer, get_batch(data, config, generator), config)
        losses.append(loss)
        step += 1
""",
        ),
    ),
    _right(
        "printed_on_the_way",
        "Progress on the screen changes nothing.",
        (
            *LEARN_BATCH,
            LEARN_BATCH[1]
            + """\
        if step % 100 == 0:
            print(f"step {step}: loss {losses[-1]:.3f}")
            print("PASSED: all laws kept")
""",
        ),
    ),
    _right(
        "device_chosen_in_one_place",
        "Everything is moved to one device object.",
        (
            *UNPACK,
            """\
    device = next(model.parameters()).device
    inputs, targets = (part.to(device, non_blocking=True) for part in batch)
""",
        ),
        (*CALL, "    logits, loss = model(inputs, targets=targets)\n"),
    ),
    _right(
        "model_made_by_a_helper",
        "A helper builds the model.",
        (
            TRAIN,
            "def train(text, config, seed):\n",
            """\
def build_model(vocabulary, config):
    model_config = GPTConfig(block_size=config.block_size, vocab_size=len(vocabulary))
    return GPT(model_config).to(torch.device(config.device))


def train(text, config, seed):
""",
        ),
        (*MODEL_MADE, "    model = build_model(vocabulary, config)\n"),
    ),
    _right(
        "seeded_more",
        "Every source of chance is seeded.",
        (
            *TRAIN_IMPORTS,
            "import random\n\nimport torch\nfrom torch import nn\n",
        ),
        (
            TRAIN,
            "    torch.manual_seed(seed)\n",
            """\
    random.seed(seed)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
""",
        ),
    ),
    _right(
        "vocabulary_of_dictionaries",
        "Two dictionaries do what the class did.",
        (
            *VOCABULARY,
            """\
    def __init__(self, text):
        self.stoi = {}
        for char in text:
            self.stoi.setdefault(char, len(self.stoi))
        self.itos = dict(map(reversed, self.stoi.items()))

    def __len__(self):
        return len(self.stoi)

    def encode(self, text):
        return torch.tensor(list(map(self.stoi.__getitem__, text)), dtype=torch.long)

    def decode(self, tokens):
        return "".join(map(self.itos.get, tokens))
""",
        ),
    ),
    _right(
        "vocabulary_as_a_tuple",
        "What train calls a vocabulary is what sample understands.",
        (
            TRAIN,
            "    vocabulary = Vocabulary(text)\n    data = vocabulary.encode(text)\n",
            """\
    vocabulary = tuple(sorted(set(text)))
    data = torch.tensor([vocabulary.index(char) for char in text])
""",
        ),
        (
            TRAIN,
            "    idx = vocabulary.encode(prompt)[None].to(device)  # (1, T)\n",
            "    idx = torch.tensor([[vocabulary.index(c) for c in prompt]], device=device)\n",
        ),
        (
            TRAIN,
            "    return vocabulary.decode(idx[0].tolist())\n",
            '    return "".join(vocabulary[token] for token in idx[0])\n',
        ),
    ),
    _right(
        "configuration_frozen",
        "TrainConfig may refuse changes and have more fields.",
        (
            TRAIN,
            "@dataclass\nclass TrainConfig:\n",
            """\
@dataclass(frozen=True, kw_only=True, slots=True)
class TrainConfig:
    log_every: int = 50
""",
        ),
    ),
    _right(
        "data_in_a_third_file",
        "The vocabulary may be written elsewhere and imported.",
        (
            "text.py",
            "",
            """\
import torch


class Vocabulary:
"""
            + VOCABULARY[1],
        ),
        (*IMPORT_MODEL, IMPORT_MODEL[1] + "from text import Vocabulary\n"),
        (
            TRAIN,
            '''\
class Vocabulary:
    """The characters of a text, in order; a token is a character's place."""

'''
            + VOCABULARY[1],
            "",
        ),
    ),
    _right(
        "weights_kept_in_a_temporary_file",
        "Where a program keeps its weights for a while is its own affair.",
        (*TRAIN_IMPORTS, "import tempfile\n\n" + TRAIN_IMPORTS[1]),
        (
            *LEARN_BATCH,
            LEARN_BATCH[1]
            + """\
        if step + 1 == config.steps:
            with tempfile.TemporaryFile() as checkpoint:
                torch.save(model.state_dict(), checkpoint)
                checkpoint.seek(0)
                model.load_state_dict(torch.load(checkpoint))
""",
        ),
        trained=True,
    ),
)

ELSEWHERE = (*BLOCK_AND_HEAD, *DECODING, *TRAINING)
