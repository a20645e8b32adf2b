"""Wrong programs that train well, and break what PROBLEM.md says of their functions."""

from . import Fixture
from .places import (
    ARGMAX,
    BLOCKS,
    CALL,
    CROP,
    DECODE,
    DRAW,
    GENERATE,
    GROW,
    LOSS,
    MASK_TABLE,
    MODE_BACK,
    MODE_KEPT,
    MODEL,
    NO_GRAD,
    NO_TARGETS,
    TEMPERATURE,
    TRAIN,
    VOCABULARY,
)


def _wrong(name: str, why: str, *changes: tuple[str, str, str], trained: bool = False) -> Fixture:
    return Fixture(name, "elsewhere", why, changes, needs_training=trained)


OWN_LOSS = (
    *CALL,
    """\
    logits = model(inputs.to(config.device))[0]
    loss = nn.functional.cross_entropy(
        logits.flatten(0, 1), targets.to(config.device).flatten()
    )
""",
)
FOR_NEW = (MODEL, "        for _ in range(max_new_tokens):\n")
COUNTED = (*FOR_NEW, "        for step in range(max_new_tokens):\n")
IF_KEPT = (MODEL, "                if top_k is not None:\n")
IF_GREEDY = (MODEL, "            if temperature == 0:\n")

CONTRACT = (
    _wrong(
        "greedy_by_default",
        "generate draws tokens unless it is told not to.",
        (MODEL, "temperature=1.0, top_k=None):", "temperature=0, top_k=None):"),
        (*GENERATE, "    idx = model.generate(idx, max_new_tokens)\n"),
    ),
    _wrong(
        "few_kept_by_default",
        "generate draws from all tokens unless it is told not to.",
        (MODEL, "temperature=1.0, top_k=None):", "temperature=1.0, top_k=3):"),
    ),
    _wrong(
        "greedy_only_without_top_k",
        "Temperature 0 is greedy, however many are kept.",
        (
            MODEL,
            "            if temperature == 0:\n",
            "            if not temperature and not top_k:\n",
        ),
    ),
    _wrong(
        "one_token_at_least",
        "No new token is what was asked for.",
        (*FOR_NEW, "        for _ in range(max(1, max_new_tokens)):\n"),
    ),
    _wrong(
        "all_drawn_at_once",
        "Later tokens are drawn from what was known before the first.",
        (
            *DRAW,
            """\
                shares = F.softmax(logits, dim=-1)
                next_idx = torch.multinomial(shares, max_new_tokens, replacement=True)
                return torch.cat((idx, next_idx), dim=1)
""",
        ),
    ),
    _wrong(
        "all_drawn_at_once_where_all_are_kept",
        "Later tokens are drawn from what was known before the first.",
        (
            *DRAW,
            DRAW[1]
            + """\
                if top_k is None:
                    shares = F.softmax(logits, dim=-1)
                    drawn = torch.multinomial(shares, max_new_tokens, replacement=True)
                    return torch.cat((idx, drawn), dim=1)
""",
        ),
    ),
    _wrong(
        "drawn_without_the_prompt",
        "The prompt is lost once tokens are drawn.",
        (
            *MODE_BACK,
            MODE_BACK[1]
            + "        if temperature != 0:\n            return idx[:, -max_new_tokens:]\n",
        ),
    ),
    _wrong(
        "drawn_again_from_the_prompt",
        "What was drawn is not looked at for the next.",
        (
            *CROP,
            """\
            seen = idx if temperature == 0 else idx[:, : idx.size(1) - _]
            context = seen[:, -self.config.block_size :]
""",
        ),
    ),
    _wrong(
        "rows_drawn_from_the_first",
        "Every row of a batch is drawn from the distribution of the first.",
        (
            *DRAW,
            """\
                shares = F.softmax(logits[0], dim=-1)
                next_idx = torch.multinomial(shares, len(logits), replacement=True)[:, None]
""",
        ),
    ),
    _wrong(
        "cropped_only_when_greedy",
        "Drawing beyond the context must work, too.",
        (
            *CROP,
            """\
            context = idx
            if temperature == 0:
                context = idx[:, -self.config.block_size :]
""",
        ),
    ),
    _wrong(
        "argmax_of_the_batch",
        "All rows are given the likeliest token of the first.",
        (
            *ARGMAX,
            "                next_idx = logits[:1].argmax(-1, keepdim=True).expand(len(idx), 1)\n",
        ),
    ),
    _wrong(
        "a_loss_without_targets",
        "Without targets there is no loss.",
        (*NO_TARGETS, NO_TARGETS[1].replace("logits, None", "logits, logits.sum()")),
    ),
    _wrong(
        "loss_summed_in_forward",
        "The loss of forward is a mean.",
        (*LOSS, LOSS[1].replace("flatten())", 'flatten(), reduction="sum")')),
        OWN_LOSS,
    ),
    _wrong(
        "loss_negated_in_forward",
        "The loss of forward is a cross-entropy, and not its opposite.",
        (*LOSS, LOSS[1].replace("F.cross", "-F.cross")),
        OWN_LOSS,
    ),
    _wrong(
        "no_logits_with_targets",
        "Logits are given with targets, too.",
        (
            MODEL,
            "        return logits, loss\n",
            "        return None, loss\n",
        ),
    ),
    _wrong(
        "first_logits_with_targets",
        "With targets, the logits of the first position alone are given.",
        (MODEL, "        return logits, loss\n", "        return logits[:, :1], loss\n"),
    ),
    _wrong(
        "sample_from_memory",
        "What sample tells is not what the model generates.",
        (
            *VOCABULARY,
            VOCABULARY[1].replace(
                "        self.chars", "        self.text = text\n        self.chars", 1
            ),
        ),
        (*DECODE, "    return vocabulary.text[: len(prompt) + max_new_tokens]\n"),
    ),
    _wrong(
        "sample_decodes_one_character_wrong",
        "One character is told for another.",
        (*DECODE, '    return vocabulary.decode(idx[0].tolist()).replace("e", "a")\n'),
    ),
    _wrong(
        "main_crashes",
        "`python train.py` ends in an error.",
        (TRAIN, '    print(f"wanted: {TEXT}")\n', '    print(f"wanted: {TEXTS}")\n'),
        trained=True,
    ),
    _wrong(
        "main_gone",
        "`python train.py` has nothing to run.",
        (TRAIN, "def main():\n", "def run():\n"),
    ),
    _wrong(
        "two_layers_at_most",
        "The depth that is asked for is not the depth that is built.",
        (*BLOCKS, BLOCKS[1].replace("config.n_layer", "min(config.n_layer, 2)")),
    ),
    _wrong(
        "twelve_tokens_seen",
        "A position sees the whole context, and not its last twelve tokens.",
        (
            *MASK_TABLE,
            MASK_TABLE[1].replace("dtype=torch.bool))\n", "dtype=torch.bool)).triu(-11)\n"),
        ),
        trained=True,
    ),
    _wrong(
        "temperature_of_the_first_alone",
        "All but the first token are drawn as they are by default.",
        COUNTED,
        (*TEMPERATURE, "                logits = logits / (1.0 if step else temperature)\n"),
    ),
    _wrong(
        "temperature_that_falls",
        "Each token is drawn a little colder than the one before it.",
        (*GROW, GROW[1] + "            temperature *= 0.95\n"),
    ),
    _wrong(
        "few_kept_for_the_first_alone",
        "Behind the first token some are drawn that are not among the likeliest.",
        COUNTED,
        (*IF_KEPT, "                if top_k == 1 or (top_k and not step):\n"),
    ),
    _wrong(
        "cold_taken_for_greedy",
        "A low temperature still draws.",
        (*IF_GREEDY, "            if temperature < 0.4:\n"),
    ),
    _wrong(
        "no_hotter_than_two",
        "A temperature beyond two is another one.",
        (*TEMPERATURE, "                logits = logits / min(temperature, 2.0)\n"),
    ),
    _wrong(
        "seeded_by_generate",
        "Whoever asks again gets the same tokens again.",
        (*MODE_KEPT, "        torch.manual_seed(1337)\n" + MODE_KEPT[1]),
    ),
    _wrong(
        "generator_made_by_generate",
        "Each call begins with the same seed.",
        (*MODE_KEPT, MODE_KEPT[1] + "        generator = torch.Generator().manual_seed(0)\n"),
        (*DRAW, DRAW[1].replace("num_samples=1", "1, generator=generator")),
    ),
    _wrong(
        "prompt_grown_in_place",
        "The tokens that were given are the caller's.",
        (*GROW, "            idx.data = torch.cat((idx, next_idx), dim=1)\n"),
    ),
    _wrong(
        "gradients_left_on",
        "Whoever keeps none has them kept behind generating.",
        (*NO_GRAD, ""),
        (*MODE_KEPT, MODE_KEPT[1] + "        torch.set_grad_enabled(False)\n"),
        (*MODE_BACK, MODE_BACK[1] + "        torch.set_grad_enabled(True)\n"),
    ),
    _wrong(
        "mode_of_the_parts_lost",
        "The model says that it trains, and its blocks do not.",
        (*MODE_BACK, "        self.training = was_training\n"),
    ),
)
