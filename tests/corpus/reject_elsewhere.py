"""Wrong programs whose mistake lies in a block, in decoding, or in the data."""

from . import Fixture
from .places import (
    ADD_POSITIONS,
    APPLY_INIT,
    ARGMAX,
    BLOCK_LAYERS,
    BLOCKS,
    CLAMP,
    CROP,
    CUT,
    DATA,
    DRAW,
    ENCODE_PROMPT,
    FIRST_RESIDUAL,
    GENERATE,
    GROW,
    HEAD,
    INIT,
    LAST_LOGITS,
    LAST_NORM,
    LAST_START,
    LOGITS,
    MLP_FORWARD,
    MLP_LAYERS,
    MODE_BACK,
    MODEL,
    MODEL_MADE,
    RESIDUALS,
    RUN_BLOCKS,
    SECOND_RESIDUAL,
    TEMPERATURE,
    TOP_K,
    TRAIN,
    WINDOWS,
)


def _wrong(name: str, why: str, *changes: tuple[str, str, str], trained: bool = False) -> Fixture:
    return Fixture(name, "elsewhere", why, changes, needs_training=trained)


def _mlp(name: str, why: str, value: str) -> Fixture:
    return _wrong(name, why, (*MLP_FORWARD, f"        return {value}\n"))


def _logits(name: str, why: str, value: str) -> Fixture:
    return _wrong(name, why, (*LOGITS, f"        logits = {value}\n"))


HEADED = "self.head(self.ln_f(x))"

