"""Right and wrong ways to decode with a cache, as changes of the reference that does so."""

from . import Fixture

MODEL = "model.py"
CACHE = "cache.py"

APPENDING = (
    MODEL,
    """\
        past = 0
        if cache is not None:
            past = len(cache)
            k, v = cache.append(k, v)  # (B, nh, S, hs): all that was read, S = past + T
""",
)
APPENDED = (MODEL, APPENDING[1].splitlines(keepends=True)[-1])
SCORES = (
    MODEL,
    "        att = (q @ k.transpose(-2, -1)) / math.sqrt(k.size(-1))  # (B, nh, T, S)\n",
)
MASKING = (
    MODEL,
    '        att = att.masked_fill(~self.mask[past : past + T, : k.size(2)], float("-inf"))\n',
)
WEIGHING = (
    MODEL,
    """\
        att = F.softmax(att, dim=-1)
        y = att @ v  # (B, nh, T, hs)
""",
)
ATTENTION = (MODEL, APPENDING[1] + SCORES[1] + MASKING[1] + WEIGHING[1])
PAST = (MODEL, "        past = 0 if caches is None else len(caches[0])\n")
PLACED = (MODEL, "self.pos_emb[past : past + idx.size(1)]")
BLOCKS = (
    MODEL,
    """\
        for i, block in enumerate(self.blocks):
            x = block(x, None if caches is None else caches[i])
""",
)
LOGITS = (MODEL, "        logits = self.head(self.ln_f(x))\n")
STEP = (
    MODEL,
    """\
            if caches is None or len(caches[0]) == self.config.block_size:
                # A full context moves on by one token, and with it the position of every other.
                caches = [KVCache() for _ in self.blocks]
                context = idx[:, -self.config.block_size :]
            else:
                context = idx[:, -1:]
            logits, _ = self(context, caches=caches)
""",
)
NO_CACHES = (MODEL, "        caches = None\n")
LAYER_CACHE = (MODEL, "        x = x + self.attn(self.ln_1(x), cache)\n")
CLASS = (CACHE, 'class KVCache:\n    """')
LENGTH = (CACHE, "        return 0 if self.k is None else self.k.size(2)\n")
JOIN = (
    CACHE,
    """\
        if self.k is not None:
            k = torch.cat((self.k, k), dim=2)
            v = torch.cat((self.v, v), dim=2)
        self.k, self.v = k, v
        return k, v
""",
)
WHOLE_CACHE = (
    CACHE,
    """\
    def __init__(self):
        self.k = None
        self.v = None

    def __len__(self):
        return 0 if self.k is None else self.k.size(2)

    def append(self, k, v):
        \"\"\"Append keys and values (B, nh, T, hs); give all that there are (B, nh, S, hs).\"\"\"
"""
    + JOIN[1],
)


def _way(name: str, why: str, *changes: tuple[str, str, str]) -> Fixture:
    return Fixture(name, "cache", why, changes)


