"""Ways to write what a block is made of, and how blocks follow one another."""

from bugforge.rewrite import Restructuring, way

LAYERS = "self.up = nn.Linear(any_c, any_h)\nself.down = nn.Linear(any_h, any_c)\n"
MLP = """\
class MLP(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.up = nn.Linear(config.n_embd, 4 * config.n_embd)
        self.down = nn.Linear(4 * config.n_embd, config.n_embd)

    def forward(self, x):
        return self.down(F.gelu(self.up(x)))
"""
GPT = """\
class GPT(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layer))

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x
"""
LIST = "nn.ModuleList(Block(config) for _ in range(any_n))"


class Feedforward(Restructuring):
    """How the MLP's layers follow one another."""

    id = "feedforward"
    ways = (
        way(
            "two-lines",
            ("return self.down(F.gelu(self.up(x)))", "x = F.gelu(self.up(x))\nreturn self.down(x)"),
        ),
        way(
            "a-hidden",
            (
                "return self.down(F.gelu(self.up(x)))",
                "hidden = F.gelu(self.up(x))  # (B, T, 4 * C)\nreturn self.down(hidden)",
            ),
        ),
        way(
            "a-module",
            (LAYERS, f"{LAYERS}self.act = nn.GELU()\n"),
            ("F.gelu(any_x)", "self.act(any_x)"),
            example=(
                MLP,
                MLP.replace("F.gelu", "self.act").replace(
                    "4 * config.n_embd, config.n_embd)\n",
                    "4 * config.n_embd, config.n_embd)\n        self.act = nn.GELU()\n",
                ),
            ),
        ),
        way(
            "in-sequence",
            (
                LAYERS,
                (
                    "self.layers = nn.Sequential(\n"
                    "    nn.Linear(any_c, any_h),\n"
                    "    nn.GELU(),\n"
                    "    nn.Linear(any_h, any_c),\n"
                    ")\n"
                ),
            ),
            ("self.down(F.gelu(self.up(any_x)))", "self.layers(any_x)"),
            example=(
                MLP,
                MLP.replace(
                    "        self.up = nn.Linear(config.n_embd, 4 * config.n_embd)\n"
                    "        self.down = nn.Linear(4 * config.n_embd, config.n_embd)\n",
                    "        self.layers = nn.Sequential(\n"
                    "            nn.Linear(config.n_embd, 4 * config.n_embd),\n"
                    "            nn.GELU(),\n"
                    "            nn.Linear(4 * config.n_embd, config.n_embd),\n"
                    "        )\n",
                ).replace("self.down(F.gelu(self.up(x)))", "self.layers(x)"),
            ),
        ),
    )


class Residual(Restructuring):
    """How a block adds to its stream."""

    id = "residual"
    ways = (
        way(
            "returned",
            ("x = x + any_f(any_g(x))\nreturn x", "return x + any_f(any_g(x))"),
        ),
        way(
            "in-turn",
            (
                "x = x + any_f(any_g(x))\nx = x + any_h(any_i(x))\nreturn x",
                "x = any_f(any_g(x)) + x\nreturn any_h(any_i(x)) + x",
            ),
        ),
    )


class Stack(Restructuring):
    """How blocks are kept, and run one behind the other."""

    id = "stack"
    ways = (
        way("listed", (LIST, "nn.ModuleList([Block(config) for _ in range(any_n)])")),
        way(
            "appended",
            (
                f"self.blocks = {LIST}",
                (
                    "self.blocks = nn.ModuleList()\n"
                    "for _ in range(any_n):\n"
                    "    self.blocks.append(Block(config))\n"
                ),
            ),
        ),
        way(
            "in-sequence",
            (LIST, "nn.Sequential(*(Block(config) for _ in range(any_n)))"),
            ("for block in any_blocks:\n    x = block(x)\n", "x = any_blocks(x)\n"),
            example=(
                GPT,
                GPT.replace(
                    "ModuleList(Block(config) for _ in range(config.n_layer))",
                    "Sequential(*(Block(config) for _ in range(config.n_layer)))",
                ).replace(
                    "        for block in self.blocks:\n            x = block(x)\n",
                    "        x = self.blocks(x)\n",
                ),
            ),
        ),
    )
