"""Ways to write the tables that a stream begins with, and how weights begin."""

from bugforge.rewrite import Restructuring, way

DRAWN = "nn.Parameter(0.02 * torch.randn(any_t, any_c))"
GPT = """\
class GPT(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.pos_emb = nn.Parameter(0.02 * torch.randn(config.block_size, config.n_embd))
        self.apply(self.init_weights)

    def forward(self, idx):
        x = self.tok_emb(idx) + self.pos_emb[: idx.size(1)]
        return x
"""


class Positions(Restructuring):
    """What holds the positions, and how they begin."""

    id = "positions"
    ways = (
        way(
            "drawn-then-scaled",
            (DRAWN, "nn.Parameter(torch.randn(any_t, any_c) * 0.02)"),
        ),
        way(
            "zeros",
            (DRAWN, "nn.Parameter(torch.zeros(any_t, any_c))"),
            exact=False,
            decoy=(
                "The positions begin as zeros; they are a trainable table, so that the first step "
                "tells them apart."
            ),
        ),
        way(
            "filled",
            (DRAWN, "nn.Parameter(torch.empty(any_t, any_c))"),
            (
                "self.apply(self.init_weights)",
                "self.apply(self.init_weights)\nnn.init.normal_(self.pos_emb, std=0.02)",
            ),
            example=(
                GPT,
                GPT.replace("0.02 * torch.randn(", "torch.empty(").replace(
                    "self.apply(self.init_weights)\n",
                    (
                        "self.apply(self.init_weights)\n"
                        "        nn.init.normal_(self.pos_emb, std=0.02)\n"
                    ),
                ),
            ),
            exact=False,
            decoy=(
                "The table of positions is made empty and filled at the end of `__init__`, behind "
                "everything else that draws weights."
            ),
        ),
        way(
            "embedding",
            (DRAWN, "nn.Embedding(any_t, any_c)"),
            (
                "x = any_tokens + self.pos_emb[: idx.size(1)]",
                (
                    "positions = torch.arange(idx.size(1), device=idx.device)\n"
                    "x = any_tokens + self.pos_emb(positions)  # (B, T, C)\n"
                ),
            ),
            example=(
                GPT,
                GPT.replace(
                    "nn.Parameter(0.02 * torch.randn(config.block_size, config.n_embd))",
                    "nn.Embedding(config.block_size, config.n_embd)",
                ).replace(
                    "        x = self.tok_emb(idx) + self.pos_emb[: idx.size(1)]\n",
                    "        positions = torch.arange(idx.size(1), device=idx.device)\n"
                    "        x = self.tok_emb(idx) + self.pos_emb(positions)  # (B, T, C)\n",
                ),
            ),
            exact=False,
        ),
    )


class Sum(Restructuring):
    """How positions are added to tokens."""

    id = "sum"
    ways = (
        way(
            "in-place",
            (
                "x = self.tok_emb(idx) + any_positions",
                "x = self.tok_emb(idx)\nx += any_positions  # (B, T, C)",
            ),
        ),
    )


class Sizes(Restructuring):
    """How sizes of a tensor are asked for."""

    id = "sizes"
    subjects = ("language", "pipeline")
    ways = (
        way("shape", ("any_x.size(any_n)", "any_x.shape[any_n]")),
        way("size", ("B, T, C = any_x.shape", "B, T, C = any_x.size()")),
    )


class Beginnings(Restructuring):
    """How weights are drawn."""

    id = "beginnings"
    subjects = ("language", "pipeline")
    ways = (
        way(
            "data",
            (
                "nn.init.normal_(module.weight, mean=0.0, std=0.02)",
                "module.weight.data.normal_(mean=0.0, std=0.02)",
            ),
        ),
        way(
            "short",
            (
                "nn.init.normal_(module.weight, mean=0.0, std=0.02)",
                "nn.init.normal_(module.weight, std=0.02)",
            ),
        ),
        way("zeroed", ("nn.init.zeros_(any_b)", "nn.init.constant_(any_b, 0.0)")),
    )
