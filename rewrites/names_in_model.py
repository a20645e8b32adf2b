"""What things of the model are called."""

from bugforge.rewrite import Renaming


class Queries(Renaming):
    """What the layers of queries, keys and values are called."""

    id = "names-queries"
    of = "attribute"
    names = (
        ("query", "key", "value"),
        ("q_proj", "k_proj", "v_proj"),
        ("wq", "wk", "wv"),
        ("to_q", "to_k", "to_v"),
        ("w_query", "w_key", "w_value"),
        ("lin_q", "lin_k", "lin_v"),
    )


class Output(Renaming):
    """What the layer behind the heads is called."""

    id = "names-output"
    of = "attribute"
    names = (
        ("proj",),
        ("out_proj",),
        ("wo",),
        ("to_out",),
        ("output",),
        ("merge",),
    )


class MaskName(Renaming):
    """What the table of the mask is called."""

    id = "names-mask"
    of = "attribute"
    names = (
        ("mask",),
        ("causal",),
        ("causal_mask",),
        ("visible",),
        ("allowed",),
    )


class SplitName(Renaming):
    """What takes the heads apart."""

    id = "names-split"
    of = "attribute"
    names = (
        ("split_heads",),
        ("_split_heads",),
        ("to_heads",),
        ("_heads",),
    )


class HeadCount(Renaming):
    """What the number of heads is called."""

    id = "names-head-count"
    of = "attribute"
    names = (
        ("n_head",),
        ("num_heads",),
        ("heads",),
        ("nh",),
    )


class FeedLayers(Renaming):
    """What the MLP's layers are called."""

    id = "names-feed-layers"
    of = "attribute"
    names = (
        ("up", "down"),
        ("fc1", "fc2"),
        ("c_fc", "c_proj"),
        ("expand", "contract"),
        ("lin_in", "lin_out"),
        ("wide", "narrow"),
    )


class Norms(Renaming):
    """What a block's norms are called."""

    id = "names-norms"
    of = "attribute"
    names = (
        ("ln_1", "ln_2"),
        ("norm1", "norm2"),
        ("ln1", "ln2"),
        ("norm_attn", "norm_mlp"),
        ("pre_attn", "pre_mlp"),
    )


class Sublayers(Renaming):
    """What a block's sublayers are called."""

    id = "names-sublayers"
    of = "attribute"
    names = (
        ("attn", "mlp"),
        ("attention", "feed_forward"),
        ("sa", "ffwd"),
        ("mixer", "mlp"),
        ("self_attn", "ffn"),
    )


class TokenTable(Renaming):
    """What the table of tokens is called."""

    id = "names-tokens"
    of = "attribute"
    names = (
        ("tok_emb",),
        ("wte",),
        ("token_embedding",),
        ("embed",),
        ("tokens",),
        ("token_table",),
    )


class PositionTable(Renaming):
    """What the table of positions is called."""

    id = "names-positions"
    of = "attribute"
    names = (
        ("pos_emb",),
        ("wpe",),
        ("position_embedding",),
        ("pos_table",),
        ("places",),
    )


class BlockList(Renaming):
    """What the blocks are called."""

    id = "names-blocks"
    of = "attribute"
    names = (
        ("blocks",),
        ("layers",),
        ("h",),
        ("stack",),
        ("trunk",),
    )


class LastNorm(Renaming):
    """What the last norm is called."""

    id = "names-last-norm"
    of = "attribute"
    names = (
        ("ln_f",),
        ("final_norm",),
        ("norm_out",),
        ("ln_out",),
    )


class HeadName(Renaming):
    """What makes logits of the stream."""

    id = "names-head"
    of = "attribute"
    names = (
        ("head",),
        ("lm_head",),
        ("unembed",),
        ("to_logits",),
        ("readout",),
    )


class InitName(Renaming):
    """What begins the weights."""

    id = "names-init"
    of = "attribute"
    names = (
        ("init_weights",),
        ("_init_weights",),
        ("reset",),
        ("init_module",),
    )


class AttentionClass(Renaming):
    """What the class of attention is called."""

    id = "names-attention-class"
    of = "definition"
    names = (
        ("CausalSelfAttention",),
        ("SelfAttention",),
        ("Attention",),
        ("MultiHeadAttention",),
        ("CausalAttention",),
    )


class FeedClass(Renaming):
    """What the class of the MLP is called."""

    id = "names-feed-class"
    of = "definition"
    names = (
        ("MLP",),
        ("FeedForward",),
        ("FFN",),
        ("Mlp",),
    )


class BlockClass(Renaming):
    """What the class of a block is called."""

    id = "names-block-class"
    subjects = ("language", "pipeline")
    of = "definition"
    names = (
        ("Block",),
        ("TransformerBlock",),
        ("DecoderBlock",),
        ("Layer",),
    )


class ScoreName(Renaming):
    """What the scores are called."""

    id = "names-scores"
    of = "local"
    names = (
        ("att",),
        ("attn_scores",),
        ("scores",),
        ("wei",),
        ("attn_w",),
    )


class GatheredName(Renaming):
    """What the gathered values are called."""

    id = "names-gathered"
    subjects = ("language", "pipeline")
    of = "local"
    names = (
        ("y",),
        ("out",),
        ("ctx",),
        ("o",),
        ("z",),
    )


class NextName(Renaming):
    """What the next token is called."""

    id = "names-next"
    of = "local"
    names = (
        ("next_idx",),
        ("idx_next",),
        ("next_token",),
        ("new",),
        ("nxt",),
    )


class ContextName(Renaming):
    """What a cropped text is called."""

    id = "names-context"
    of = "local"
    names = (
        ("context",),
        ("idx_cond",),
        ("window",),
        ("recent",),
        ("visible_idx",),
    )


class KeptName(Renaming):
    """What the likeliest few are called."""

    id = "names-kept"
    of = "local"
    names = (
        ("kept",),
        ("top",),
        ("best",),
        ("topk_vals",),
    )


class ModeName(Renaming):
    """What remembers the mode."""

    id = "names-mode"
    subjects = ("language", "pipeline")
    of = "local"
    names = (
        ("was_training",),
        ("mode",),
        ("training_before",),
    )
