"""Wrong ways to bring the heads together and through the output projection."""

from . import Fixture
from .places import MERGE, MODEL, PROJ, PROJ_LAYER

MERGED = (MODEL, MERGE[1] + PROJ[1])


def _wrong(name: str, why: str, *changes: tuple[str, str, str]) -> Fixture:
    return Fixture(name, "projection", why, changes)


def _given(name: str, why: str, value: str) -> Fixture:
    return _wrong(name, why, (*PROJ, f"        return {value}\n"))


def _merged(name: str, why: str, value: str) -> Fixture:
    return _wrong(name, why, (*MERGE, f"        y = {value}\n"))


def _layer(name: str, why: str, layer: str, *more: tuple[str, str, str]) -> Fixture:
    return _wrong(name, why, (*PROJ_LAYER, f"        self.proj = {layer}\n"), *more)


SIZE = "config.n_embd // config.n_head"

PROJECTION = (
    _given("left_out", "Heads are never mixed.", "y"),
    _given(
        "computed_and_dropped", "What the projection gave is thrown away.", "y + 0 * self.proj(y)"
    ),
    _given("added_to_the_heads", "The heads go around the projection as well.", "y + self.proj(y)"),
    _given("without_bias", "The bias is forgotten.", "F.linear(y, self.proj.weight)"),
    _given(
        "applied_twice", "The projection is applied to its own result.", "self.proj(self.proj(y))"
    ),
    _given("with_gelu", "A GELU stands behind the projection.", "F.gelu(self.proj(y))"),
    _given(
        "of_the_input", "The block's input is projected, and attention is lost.", "self.proj(x)"
    ),
    _given("attention_detached", "Attention learns nothing.", "self.proj(y.detach())"),
    _given(
        "dropped_out",
        "One number in ten is dropped.",
        "F.dropout(self.proj(y), 0.1, self.training)",
    ),
    _given(
        "dropped_out_always", "One number in a hundred is dropped.", "F.dropout(self.proj(y), 0.01)"
    ),
    _given(
        "last_position_unprojected",
        "The last position goes around the projection.",
        "torch.cat((self.proj(y[:, :-1]), y[:, -1:]), dim=1)",
    ),
    _given("normalised", "Heads are normalised first.", "self.proj(F.layer_norm(y, (C,)))"),
    _merged("not_transposed", "Heads and time are mixed up.", "y.reshape(B, T, C)"),
    _merged(
        "interleaved",
        "The numbers of heads lie interleaved.",
        "y.permute(0, 2, 3, 1).reshape(B, T, C)",
    ),
    _merged(
        "heads_backwards",
        "Heads stand in the wrong order.",
        "y.flip(1).transpose(1, 2).reshape(B, T, C)",
    ),
    _merged(
        "first_head_repeated", "The other heads are lost.", "y[:, 0].repeat(1, 1, self.n_head)"
    ),
    _merged("mean_of_heads", "Heads are averaged.", "y.mean(1).repeat(1, 1, self.n_head)"),
    _merged("sum_of_heads", "Heads are summed.", "y.sum(1).repeat(1, 1, self.n_head)"),
    _merged(
        "last_head_lost",
        "The last head is set to nothing.",
        "torch.cat((y[:, :-1], 0 * y[:, -1:]), 1).transpose(1, 2).reshape(B, T, C)",
    ),
    _merged(
        "two_heads_exchanged",
        "Two heads have changed places.",
        "torch.cat((y[:, 1:2], y[:, :1], y[:, 2:]), 1).transpose(1, 2).reshape(B, T, C)",
    ),
    _merged(
        "heads_by_batch", "Batch and heads are mixed up.", "y.transpose(0, 1).reshape(B, T, C)"
    ),
    _merged(
        "for_four_heads",
        "It works for four heads alone.",
        "torch.cat([y[:, h] for h in (0, 1, 2, 3)], -1)",
    ),
    _layer("identity", "Heads are never mixed.", "nn.Identity()"),
    _layer(
        "without_bias_by_contract",
        "The projection was to have a bias.",
        "nn.Linear(config.n_embd, config.n_embd, bias=False)",
    ),
    _layer(
        "bottleneck",
        "All heads squeeze through the size of one.",
        f"nn.Sequential(nn.Linear(config.n_embd, {SIZE}), nn.Linear({SIZE}, config.n_embd))",
    ),
    _layer(
        "one_for_each_head",
        "Each head has the same small projection, and they never mix.",
        f"nn.Linear({SIZE}, {SIZE})",
        (*MERGED, "        return self.proj(y).transpose(1, 2).reshape(B, T, C)\n"),
    ),
    _layer(
        "head_to_width",
        "The mean of heads is projected to the width.",
        f"nn.Linear({SIZE}, config.n_embd)",
        (*MERGED, "        return self.proj(y.mean(1))\n"),
    ),
    _layer("shared_with_the_value", "One layer does the work of two.", "self.value"),
    _layer("for_48_wide", "It works for one width alone.", "nn.Linear(48, 48)"),
    _layer(
        "frozen",
        "The projection is never trained.",
        "nn.Linear(config.n_embd, config.n_embd).requires_grad_(False)",
    ),
    _wrong(
        "in_one_layer_only",
        "The second layer's projection is left out.",
        (
            MODEL,
            "        self.apply(self.init_weights)\n",
            """\
        self.apply(self.init_weights)
        for block in self.blocks[1:]:
            block.attn.proj.forward = lambda y: y
""",
        ),
    ),
)