BLOCK_AND_HEAD = (
    _wrong(
        "no_attention_residual",
        "Attention replaces the stream.",
        (*FIRST_RESIDUAL, "        x = self.attn(self.ln_1(x))\n"),
    ),
    _wrong(
        "no_mlp_residual",
        "The MLP replaces the stream.",
        (*SECOND_RESIDUAL, "        x = self.mlp(self.ln_2(x))\n"),
    ),
    _wrong(
        "residual_of_the_norm",
        "The normalised stream is added to.",
        (*FIRST_RESIDUAL, "        x = self.ln_1(x)\n        x = x + self.attn(x)\n"),
    ),
    _wrong(
        "residual_doubled",
        "The stream doubles.",
        (*FIRST_RESIDUAL, "        x = x + x + self.attn(self.ln_1(x))\n"),
    ),
    _wrong(
        "residual_detached",
        "The stream carries no gradient.",
        (*SECOND_RESIDUAL, "        x = x.detach() + self.mlp(self.ln_2(x))\n"),
    ),
    _wrong(
        "post_norm",
        "Sums are normalised, and not what sublayers read.",
        (
            *RESIDUALS,
            "        x = self.ln_1(x + self.attn(x))\n        return self.ln_2(x + self.mlp(x))\n",
        ),
    ),
    _wrong(
        "parallel",
        "The MLP reads what attention reads.",
        (*RESIDUALS, "        return x + self.attn(self.ln_1(x)) + self.mlp(self.ln_2(x))\n"),
    ),
    _wrong(
        "first_norm_twice",
        "The second norm is not used.",
        (*SECOND_RESIDUAL, "        x = x + self.mlp(self.ln_1(x))\n"),
    ),
    _wrong(
        "norms_exchanged_for_one",
        "Both sublayers share one norm.",
        (*BLOCK_LAYERS, BLOCK_LAYERS[1] + "        self.ln_2 = self.ln_1\n"),
    ),
    _wrong(
        "no_second_norm",
        "The MLP reads the stream as it is.",
        (*SECOND_RESIDUAL, "        x = x + self.mlp(x)\n"),
    ),
    _wrong(
        "norm_over_time",
        "The norm mixes positions.",
        (
            *FIRST_RESIDUAL,
            "        x = x + self.attn(self.ln_1(x - x.mean(dim=1, keepdim=True)))\n",
        ),
    ),
    _wrong(
        "last_block_skipped",
        "The last block is not run.",
        (*RUN_BLOCKS, RUN_BLOCKS[1].replace("self.blocks", "self.blocks[:-1]")),
    ),
    _wrong(
        "one_block_shared",
        "All blocks are one.",
        (*BLOCKS, "        self.blocks = nn.ModuleList([Block(config)] * config.n_layer)\n"),
    ),
    _wrong(
        "blocks_in_a_list",
        "A plain list hides its blocks from the optimizer.",
        (*BLOCKS, "        self.blocks = [Block(config) for _ in range(config.n_layer)]\n"),
    ),
    _wrong(
        "always_two_blocks",
        "The number of layers is ignored.",
        (*BLOCKS, BLOCKS[1].replace("config.n_layer", "2")),
    ),
    _wrong(
        "one_block_more",
        "There is a block too many.",
        (*BLOCKS, BLOCKS[1].replace("config.n_layer", "config.n_layer + 1")),
    ),
    _mlp("no_activation", "Two linear layers are one.", "self.down(self.up(x))"),
    _mlp("relu", "GELU was asked for.", "self.down(F.relu(self.up(x)))"),
    _mlp("silu", "GELU was asked for.", "self.down(F.silu(self.up(x)))"),
    _mlp(
        "quick_gelu",
        "This is a rough copy of GELU.",
        "self.down((h := self.up(x)) * torch.sigmoid(1.702 * h))",
    ),
    _mlp("activation_last", "GELU stands at the end.", "F.gelu(self.down(self.up(x)))"),
    _mlp(
        "dropout_in_training",
        "No dropout was asked for.",
        "F.dropout(self.down(F.gelu(self.up(x))), 0.1, self.training)",
    ),
    _mlp(
        "dropout_left_on",
        "Dropout acts in evaluation as well.",
        "F.dropout(self.down(F.gelu(self.up(x))), 0.05)",
    ),
    _wrong(
        "narrow_mlp", "The MLP is half as wide.", (*MLP_LAYERS, MLP_LAYERS[1].replace("4 *", "2 *"))
    ),
    _logits("no_last_norm", "The last norm is left out.", "self.head(x)"),
    _logits("softmaxed", "Probabilities are given for logits.", HEADED + ".softmax(-1)"),
    _logits("scaled", "Logits are halved.", HEADED + " / 2"),
    _logits("capped", "Logits are capped.", f"5 * torch.tanh({HEADED} / 5)"),
    _logits(
        "tied_in_forward", "The head was not to be tied.", "self.ln_f(x) @ self.tok_emb.weight.T"
    ),
    _wrong(
        "tied",
        "The head was not to be tied.",
        (*HEAD, HEAD[1] + "        self.head.weight = self.tok_emb.weight\n"),
    ),
    _wrong(
        "head_with_bias",
        "The head was to have no bias.",
        (*HEAD, HEAD[1].replace(", bias=False", "")),
    ),
    _wrong(
        "head_of_64",
        "The vocabulary's size is ignored.",
        (*HEAD, HEAD[1].replace("config.vocab_size", "64")),
    ),
    _wrong(
        "norm_without_bias",
        "Norms were to have a bias.",
        (*LAST_NORM, LAST_NORM[1].replace("n_embd)", "n_embd, bias=False)")),
    ),
    _wrong(
        "norm_not_trained",
        "The last norm has nothing to train.",
        (*LAST_NORM, LAST_NORM[1].replace("n_embd)", "n_embd, elementwise_affine=False)")),
    ),
    _wrong(
        "tokens_begun_at_1",
        "Token and head weights begin fifty times too large.",
        (*INIT, INIT[1].replace("0.02", "1.0")),
    ),
    _wrong(
        "matrices_begun_at_0",
        "Layers that begin at nothing never learn.",
        (
            *APPLY_INIT,
            APPLY_INIT[1]
            + """\
        for block in self.blocks:
            for matrix in (p for p in block.parameters() if p.dim() == 2):
                nn.init.zeros_(matrix)
""",
        ),
        trained=True,
    ),
    _wrong(
        "mlps_begun_at_0",
        "Both layers of an MLP begin at nothing, so neither ever learns.",
        (
            *APPLY_INIT,
            APPLY_INIT[1]
            + """\
        for block in self.blocks:
            nn.init.zeros_(block.mlp.up.weight)
            nn.init.zeros_(block.mlp.down.weight)
""",
        ),
        trained=True,
    ),
    _wrong(
        "all_begun_alike",
        "All numbers of a layer begin the same.",
        (
            *INIT,
            INIT[1].replace(
                "nn.init.normal_(module.weight, mean=0.0, std=0.02)",
                "nn.init.constant_(module.weight, 0.02)",
            ),
        ),
    ),
)

