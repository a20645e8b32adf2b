"""Right ways to bring the heads together and through the output projection."""

from . import Fixture
from .places import ATTEND, MERGE, MODEL, PROJ, PROJ_LAYER, QKV_LAYERS, SPLIT, WHOLE_ATTENTION

BRINGS = "The heads stand side by side, in order, before they are mixed."


def _right(name: str, why: str, *changes: tuple[str, str, str]) -> Fixture:
    return Fixture(name, "projection", why, changes)


MERGED_PROJ = (MODEL, MERGE[1] + PROJ[1])

PROJECTION = (
    _right(
        "reshaped",
        BRINGS,
        (*MERGE, "        y = y.transpose(1, 2).reshape(B, T, C)\n"),
    ),
    _right("flattened", BRINGS, (*MERGE, "        y = y.transpose(1, 2).flatten(2)\n")),
    _right("permuted", BRINGS, (*MERGE, "        y = y.permute(0, 2, 1, 3).reshape(B, T, -1)\n")),
    _right("swapped", BRINGS, (*MERGE, "        y = y.swapaxes(1, 2).flatten(start_dim=-2)\n")),
    _right("joined", BRINGS, (*MERGE, "        y = torch.cat(tuple(y.unbind(dim=1)), dim=-1)\n")),
    _right(
        "moved_axis",
        BRINGS,
        (*MERGE, "        y = torch.movedim(y, 1, 2).contiguous().view(B, T, C)\n"),
    ),
    _right(
        "written_into_empty_memory",
        BRINGS,
        (
            *MERGE,
            """\
        merged = torch.empty_like(x)
        hs = y.size(-1)
        for head in range(self.n_head):
            merged[..., head * hs : (head + 1) * hs] = y[:, head]
        y = merged
""",
        ),
    ),
    _right(
        "heads_times_head_size",
        "The width is the number of heads times their size.",
        (
            *PROJ_LAYER,
            """\
        head_dim = config.n_embd // config.n_head
        self.proj = nn.Linear(config.n_head * head_dim, config.n_embd)
""",
        ),
    ),
    _right(
        "other_name",
        "What the layer is called is the program's own choice.",
        (*PROJ_LAYER, "        self.c_proj = nn.Linear(config.n_embd, config.n_embd)\n"),
        (*PROJ, "        return self.c_proj(y)\n"),
    ),
    _right(
        "functional_linear",
        "The layer's weight and bias, applied by hand.",
        (*PROJ, "        return F.linear(y, self.proj.weight, self.proj.bias)\n"),
    ),
    _right(
        "matrix_product",
        "A linear layer is a product with the transposed weight, and the bias.",
        (*PROJ, "        return y @ self.proj.weight.T + self.proj.bias\n"),
    ),
    _right(
        "matrix_product_turned",
        "A square weight is as good a matrix from the other side, and is begun and learned alike.",
        (*PROJ, "        return y @ self.proj.weight + self.proj.bias\n"),
    ),
    _right(
        "einsum_on_the_weight",
        "Each head meets its own columns of the weight, and the results are summed.",
        (
            *MERGED_PROJ,
            """\
        weight = self.proj.weight.view(C, self.n_head, C // self.n_head)
        return torch.einsum("bhtd,chd->btc", y, weight) + self.proj.bias
""",
        ),
    ),
    _right(
        "summed_head_by_head",
        "Each head meets its own columns of the weight, and the results are summed.",
        (
            *MERGED_PROJ,
            """\
        out = self.proj.bias.expand(B, T, C)
        for head, columns in enumerate(self.proj.weight.chunk(self.n_head, dim=1)):
            out = out + F.linear(y[:, head], columns)
        return out
""",
        ),
    ),
    _right(
        "in_a_sequence",
        "A sequence with one layer is that layer.",
        (
            *PROJ_LAYER,
            """\
        self.out = nn.Sequential(nn.Linear(config.n_embd, config.n_embd), nn.Dropout(0.0))
""",
        ),
        (*PROJ, "        return self.out(y)\n"),
    ),
    _right(
        "projected_in_the_block",
        "The block calls the projection of its attention.",
        (*PROJ, "        return y\n"),
        (
            MODEL,
            "        x = x + self.attn(self.ln_1(x))\n",
            """\
        mixed = self.attn(self.ln_1(x))
        x = x + self.attn.proj(mixed)
""",
        ),
    ),
    _right(
        "merged_by_a_method",
        "A method undoes what split_heads does.",
        (
            *SPLIT,
            SPLIT[1]
            + """\

    def merge_heads(self, y):
        B, nh, T, hs = y.shape
        return y.transpose(1, 2).contiguous().view(B, T, nh * hs)
""",
        ),
        (*MERGED_PROJ, "        return self.proj(self.merge_heads(y))\n"),
    ),
    _right(
        "heads_on_the_third_axis",
        "Heads never change places with time, so nothing has to be undone.",
        (
            *SPLIT,
            "        return x.unflatten(-1, (self.n_head, -1))  # (B, T, nh, hs)\n",
        ),
        (
            *ATTEND,
            """\
        att = torch.einsum("bqhd,bkhd->bhqk", q, k) / math.sqrt(q.size(-1))
        att = att.masked_fill(~self.mask[:T, :T], float("-inf")).softmax(-1)
        y = torch.einsum("bhqk,bkhd->bqhd", att, v)
""",
        ),
        (*MERGE, "        y = y.flatten(2)\n"),
    ),
    _right(
        "library_attention_function",
        "PyTorch's own multi-head function, given this module's weights.",
        (
            *WHOLE_ATTENTION,
            """\
        x = x.transpose(0, 1)  # (T, B, C)
        y, _ = F.multi_head_attention_forward(
            x,
            x,
            x,
            C,
            self.n_head,
            None,
            torch.cat((self.query.bias, self.key.bias, self.value.bias)),
            None,
            None,
            False,
            0.0,
            self.proj.weight,
            self.proj.bias,
            training=self.training,
            need_weights=False,
            attn_mask=~self.mask[:T, :T],
            use_separate_proj_weight=True,
            q_proj_weight=self.query.weight,
            k_proj_weight=self.key.weight,
            v_proj_weight=self.value.weight,
        )
        return y.transpose(0, 1)
""",
        ),
    ),
    _right(
        "library_attention_function_of_renamed_layers",
        "Layers of other names, handed to a function that is given the last of them first.",
        (
            *WHOLE_ATTENTION,
            """\
        x = x.transpose(0, 1)  # (T, B, C)
        y, _ = F.multi_head_attention_forward(
            x,
            x,
            x,
            C,
            self.n_head,
            None,
            torch.cat((self.to_q.bias, self.to_k.bias, self.to_v.bias)),
            None,
            None,
            False,
            0.0,
            self.out.weight,
            self.out.bias,
            training=self.training,
            need_weights=False,
            attn_mask=~self.mask[:T, :T],
            use_separate_proj_weight=True,
            q_proj_weight=self.to_q.weight,
            k_proj_weight=self.to_k.weight,
            v_proj_weight=self.to_v.weight,
        )
        return y.transpose(0, 1)
""",
        ),
        (
            *QKV_LAYERS,
            QKV_LAYERS[1].replace("query", "to_q").replace("key", "to_k").replace("value", "to_v"),
        ),
        (*PROJ_LAYER, PROJ_LAYER[1].replace("proj", "out")),
    ),
)