RIGHT = (
    _way(
        "mask_on_the_fly",
        "A query sees the keys whose positions are no greater than its own.",
        (
            *MASKING,
            """\
        own = torch.arange(past, past + T)[:, None]
        att = att.masked_fill(torch.arange(past + T) > own, float("-inf"))
""",
        ),
    ),
    _way(
        "mask_where_it_is_needed",
        "A single new token may see all that there is.",
        (
            *MASKING,
            """\
        if T > 1:
            att = att.masked_fill(~self.mask[past : past + T, : k.size(2)], float("-inf"))
""",
        ),
    ),
    _way(
        "mask_counted_from_the_keys",
        "What was read less what is new is what was read before.",
        (*APPENDING, "        if cache is not None:\n            k, v = cache.append(k, v)\n"),
        (
            *MASKING,
            """\
        S = k.size(2)
        att = att.masked_fill(~self.mask[S - T : S, :S], float("-inf"))
""",
        ),
    ),
    _way(
        "mask_added",
        "Minus infinity is added where a query may not look.",
        (
            *MASKING,
            """\
        hidden = torch.full((T, past + T), float("-inf")).triu(diagonal=past + 1)
        att = att + hidden
""",
        ),
    ),
    _way(
        "mask_by_index",
        "The rows of the new positions, picked one by one.",
        (
            *MASKING,
            """\
        rows = torch.arange(past, past + T)
        att = att.masked_fill(~self.mask[rows][:, : past + T], float("-inf"))
""",
        ),
    ),
    _way(
        "built_in_with_a_mask",
        "The built-in attention with the mask's own rows.",
        (
            *ATTENTION,
            APPENDING[1]
            + """\
        seen = self.mask[past : past + T, : past + T]
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=seen)
""",
        ),
    ),
    _way(
        "built_in_causal_for_prompts",
        "Built-in causal attention where nothing was before, and nothing hidden from one token.",
        (
            *ATTENTION,
            APPENDING[1]
            + """\
        if past == 0:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            seen = None if T == 1 else self.mask[past : past + T, : past + T]
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=seen)
""",
        ),
    ),
    _way(
        "positions_by_index",
        "The rows of the table whose numbers are the positions.",
        (*PLACED, "self.pos_emb[torch.arange(past, past + idx.size(1))]"),
    ),
    _way(
        "length_of_the_last",
        "All caches are equally long before a chunk is read.",
        (*PAST, "        past = len(caches[-1]) if caches is not None else 0\n"),
    ),
    _way(
        "zipped",
        "Blocks and caches go side by side.",
        (
            *BLOCKS,
            """\
        for block, cache in zip(self.blocks, caches or [None] * len(self.blocks)):
            x = block(x, cache)
""",
        ),
    ),
    _way(
        "prompt_before_the_loop",
        "The prompt is read once, before the first token is chosen.",
        (
            *NO_CACHES,
            """\
        if max_new_tokens > 0:
            caches = [KVCache() for _ in self.blocks]
            logits, _ = self(idx[:, -self.config.block_size :], caches=caches)
""",
        ),
        (
            *STEP,
            "",
        ),
        (
            MODEL,
            """\
            idx = torch.cat((idx, next_idx), dim=1)
""",
            """\
            idx = torch.cat((idx, next_idx), dim=1)
            if len(caches[0]) < self.config.block_size:
                logits, _ = self(next_idx, caches=caches)
            else:
                caches = [KVCache() for _ in self.blocks]
                logits, _ = self(idx[:, -self.config.block_size :], caches=caches)
""",
        ),
    ),
    _way(
        "what_the_caches_lack",
        "Of the context, what the caches have not seen.",
        (
            *STEP,
            """\
            if caches is None or len(caches[0]) >= self.config.block_size:
                caches = [KVCache() for _ in self.blocks]
            context = idx[:, -self.config.block_size :]
            logits, _ = self(context[:, len(caches[0]) :], caches=caches)
""",
        ),
    ),
    _way(
        "kept_in_lists",
        "Chunks are kept as they come, and joined when they are read.",
        (
            *WHOLE_CACHE,
            """\
    def __init__(self):
        self.keys, self.values = [], []

    def __len__(self):
        return sum(k.size(2) for k in self.keys)

    def append(self, k, v):
        self.keys.append(k)
        self.values.append(v)
        return torch.cat(self.keys, dim=2), torch.cat(self.values, dim=2)
""",
        ),
    ),
    _way(
        "room_that_doubles",
        "Room is made ahead of need, and only what was read is given back.",
        (
            *WHOLE_CACHE,
            """\
    def __init__(self):
        self.k = self.v = None
        self.length = 0

    def __len__(self):
        return self.length

    def append(self, k, v):
        B, nh, T, hs = k.shape
        end = self.length + T
        if self.k is None or end > self.k.size(2):
            room_k, room_v = k.new_empty(2, B, nh, 2 * end, hs)
            if self.k is not None:
                room_k[:, :, : self.length] = self.k[:, :, : self.length]
                room_v[:, :, : self.length] = self.v[:, :, : self.length]
            self.k, self.v = room_k, room_v
        self.k[:, :, self.length : end] = k
        self.v[:, :, self.length : end] = v
        self.length = end
        return self.k[:, :, :end], self.v[:, :, :end]
""",
        ),
    ),
    _way(
        "kept_with_time_first",
        "A cache may lay its axes as it likes, if it gives back what was asked for.",
        (
            *WHOLE_CACHE,
            """\
    def __init__(self):
        self.kv = None

    def __len__(self):
        return 0 if self.kv is None else len(self.kv)

    def append(self, k, v):
        new = torch.stack((k, v)).permute(3, 0, 1, 2, 4)
        self.kv = new if self.kv is None else torch.cat((self.kv, new))
        k, v = self.kv.permute(1, 2, 3, 0, 4)
        return k, v
""",
        ),
    ),
    _way(
        "detached",
        "Nobody learns through a cache.",
        (
            *JOIN,
            """\
        k, v = k.detach(), v.detach()
"""
            + JOIN[1],
        ),
    ),
    _way(
        "both_in_front_and_turned",
        "New positions in front of old ones, turned round when they are read.",
        (
            *WHOLE_CACHE,
            """\
    def __init__(self):
        self.k = self.v = None

    def __len__(self):
        return 0 if self.k is None else self.k.size(2)

    def append(self, k, v):
        k, v = k.flip(2), v.flip(2)
        self.k = k if self.k is None else torch.cat((k, self.k), dim=2)
        self.v = v if self.v is None else torch.cat((v, self.v), dim=2)
        return self.k.flip(2), self.v.flip(2)
""",
        ),
    ),
    _way(
        "always_with_caches",
        "Without caches it makes its own, and drops them.",
        (
            *PAST,
            """\
        caches = caches or [KVCache() for _ in self.blocks]
        past = len(caches[0])
""",
        ),
        (
            *BLOCKS,
            """\
        for block, cache in zip(self.blocks, caches):
            x = block(x, cache)
""",
        ),
    ),
    _way(
        "a_helper_makes_them",
        "How caches are made is said in one place.",
        (
            MODEL,
            "                caches = [KVCache() for _ in self.blocks]\n",
            "                caches = self.fresh_caches()\n",
        ),
        (
            MODEL,
            "    @torch.no_grad()\n    def generate(",
            """\
    def fresh_caches(self):
        return [KVCache() for _ in range(self.config.n_layer)]

    @torch.no_grad()
    def generate(""",
        ),
    ),
    _way(
        "scores_by_einsum",
        "The same products, summed over the size of a head.",
        (
            *SCORES,
            '        att = torch.einsum("bhtd,bhsd->bhts", q, k) / math.sqrt(q.size(-1))\n',
        ),
    ),
    _way(
        "room_by_index_copy",
        "Room that is made at once is written by index, and grows if it must.",
        (
            *WHOLE_CACHE,
            """\
    def __init__(self):
        self.buf = None
        self.pos = 0

    def __len__(self):
        return self.pos

    def append(self, k, v):
        B, nh, T, hs = k.shape
        if self.buf is None:
            self.buf = torch.zeros(2, B, nh, 64, hs, dtype=k.dtype, device=k.device)
        if self.pos + T > self.buf.size(3):
            self.buf = torch.cat((self.buf, torch.zeros_like(self.buf)), dim=3)
        self.buf.index_copy_(3, torch.arange(self.pos, self.pos + T), torch.stack((k, v)))
        self.pos += T
        return self.buf[0, :, :, : self.pos], self.buf[1, :, :, : self.pos]
""",
        ),
    ),
    _way(
        "all_but_the_last_first",
        "The prompt but for its last token is read before the first is sought.",
        (
            *NO_CACHES,
            """\
        caches = [KVCache() for _ in self.blocks]
        recent = idx[:, -self.config.block_size :]
        if recent.size(1) > 1 and max_new_tokens:
            self(recent[:, :-1], caches=caches)
""",
        ),
        (
            *STEP,
            """\
            if len(caches[0]) == self.config.block_size:
                caches = [KVCache() for _ in self.blocks]
                context = idx[:, -self.config.block_size :]
            else:
                context = idx[:, -1:]
            logits, _ = self(context, caches=caches)
""",
        ),
    ),
    _way(
        "keys_of_a_fixed_length",
        "Keys fill a context, and a mask hides what is not there yet.",
        (
            *ATTENTION,
            """\
        past = 0
        if cache is None:
            keep = self.mask[:T, :T]
        else:
            past = len(cache)
            k, v = cache.append(k, v)
            size = self.mask.size(0)
            k = F.pad(k, (0, 0, 0, size - k.size(2)))
            v = F.pad(v, (0, 0, 0, size - v.size(2)))
            keep = self.mask[past : past + T]
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=keep)
""",
        ),
    ),
    _way(
        "inference_mode",
        "What generates may say so more strictly.",
        (
            MODEL,
            """\
    @torch.no_grad()
    def generate""",
            """\
    @torch.inference_mode()
    def generate""",
        ),
    ),
    _way(
        "products_element_by_element",
        "A product of matrices is a sum of products.",
        (
            *SCORES,
            """\
        att = (q[:, :, :, None] * k[:, :, None]).sum(-1) / math.sqrt(k.size(-1))
""",
        ),
        (
            *WEIGHING,
            """\
        att = F.softmax(att, dim=-1)
        y = (att[..., None] * v[:, :, None]).sum(3)
""",
        ),
    ),
    _way(
        "torch_aligns_the_mask",
        "Torch has a causal mask of its own that ends where the keys end.",
        (
            *ATTENTION,
            """\
        past = 0
        if cache is not None:
            past = len(cache)
            k, v = cache.append(k, v)  # (B, nh, S, hs): all that was read, S = past + T
        from torch.nn.attention.bias import causal_lower_right
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=causal_lower_right(T, k.size(2)))
""",
        ),
    ),
    _way(
        "masks_remembered",
        "A mask is the same for the same two lengths.",
        (
            *MASKING,
            """\
        att = att.masked_fill(hidden(past, T), float("-inf"))
""",
        ),
        (
            MODEL,
            "class CausalSelfAttention(nn.Module):\n",
            """\
@functools.lru_cache(maxsize=None)
def hidden(past, new):
    return torch.ones(new, past + new, dtype=torch.bool).triu(diagonal=past + 1)


class CausalSelfAttention(nn.Module):
""",
        ),
        (
            MODEL,
            "import math\n",
            """\
import functools
import math
""",
        ),
    ),
    _way(
        "a_dictionary",
        "What a cache is otherwise is its own business.",
        (CACHE, CLASS[1], CLASS[1].replace("KVCache", "KVCache(dict)")),
        (
            *WHOLE_CACHE,
            """\
    def __len__(self):
        return self["k"].size(2) if "k" in self.keys() else 0

    def append(self, k, v):
        for name, new in (("k", k), ("v", v)):
            self[name] = torch.cat((self[name], new), 2) if name in self.keys() else new
        return self["k"], self["v"]
""",
        ),
    ),
)