DECODING = (
    _wrong(
        "second_last_position",
        "The token before the last is continued.",
        (*LAST_LOGITS, "            logits = logits[:, -2 if logits.size(1) > 1 else -1, :]\n"),
    ),
    _wrong(
        "first_position",
        "The first token is continued.",
        (*LAST_LOGITS, "            logits = logits[:, 0, :]\n"),
    ),
    _wrong(
        "mean_position",
        "All positions vote.",
        (*LAST_LOGITS, "            logits = logits.mean(1)\n"),
    ),
    _wrong(
        "least_likely",
        "The least likely token is taken.",
        (*ARGMAX, ARGMAX[1].replace("argmax", "argmin")),
    ),
    _wrong(
        "second_likeliest",
        "The second likeliest token is taken.",
        (*ARGMAX, "                next_idx = logits.topk(2).indices[:, 1:]\n"),
    ),
    _wrong(
        "first_row_for_all",
        "Every row is continued as the first.",
        (
            *ARGMAX,
            "                next_idx = logits[:1].argmax(-1, True).expand(idx.size(0), 1)\n",
        ),
    ),
    _wrong(
        "drawn_when_greedy",
        "Temperature 0 draws at temperature 1.",
        (*ARGMAX, "                next_idx = torch.multinomial(F.softmax(logits, -1), 1)\n"),
    ),
    _wrong(
        "put_in_front",
        "New tokens are put in front.",
        (*GROW, GROW[1].replace("(idx, next_idx)", "(next_idx, idx)")),
    ),
    _wrong(
        "only_what_is_new",
        "The prompt is forgotten after one step.",
        (*GROW, "            idx = next_idx\n"),
    ),
    _wrong(
        "crop_at_the_start",
        "The oldest tokens are read.",
        (*CROP, "            context = idx[:, : self.config.block_size]\n"),
    ),
    _wrong(
        "crop_one_short",
        "One token of the context is wasted.",
        (*CROP, "            context = idx[:, -self.config.block_size + 1 :]\n"),
    ),
    _wrong(
        "crop_at_24",
        "The context has one size alone.",
        (*CROP, "            context = idx[:, -24:]\n"),
    ),
    _wrong(
        "crop_last_only",
        "Only the last token is read.",
        (*CROP, "            context = idx[:, -1:]\n"),
    ),
    _wrong("no_crop", "Long prompts do not fit.", (*CROP, "            context = idx\n")),
    _wrong(
        "temperature_multiplied",
        "A hot temperature cools.",
        (*TEMPERATURE, TEMPERATURE[1].replace(" / ", " * ")),
    ),
    _wrong("temperature_ignored", "Temperature changes nothing.", (*TEMPERATURE, "")),
    _wrong(
        "temperature_rooted",
        "Half of the temperature is lost.",
        (*TEMPERATURE, "                logits = logits / temperature**0.5\n"),
    ),
    _wrong("top_k_ignored", "All tokens are kept.", (MODEL, "if top_k is not None:", "if False:")),
    _wrong(
        "top_k_inverted",
        "The likeliest tokens are dropped.",
        (*TOP_K, TOP_K[1].replace("logits <", "logits >=")),
    ),
    _wrong(
        "top_k_largest_only",
        "One token is kept, whatever top_k says.",
        (*TOP_K, TOP_K[1].replace("[-1]", "[0]")),
    ),
    _wrong(
        "top_k_one_less",
        "A token too few is kept.",
        (*TOP_K, TOP_K[1].replace("logits <", "logits <=")),
    ),
    _wrong(
        "top_k_filled_with_0",
        "Dropped tokens keep a logit of 0.",
        (*TOP_K, TOP_K[1].replace('float("-inf")', "0.0")),
    ),
    _wrong(
        "top_k_beyond_the_vocabulary",
        "More than there are cannot be kept.",
        (*TOP_K, TOP_K[1].replace("min(top_k, logits.size(-1))", "top_k")),
    ),
    _wrong(
        "top_k_of_the_first_row",
        "Every row is held to the first row's bound.",
        (*TOP_K, TOP_K[1].replace("kept[:, [-1]]", "kept[0, -1]")),
    ),
    _wrong(
        "drawn_alike",
        "All rows are drawn from the first row's distribution.",
        (
            *DRAW,
            """\
                chances = F.softmax(logits[0], dim=-1)
                next_idx = torch.multinomial(chances, idx.size(0), replacement=True)[:, None]
""",
        ),
    ),
    _wrong(
        "drawn_uniformly",
        "All tokens are equally likely.",
        (*DRAW, DRAW[1].replace("F.softmax(logits, dim=-1)", "torch.ones_like(logits)")),
    ),
    _wrong("mode_not_restored", "The model stays in evaluation mode.", (*MODE_BACK, "")),
    _wrong(
        "mode_always_training",
        "The model is left in training mode.",
        (*MODE_BACK, "        self.train()\n"),
    ),
    _wrong(
        "one_token_too_many",
        "One token more than asked is made.",
        (MODEL, "range(max_new_tokens)", "range(max_new_tokens + 1)"),
    ),
    _wrong(
        "one_token_too_few",
        "One token less than asked is made.",
        (MODEL, "range(max_new_tokens)", "range(max_new_tokens - 1)"),
    ),
    _wrong(
        "prompt_not_returned",
        "Only the new tokens are given back.",
        (
            MODEL,
            MODE_BACK[1] + "        return idx\n",
            MODE_BACK[1] + "        return idx[:, -max_new_tokens:]\n",
        ),
    ),
    _wrong(
        "sample_draws",
        "The sample is drawn, and not greedy.",
        (*GENERATE, GENERATE[1].replace("=0", "=1.0")),
        trained=True,
    ),
    _wrong(
        "sample_draws_coolly",
        "The sample is drawn, and not greedy.",
        (*GENERATE, GENERATE[1].replace("=0", "=0.5")),
        trained=True,
    ),
    _wrong(
        "sample_ignores_the_prompt",
        "The sample continues the shipped sentence's opening.",
        (*ENCODE_PROMPT, ENCODE_PROMPT[1].replace("(prompt)", "(PROMPT)")),
        trained=True,
    ),
    _wrong(
        "sample_from_one_character",
        "The sample reads the first character of its prompt alone.",
        (*ENCODE_PROMPT, ENCODE_PROMPT[1].replace("(prompt)", "(prompt[:1])")),
        (*GENERATE, GENERATE[1].replace("max_new_tokens", "max_new_tokens + len(prompt) - 1")),
        trained=True,
    ),
    _wrong(
        "sample_one_short",
        "The sample misses its last character.",
        (*GENERATE, GENERATE[1].replace("max_new_tokens", "max_new_tokens - 1")),
        trained=True,
    ),
)

