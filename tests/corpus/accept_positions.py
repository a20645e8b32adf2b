"""Right ways to make a trainable table of positions and to add it."""

from . import Fixture
from .places import (
    ADD_POSITIONS,
    APPLY_INIT,
    INIT,
    MODEL,
    POSITION_TABLE,
    QKV,
    QKV_LAYERS,
    TOKEN_TABLE,
    TRAIN,
)

AS_MODULE = (
    *ADD_POSITIONS,
    """\
        x = self.tok_emb(idx) + self.pos_emb(torch.arange(idx.size(1), device=idx.device))
""",
)


def _right(name: str, why: str, *changes: tuple[str, str, str], trained: bool = False) -> Fixture:
    return Fixture(name, "positions", why, changes, needs_training=trained)


def _begun(name: str, why: str, values: str) -> Fixture:
    """Make a program whose table of the usual shape begins with the values given."""
    return _right(
        name,
        why,
        (
            *POSITION_TABLE,
            f"""\
        shape = (config.block_size, config.n_embd)
        self.pos_emb = nn.Parameter({values})
""",
        ),
    )


POSITIONS = (
    _right(
        "embedding",
        "An embedding is a trainable table, and init_weights begins it at 0.02.",
        (
            *POSITION_TABLE,
            "        self.pos_emb = nn.Embedding(config.block_size, config.n_embd)\n",
        ),
        AS_MODULE,
    ),
    _right(
        "embedding_with_a_buffer_of_places",
        "The places may be kept in a buffer.",
        (
            *POSITION_TABLE,
            """\
        self.wpe = nn.Embedding(config.block_size, config.n_embd)
        self.register_buffer("places", torch.arange(config.block_size)[None], persistent=True)
""",
        ),
        (
            *ADD_POSITIONS,
            """\
        T = idx.shape[1]
        x = self.tok_emb(idx) + self.wpe(self.places[:, :T])
""",
        ),
    ),
    _right(
        "embedding_at_zero",
        "Zeros are a fair beginning where they are trained.",
        (
            *POSITION_TABLE,
            "        self.pos_emb = nn.Embedding(config.block_size, config.n_embd)\n",
        ),
        AS_MODULE,
        (*APPLY_INIT, APPLY_INIT[1] + "        nn.init.zeros_(self.pos_emb.weight)\n"),
    ),
    _right(
        "leading_axis",
        "A leading axis of length 1 broadcasts over the batch.",
        (
            *POSITION_TABLE,
            """\
        self.pos_emb = nn.Parameter(torch.zeros(1, config.block_size, config.n_embd))
        nn.init.normal_(self.pos_emb, std=0.02)
""",
        ),
        (*ADD_POSITIONS, "        x = self.tok_emb(idx) + self.pos_emb[:, : idx.size(1), :]\n"),
    ),
    _begun("zeros", "Zeros are a fair beginning where they are trained.", "torch.zeros(shape)"),
    _begun("std_0_01", "Half as large as the tokens.", "torch.randn(shape) * 0.01"),
    _begun("std_0_03", "About as large as the tokens.", "0.03 * torch.randn(*shape)"),
    _begun("std_0_04", "Twice as large as the tokens.", "0.04 * torch.randn(*shape)"),
    _begun(
        "std_0_05", "Two and a half times the tokens trains as well.", "0.05 * torch.randn(*shape)"
    ),
    _begun(
        "truncated_normal",
        "A cut normal distribution of the same size.",
        "nn.init.trunc_normal_(torch.empty(shape), std=0.02)",
    ),
    _begun(
        "uniform",
        "A uniform distribution of about that size.",
        "torch.empty(shape).uniform_(-0.035, 0.035)",
    ),
    _begun(
        "normal_by_size", "The same numbers, asked for by name.", "torch.normal(0, 0.02, shape)"
    ),
    _right(
        "filled_without_gradient",
        "Empty memory is filled before anything reads it.",
        (
            *POSITION_TABLE,
            """\
        self.pos_emb = nn.Parameter(torch.empty(config.block_size, config.n_embd))
        with torch.no_grad():
            self.pos_emb.normal_(mean=0.0, std=0.02)
""",
        ),
    ),
    _right(
        "filled_through_data",
        "Writing through .data before training is harmless.",
        (
            *POSITION_TABLE,
            """\
        self.pos_emb = nn.Parameter(torch.randn(config.block_size, config.n_embd))
        self.pos_emb.data.mul_(0.02)
""",
        ),
    ),
    _right(
        "begun_in_init_weights",
        "init_weights begins the table when it reaches the model itself.",
        (
            *POSITION_TABLE,
            """\
        self.pos_emb = nn.Parameter(torch.empty(config.block_size, config.n_embd))
""",
        ),
        (
            *INIT,
            INIT[1]
            + """\
        if isinstance(module, GPT):
            nn.init.normal_(module.pos_emb, std=0.02)
""",
        ),
    ),
    _right(
        "module_of_its_own",
        "A small module holds the table and adds it.",
        (
            MODEL,
            "class GPT(nn.Module):\n",
            """\
class Positions(nn.Module):
    def __init__(self, length, width):
        super().__init__()
        self.table = nn.Parameter(torch.randn(length, width).mul(0.02))

    def forward(self, x):
        return x + self.table.narrow(0, 0, x.shape[1])


class GPT(nn.Module):
""",
        ),
        (
            *POSITION_TABLE,
            "        self.positions = Positions(config.block_size, config.n_embd)\n",
        ),
        (*ADD_POSITIONS, "        x = self.positions(self.tok_emb(idx))\n"),
    ),
    _right(
        "expanded_and_looked_up",
        "Places are expanded over the batch and looked up like tokens.",
        (
            *ADD_POSITIONS,
            """\
        B, T = idx.shape
        places = torch.arange(T, device=idx.device).unsqueeze(0).expand(B, T)
        x = torch.add(F.embedding(places, self.pos_emb), F.embedding(idx, self.tok_emb.weight))
""",
        ),
    ),
    _right(
        "tables_renamed_and_positions_first",
        "Where there are as many characters as positions, the tables are told apart all the same.",
        (*TOKEN_TABLE, TOKEN_TABLE[1].replace("tok_emb", "wte")),
        (*POSITION_TABLE, POSITION_TABLE[1].replace("pos_emb", "wpe")),
        (*ADD_POSITIONS, "        x = self.wpe[: idx.size(1)] + self.wte(idx)\n"),
        trained=True,
    ),
    _right(
        "as_many_positions_as_the_model_is_wide",
        "A square table of positions is none of the layers that are square.",
        (TRAIN, "    block_size: int = 24\n", "    block_size: int = 48\n"),
        (*POSITION_TABLE, POSITION_TABLE[1].replace("pos_emb", "wpe")),
        (*ADD_POSITIONS, ADD_POSITIONS[1].replace("pos_emb", "wpe")),
        (
            *QKV_LAYERS,
            "".join(
                f"        self.{name} = nn.Linear(config.n_embd, config.n_embd)\n"
                for name in ("wq", "wk", "wv")
            ),
        ),
        (
            *QKV,
            "".join(
                f"        {name} = self.split_heads(self.w{name}(x))\n" for name in ("k", "q", "v")
            ),
        ),
        trained=True,
    ),
)
