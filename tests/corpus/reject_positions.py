"""Wrong ways to make or to add the table of positions."""

from . import Fixture
from .places import ADD_POSITIONS, APPLY_INIT, INIT, MODEL, OPTIMIZER, POSITION_TABLE, RUN_BLOCKS


def _wrong(name: str, why: str, *changes: tuple[str, str, str]) -> Fixture:
    return Fixture(name, "positions", why, changes)


def _begun(name: str, why: str, value: str) -> Fixture:
    lines = f"        shape = (config.block_size, config.n_embd)\n        self.pos_emb = {value}\n"
    return _wrong(name, why, (*POSITION_TABLE, lines))


def _added(name: str, why: str, value: str) -> Fixture:
    return _wrong(name, why, (*ADD_POSITIONS, f"        x = self.tok_emb(idx) + {value}\n"))


LARGE = "Positions drown the tokens."
FROZEN = "The table is never trained."
HERE = "self.pos_emb[: idx.size(1)]"

POSITIONS = (
    _begun("std_1", LARGE, "nn.Parameter(torch.randn(shape))"),
    _begun("std_2", LARGE, "nn.Parameter(2 * torch.randn(shape))"),
    _begun("std_root_of_0_02", LARGE, "nn.Parameter(0.02**0.5 * torch.randn(shape))"),
    _begun("std_0_14", LARGE, "nn.Parameter(0.14 * torch.randn(shape))"),
    _begun("std_0_1", LARGE, "nn.Parameter(0.1 * torch.randn(shape))"),
    _begun("uniform_0_1", LARGE, "nn.Parameter(torch.rand(shape))"),
    _begun("empty", "Nobody chose what the memory holds.", "nn.Parameter(torch.empty(shape))"),
    _begun(
        "empty_scaled",
        "Nobody chose what the memory holds.",
        "nn.Parameter(0.02 * torch.empty(shape))",
    ),
    _begun(
        "filled_a_copy",
        "The numbers are written into a copy.",
        "nn.Parameter(torch.empty(shape))\n        nn.init.normal_(self.pos_emb.clone(), std=0.02)",
    ),
    _begun("zeros_frozen", FROZEN, "nn.Parameter(torch.zeros(shape), requires_grad=False)"),
    _begun("random_frozen", FROZEN, "nn.Parameter(0.02 * torch.randn(shape), requires_grad=False)"),
    _begun("plain_tensor", FROZEN, "0.02 * torch.randn(shape)"),
    _begun(
        "overwritten_large",
        LARGE,
        "nn.Parameter(0.02 * torch.randn(shape))\n        nn.init.normal_(self.pos_emb)",
    ),
    _begun(
        "one_row",
        "Every position is the same.",
        "nn.Parameter(0.02 * torch.randn(1, config.n_embd))",
    ),
    _wrong(
        "buffer",
        FROZEN,
        (
            *POSITION_TABLE,
            """\
        table = 0.02 * torch.randn(config.block_size, config.n_embd)
        self.register_buffer("pos_emb", table)
""",
        ),
    ),
    _wrong(
        "embedding_begun_large",
        LARGE,
        (
            *POSITION_TABLE,
            "        self.pos_emb = nn.Embedding(config.block_size, config.n_embd)\n",
        ),
        (
            *ADD_POSITIONS,
            "        x = self.tok_emb(idx) + self.pos_emb(torch.arange(idx.size(1)))\n",
        ),
        (*APPLY_INIT, APPLY_INIT[1] + "        self.pos_emb.reset_parameters()\n"),
    ),
    _wrong(
        "overwritten_by_init_weights",
        LARGE,
        (
            *INIT,
            INIT[1]
            + "        if isinstance(module, GPT):\n            nn.init.normal_(module.pos_emb)\n",
        ),
    ),
    _wrong(
        "sinusoids",
        "Positions were to stay learned.",
        (
            *POSITION_TABLE,
            """\
        place = torch.arange(config.block_size)[:, None]
        rate = torch.exp(-math.log(1e4) * torch.arange(0, config.n_embd, 2) / config.n_embd)
        table = torch.stack((torch.sin(place * rate), torch.cos(place * rate)), dim=-1)
        self.register_buffer("pos_emb", 0.02 * table.flatten(1))
""",
        ),
    ),
    _wrong(
        "sinusoids_and_table",
        "Sinusoids are added on top of the learned table.",
        (
            *ADD_POSITIONS,
            ADD_POSITIONS[1]
            + """\
        place = torch.arange(idx.size(1))[:, None] / torch.arange(1, x.size(-1) + 1)
        x = x + 0.02 * torch.sin(place)
""",
        ),
    ),
    _wrong(
        "not_added",
        "Positions are never added.",
        (*ADD_POSITIONS, "        x = self.tok_emb(idx)\n"),
    ),
    _wrong(
        "alone",
        "The model knows by position only, and reads no token.",
        (*ADD_POSITIONS, "        x = self.pos_emb[: idx.size(1)].expand(idx.size(0), -1, -1)\n"),
    ),
    _wrong(
        "multiplied",
        "Tokens are multiplied by positions.",
        (*ADD_POSITIONS, ADD_POSITIONS[1].replace(" + ", " * ")),
    ),
    _wrong(
        "positions_in_training_only",
        "In evaluation no position is added.",
        (*ADD_POSITIONS, ADD_POSITIONS[1].replace(" + ", " + self.training * ")),
    ),
    _wrong(
        "added_in_every_block",
        "Positions are added again before each block.",
        (*RUN_BLOCKS, RUN_BLOCKS[1].replace("block(x)", f"block(x + {HERE})")),
    ),
    _wrong(
        "joined_behind_the_blocks",
        "Positions come too late for attention.",
        (*ADD_POSITIONS, "        x = self.tok_emb(idx)\n"),
        (*RUN_BLOCKS, RUN_BLOCKS[1] + f"        x = x + {HERE}\n"),
    ),
    _added("added_twice", "Positions weigh twice.", f"2 * {HERE}"),
    _added("scaled_by_20", LARGE, f"20 * {HERE}"),
    _added(
        "scaled_by_root",
        "Positions are multiplied by the root of the width.",
        f"math.sqrt(self.config.n_embd) * {HERE}",
    ),
    _added("table_detached", FROZEN, f"{HERE}.detach()"),
    _added(
        "detached_in_part",
        "No gradient reaches the first position.",
        "torch.cat((self.pos_emb[:1].detach(), self.pos_emb[1 : idx.size(1)]))",
    ),
    _added("same_everywhere", "The first row is added everywhere.", "self.pos_emb[0]"),
    _added(
        "last_row_repeated",
        "The last position uses the row of the one before.",
        "self.pos_emb[torch.arange(idx.size(1)).clamp(max=self.config.block_size - 2)]",
    ),
    _added(
        "counted_from_the_end",
        "Positions are counted from the end of the input.",
        f"{HERE}.flip(0)",
    ),
    _added(
        "aligned_right",
        "What row a token gets depends on how long the input is.",
        "self.pos_emb[-idx.size(1) :]",
    ),
    _added(
        "begun_at_one",
        "Positions are counted from the second row, and wrap.",
        "self.pos_emb.roll(-1, 0)[: idx.size(1)]",
    ),
    _added(
        "indexed_by_token",
        "The table is read at the token's number.",
        "self.pos_emb[idx % self.config.block_size]",
    ),
    _added(
        "indexed_by_row",
        "The table is read at the row's number.",
        "self.pos_emb[torch.arange(idx.size(0)) % self.config.block_size][:, None]",
    ),
    _wrong(
        "left_out_of_the_optimizer",
        FROZEN,
        (
            *OPTIMIZER,
            OPTIMIZER[1].replace(
                "model.parameters()", '[p for n, p in model.named_parameters() if "pos" not in n]'
            ),
        ),
    ),
    _wrong(
        "for_64_positions",
        "The table has the size of one configuration.",
        (MODEL, "torch.randn(config.block_size, config.n_embd)", "torch.randn(64, config.n_embd)"),
    ),
)