WRONG = (
    _way(
        "only_single_tokens",
        "A prompt leaves nothing in the caches.",
        (MODEL, "        if cache is not None:\n", "        if cache is not None and T == 1:\n"),
    ),
    _way(
        "one_for_the_module",
        "A cache of the module's own outlives the text.",
        (
            *APPENDING,
            """\
        past = 0
        if cache is not None:
            if not hasattr(self, "cache"):
                self.cache = cache
            past = len(self.cache)
            k, v = self.cache.append(k, v)
            cache.k, cache.v = self.cache.k, self.cache.v
""",
        ),
    ),
    _way(
        "last_logits_alone",
        "A chunk has logits for each of its tokens.",
        (
            *LOGITS,
            LOGITS[1] + "        if caches is not None:\n            logits = logits[:, -1:]\n",
        ),
    ),
    _way(
        "generates_without",
        "All is computed again for each token.",
        (
            *STEP,
            """\
            context = idx[:, -self.config.block_size :]
            logits, _ = self(context)
""",
        ),
        (*NO_CACHES, ""),
    ),
    _way(
        "generates_without_and_uncounted",
        "What nobody counts is work all the same.",
        (
            MODEL,
            "from torch.nn import functional as F\n",
            """\
from torch.nn import functional as F
from torch.utils._python_dispatch import _disable_current_modes
""",
        ),
        (
            *STEP,
            """\
            context = idx[:, -self.config.block_size :]
            with _disable_current_modes():
                logits, _ = self(context)
""",
        ),
        (*NO_CACHES, ""),
    ),
    _way(
        "caches_of_one_step",
        "Caches that live for one token save nothing.",
        (
            *STEP,
            """\
            caches = [KVCache() for _ in self.blocks]
            logits, _ = self(idx[:, -self.config.block_size :], caches=caches)
""",
        ),
        (*NO_CACHES, ""),
    ),
    _way(
        "half_a_context_again",
        "Every other token reads all again.",
        (
            MODEL,
            "            if caches is None or len(caches[0]) == self.config.block_size:\n",
            """\
            is_full = caches and len(caches[0]) == self.config.block_size
            if caches is None or idx.size(1) % 2 or is_full:
""",
        ),
    ),
    _way(
        "mask_one_on",
        "A chunk's tokens see the one behind them.",
        (
            *MASKING,
            """\
        own = torch.arange(past, past + T)[:, None]
        att = att.masked_fill(torch.arange(past + T) > own + int(past > 0), float("-inf"))
""",
        ),
    ),
    _way(
        "mask_one_short",
        "Behind a cache a token does not see itself.",
        (
            *MASKING,
            """\
        own = torch.arange(past, past + T)[:, None]
        att = att.masked_fill(torch.arange(past + T) > own - int(past > 0), float("-inf"))
""",
        ),
    ),
    _way(
        "mask_of_the_chunk_alone",
        "What was read before is hidden.",
        (
            *MASKING,
            """\
        att = att.masked_fill(~self.mask[past : past + T, : k.size(2)], float("-inf"))
        if past and T > 1:
            att[..., :past] = float("-inf")
""",
        ),
    ),
    _way(
        "causal_built_in",
        "Built-in causal attention aligns the mask with the first key.",
        (
            *ATTENTION,
            APPENDING[1] + "        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)\n",
        ),
    ),
    _way(
        "built_in_without_a_mask_for_chunks",
        "Only a single token needs no mask.",
        (
            *ATTENTION,
            APPENDING[1]
            + "        y = F.scaled_dot_product_attention(q, k, v, is_causal=past == 0)\n",
        ),
    ),
    _way(
        "faint_mask_behind_a_cache",
        "A score ten lower is still seen.",
        (
            *MASKING,
            """\
        low = float("-inf") if cache is None else -10.0
        att = att.masked_fill(~self.mask[past : past + T, : k.size(2)], low)
""",
        ),
    ),
    _way(
        "mask_of_minus_thirty_behind_a_cache",
        "A score of -30 is seen where all others are lower still.",
        (
            *MASKING,
            """\
        low = float("-inf") if cache is None else -30.0
        att = att.masked_fill(~self.mask[past : past + T, : k.size(2)], low)
""",
        ),
    ),
    _way(
        "scale_by_what_was_read",
        "Scores are divided by the root of a head's size, and not of the time.",
        (
            *SCORES,
            """\
        size = k.size(-1) if cache is None else k.size(-2)
        att = (q @ k.transpose(-2, -1)) / math.sqrt(size)
""",
        ),
    ),
    _way(
        "positions_one_on",
        "The token behind ten others has position ten.",
        (
            *PAST,
            PAST[1]
            + """\
        places = torch.arange(past, past + idx.size(1)) + (past > 0)
        places = places.clamp(max=self.config.block_size - 1)
""",
        ),
        (*PLACED, "self.pos_emb[places]"),
    ),
    _way(
        "positions_of_the_end",
        "A token's position is its own, and not the last.",
        (
            *PLACED,
            "self.pos_emb[past + idx.size(1) - 1 if past else slice(idx.size(1))]",
        ),
    ),
    _way(
        "keys_of_the_first_row",
        "Every row has keys of its own.",
        (
            *JOIN,
            """\
        if self.k is not None:
            k = torch.cat((self.k[:1].expand_as(self.k), k), dim=2)
            v = torch.cat((self.v, v), dim=2)
        self.k, self.v = k, v
        return k, v
""",
        ),
    ),
    _way(
        "half_precision",
        "What a cache gives back is what was put in.",
        (
            *JOIN,
            """\
        k, v = k.half().float(), v.half().float()
"""
            + JOIN[1],
        ),
    ),
    _way(
        "a_window_of_eight",
        "What was read stays readable up to the limit.",
        (
            *JOIN,
            JOIN[1].replace(
                "        self.k, self.v = k, v\n",
                "        self.k, self.v = k[:, :, -8:], v[:, :, -8:]\n",
            ),
        ),
    ),
    _way(
        "oldest_dropped_at_the_limit",
        "At the limit every position changes, and keys with it.",
        (
            *STEP,
            """\
            if caches is None:
                caches = [KVCache() for _ in self.blocks]
                context = idx[:, -self.config.block_size :]
            else:
                context = idx[:, -1:]
                for cache in caches:
                    cache.k = cache.k[:, :, -self.config.block_size + 1 :]
                    cache.v = cache.v[:, :, -self.config.block_size + 1 :]
            logits, _ = self(context, caches=caches)
""",
        ),
    ),
    _way(
        "appended_twice",
        "What is new is appended once.",
        (
            *APPENDED,
            """\
            cache.append(k, v)
            k, v = cache.append(k, v)
            past = len(cache) - T
""",
        ),
    ),
    _way(
        "values_of_the_prompt",
        "New values are forgotten.",
        (
            *JOIN,
            """\
        if self.k is not None:
            k = torch.cat((self.k, k), dim=2)
            v = torch.cat((self.v, self.v[:, :, -1:].expand_as(v)), dim=2)
        self.k, self.v = k, v
        return k, v
""",
        ),
    ),
    _way(
        "one_cache_for_two_layers",
        "Each layer has its own.",
        (
            *BLOCKS,
            """\
        for i, block in enumerate(self.blocks):
            x = block(x, None if caches is None else caches[i // 2])
""",
        ),
    ),
    _way(
        "the_last_layer_without",
        "The last layer has a cache, too.",
        (
            *BLOCKS,
            """\
        for i, block in enumerate(self.blocks):
            x = block(x, caches[i] if caches and i + 1 < len(self.blocks) else None)
""",
        ),
    ),
    _way(
        "queries_cached_as_keys",
        "What is kept to be found by is the key.",
        (
            *APPENDED,
            """\
            kept, v = cache.append(q if past else k, v)
            k = torch.cat((kept[:, :, :past], k), dim=2)
""",
        ),
    ),
    _way(
        "a_default_that_lives_on",
        "A default argument is made once, and so are its caches.",
        (
            MODEL,
            "    def generate(self, idx, max_new_tokens, temperature=1.0, top_k=None):\n",
            "    def generate(self, idx, max_new_tokens, temperature=1.0, top_k=None, kept=[]):\n",
        ),
        (*NO_CACHES, "        caches = kept[-1] if kept else None\n"),
        (
            MODEL,
            "                caches = [KVCache() for _ in self.blocks]\n",
            """\
                caches = [KVCache() for _ in self.blocks]
                kept.append(caches)
""",
        ),
    ),
    _way(
        "not_learned_through",
        "Keys and values must be learned.",
        (
            MODEL,
            "        k = self.split_heads(self.key(x))\n",
            "        k = self.split_heads(self.key(x)).detach()\n",
        ),
    ),
    _way(
        "sums_for_values",
        "A cache keeps positions apart.",
        (
            *JOIN,
            JOIN[1].replace(
                "torch.cat((self.v, v), dim=2)", "torch.cat((self.v, v), dim=2).cumsum(2)"
            ),
        ),
    ),
    _way(
        "cached_in_one_row_alone",
        "Several rows are computed again for each token.",
        (
            *STEP,
            """\
            if len(idx) > 1:
                logits, _ = self(idx[:, -self.config.block_size :])
            else:
                if caches is None or len(caches[0]) == self.config.block_size:
                    caches = [KVCache() for _ in self.blocks]
                    context = idx[:, -self.config.block_size :]
                else:
                    context = idx[:, -1:]
                logits, _ = self(context, caches=caches)
""",
        ),
    ),
    _way(
        "cached_when_greedy_alone",
        "What is drawn is computed again for each token.",
        (
            *STEP,
            """\
            if temperature > 0:
                logits, _ = self(idx[:, -self.config.block_size :])
            else:
                if caches is None or len(caches[0]) == self.config.block_size:
                    caches = [KVCache() for _ in self.blocks]
                    context = idx[:, -self.config.block_size :]
                else:
                    context = idx[:, -1:]
                logits, _ = self(context, caches=caches)
""",
        ),
    ),
    _way(
        "read_anew_by_a_model_in_training",
        "A model that was in training reads all again.",
        (
            MODEL,
            "            if caches is None or len(caches[0]) == self.config.block_size:\n",
            """\
            full = caches is None or len(caches[0]) == self.config.block_size
            if full or was_training:
""",
        ),
    ),
    _way(
        "prompt_read_twice",
        "The prompt is read without caches, and then with them.",
        (
            *NO_CACHES,
            """\
        caches = None
        logits, _ = self(idx[:, -self.config.block_size :])
""",
        ),
    ),
    _way(
        "prompt_token_by_token",
        "A prompt is read at once.",
        (
            *STEP,
            """\
            if caches is None or len(caches[0]) == self.config.block_size:
                caches = [KVCache() for _ in self.blocks]
                context = idx[:, -self.config.block_size :]
            else:
                context = idx[:, -1:]
            for token in context.split(1, dim=1):
                logits, _ = self(token, caches=caches)
""",
        ),
    ),
    _way(
        "full_too_early",
        "All is read again before the context is full.",
        (
            MODEL,
            "            if caches is None or len(caches[0]) == self.config.block_size:\n",
            "            if caches is None or len(caches[0]) >= self.config.block_size - 2:\n",
        ),
    ),
    _way(
        "mask_of_the_first_text",
        "A mask that is made for the first text is too short behind it.",
        (
            MODEL,
            """\
        mask = torch.tril(torch.ones(config.block_size, config.block_size, dtype=torch.bool))
        self.register_buffer("mask", mask, persistent=False)
""",
            "        self.mask = None\n",
        ),
        (
            *MASKING,
            """\
        if self.mask is None or T > len(self.mask):
            self.mask = torch.tril(torch.ones(T, T, dtype=torch.bool))
        att = att.masked_fill(~self.mask[past : past + T, : k.size(2)], float("-inf"))
""",
        ),
    ),
    _way(
        "queries_kept_too",
        "Attention of all that was read is computed again for each token.",
        (
            *ATTENTION,
            """\
        past = 0
        if cache is not None:
            past = len(cache)
            k, v = cache.append(k, v)
            q = q if cache.q is None else torch.cat((cache.q, q), dim=2)
            cache.q = q
        att = (q @ k.transpose(-2, -1)) / math.sqrt(k.size(-1))
        att = att.masked_fill(~self.mask[: past + T, : past + T], float("-inf"))
        y = (F.softmax(att, dim=-1) @ v)[:, :, past:]
""",
        ),
        (
            CACHE,
            "        self.k = None\n",
            """\
        self.q = None
        self.k = None
""",
        ),
    ),
    _way(
        "values_made_again",
        "Values are projected again for each token.",
        (
            MODEL,
            """\
    def forward(self, x, cache=None):
        B, T, C = x.shape
""",
            """\
    def forward(self, x, cache=None):
        B, T, C = x.shape
        given = x
""",
        ),
        (
            *APPENDING,
            """\
        past = 0
        if cache is not None:
            past = len(cache)
            k, _ = cache.append(k, v)
            given = given if cache.x is None else torch.cat((cache.x, given), dim=1)
            cache.x = given
            v = self.split_heads(self.value(given))
""",
        ),
        (
            CACHE,
            "        self.k = None\n",
            """\
        self.x = None
        self.k = None
""",
        ),
    ),
    _way(
        "kept_for_a_text_as_long",
        "Another text of the length that comes next gets the caches of the last.",
        (
            *NO_CACHES,
            """\
        caches = getattr(self, "kept", None)
        if caches and caches[0].k.shape[::2] != (len(idx), idx.size(1) - 1):
            caches = None
""",
        ),
        (
            MODEL,
            "            logits, _ = self(context, caches=caches)\n",
            """\
            logits, _ = self(context, caches=caches)
            self.kept = caches
""",
        ),
    ),
    _way(
        "append_gives_nothing",
        "What is appended is to be given back with all that was there.",
        (*JOIN, JOIN[1].replace("        return k, v\n", "")),
        (
            *APPENDED,
            """\
            cache.append(k, v)
            k, v = cache.k, cache.v
""",
        ),
    ),
    _way(
        "append_gives_what_is_new",
        "All that there is is to be given back, and not what is new.",
        (*JOIN, "        new = k, v\n" + JOIN[1].replace("return k, v", "return new")),
        (
            *APPENDED,
            """\
            cache.append(k, v)
            k, v = cache.k, cache.v
""",
        ),
    ),
    _way(
        "append_under_another_name",
        "A cache must still be asked as before.",
        (CACHE, "    def append(self, k, v):\n", "    def extend(self, k, v):\n"),
        (*APPENDED, APPENDED[1].replace("append", "extend")),
    ),
    _way(
        "room_for_32",
        "A longer context does not fit.",
        (
            *WHOLE_CACHE,
            """\
    def __init__(self):
        self.room = None
        self.length = 0

    def __len__(self):
        return self.length

    def append(self, k, v):
        new = torch.stack((k, v))
        if self.room is None:
            self.room = new.new_zeros(*new.shape[:3], 32, new.size(-1))
        end = self.length + new.size(3)
        self.room[:, :, :, self.length : end] = new
        self.length = end
        return self.room[0, :, :, :end], self.room[1, :, :, :end]
""",
        ),
    ),
    _way(
        "prompt_remembered",
        "A prompt that was read before the weights changed is not read again.",
        (*NO_CACHES, '        start, known = idx, getattr(self, "known", None)\n' + NO_CACHES[1]),
        (
            MODEL,
            "            logits, _ = self(context, caches=caches)\n",
            """\
            if idx is start and known and torch.equal(known[0], idx):
                logits = known[1]
                for cache, (k, v) in zip(caches, known[2]):
                    cache.k, cache.v = k, v
            else:
                logits, _ = self(context, caches=caches)
            if idx is start:
                self.known = idx, logits, [(cache.k, cache.v) for cache in caches]
""",
        ),
    ),
)