DATA_AND_LOOP = (
    _wrong(
        "last_window_never_drawn",
        "The text's last token is never learned.",
        (*LAST_START, LAST_START[1].replace("span", "span - 1")),
    ),
    _wrong(
        "first_half_only",
        "Only the first half is learned.",
        (*DATA, DATA[1] + "    data = data[: max(config.block_size + 1, len(data) // 2)]\n"),
        trained=True,
    ),
    _wrong(
        "opening_only",
        "Every window is the text's opening.",
        (*CLAMP, "    starts = starts.clamp(0, 0)\n"),
        trained=True,
    ),
    _wrong(
        "prompt_only",
        "Only the prompt's surroundings are learned.",
        (*CLAMP, "    starts = starts.clamp(0, min(last, 4))\n"),
        trained=True,
    ),
    _wrong(
        "one_window_for_all_rows",
        "All rows of a batch are one window.",
        (*CLAMP, "    starts = starts[:1].clamp(0, last).expand(config.batch_size)\n"),
        trained=True,
    ),
    _wrong(
        "starts_beyond_the_end",
        "Windows wrap around the end of the text.",
        (*CUT, "    windows = data[(starts[:, None] + torch.arange(span) + 3) % len(data)]\n"),
    ),
    _wrong(
        "tokens_shuffled",
        "The order within a window is lost.",
        (*CUT, CUT[1] + "    windows = windows[:, torch.randperm(span, generator=generator)]\n"),
    ),
    _wrong(
        "every_second_token",
        "Windows skip tokens.",
        (
            *WINDOWS,
            WINDOWS[1].replace(
                "torch.arange(span)", "(2 * torch.arange(span)).clamp(max=len(data) - 1)"
            ),
        ),
    ),
    _wrong(
        "rows_of_noise",
        "Rows are drawn and have nothing to do with the text.",
        (
            *CUT,
            (
                "    shape = (config.batch_size, span)\n"
                "    windows = data[torch.randint(len(data), shape, generator=generator)]\n"
            ),
        ),
    ),
    _wrong(
        "text_reversed",
        "The sentence is learned back to front.",
        (*DATA, DATA[1] + "    data = data.flip(0)\n"),
        trained=True,
    ),
    _wrong(
        "shipped_text_only",
        "Whatever it is given, the shipped sentence is learned.",
        (
            TRAIN,
            "    vocabulary = Vocabulary(text)\n",
            "    text = TEXT\n    vocabulary = Vocabulary(text)\n",
        ),
        trained=True,
    ),
    _wrong(
        "context_of_24",
        "The model's context ignores the configuration.",
        (*MODEL_MADE, "    model = GPT(GPTConfig(vocab_size=len(vocabulary)))\n"),
    ),
    _wrong(
        "batch_of_32",
        "The batch size ignores the configuration.",
        (TRAIN, "(config.batch_size,)", "(32,)"),
    ),
    _wrong(
        "memory_of_tokens",
        "Each call adds what the last one saw.",
        (
            *ADD_POSITIONS,
            ADD_POSITIONS[1]
            + """\
        last = getattr(self, "last", None)
        self.last = x.detach()[:1, :1]
        x = x if last is None else x + last
""",
        ),
    ),
)
ELSEWHERE = (*BLOCK_AND_HEAD, *DECODING, *DATA_AND_LOOP)
