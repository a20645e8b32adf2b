"""Right and wrong ways to turn queries and keys, share heads, and cache that, as changes of the
reference that does so.
"""

from . import Fixture
from .cached import JOIN, MASKING, SCORES, WEIGHING, WHOLE_CACHE

MODEL = "model.py"
CACHE = "cache.py"

SPEEDS = (
    MODEL,
    "        speeds = 10000.0 ** (-torch.arange(0, head_size, 2) / head_size)  # (hs / 2,)\n",
)
ANGLES = (
    MODEL,
    """\
        angles = torch.outer(torch.arange(config.block_size), speeds)  # (block_size, hs / 2)
""",
)
TABLE = (
    MODEL,
    """\
        self.register_buffer("angles", torch.cat((angles, angles), dim=-1), persistent=False)
""",
)
ROWS = (MODEL, "        angles = self.angles[past : past + x.size(2)]  # (T, hs)\n")
TURN = (
    MODEL,
    """\
        first, second = x.chunk(2, dim=-1)
        return x * angles.cos() + torch.cat((-second, first), dim=-1) * angles.sin()
""",
)
PAST = (MODEL, "        past = 0 if cache is None else len(cache)\n")
QUERIES = (
    MODEL,
    "        q = self.rotate(self.split_heads(self.query(x), self.n_head), past)\n",
)
KEYS = (
    MODEL,
    "        k = self.rotate(self.split_heads(self.key(x), self.n_kv_head), past)\n",
)
VALUES = (MODEL, "        v = self.split_heads(self.value(x), self.n_kv_head)\n")
APPENDED = (
    MODEL,
    """\
        if cache is not None:
            k, v = cache.append(k, v)  # (B, nk, S, hs): all that was read, S = past + T
""",
)
SHARED_KEYS = (
    MODEL,
    "        k = k.repeat_interleave(self.n_head // self.n_kv_head, dim=1)  # (B, nh, S, hs)\n",
)
SHARED_VALUES = (
    MODEL,
    "        v = v.repeat_interleave(self.n_head // self.n_kv_head, dim=1)\n",
)
REPEATED = """\
        k = k.repeat_interleave(self.n_head // self.n_kv_head, dim=1)
        v = v.repeat_interleave(self.n_head // self.n_kv_head, dim=1)
"""
ROOM_AT_ONCE = (
    *WHOLE_CACHE,
    """\
    def __init__(self):
        self.room = None
        self.length = 0

    def __len__(self):
        return self.length

    def append(self, k, v):
        B, nk, T, hs = k.shape
        if self.room is None:
            self.room = k.new_empty(2, B, nk, 256, hs)
        start, self.length = self.length, self.length + T
        self.room[0, :, :, start : self.length] = k
        self.room[1, :, :, start : self.length] = v
        return self.room[0, :, :, : self.length], self.room[1, :, :, : self.length]
""",
)
ATTENDING = (
    MODEL,
    SHARED_KEYS[1] + SHARED_VALUES[1] + SCORES[1] + MASKING[1] + WEIGHING[1],
)


def _way(name: str, why: str, *changes: tuple[str, str, str]) -> Fixture:
    return Fixture(name, "rotary", why, changes)


RIGHT = (
    _way(
        "room_at_once",
        "Room for a longer text than any is made once, and what was read is written into it.",
        ROOM_AT_ONCE,
    ),
    _way(
        "room_of_zeros_at_once",
        "Room may be cleared, too.",
        (*ROOM_AT_ONCE[:2], ROOM_AT_ONCE[2].replace("new_empty", "new_zeros")),
    ),
    _way(
        "two_tables",
        "Cosines and sines are worked out once.",
        (
            *TABLE,
            """\
        angles = torch.cat((angles, angles), dim=-1)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
""",
        ),
        (*ROWS, "        rows = slice(past, past + x.size(2))\n"),
        (
            *TURN,
            """\
        first, second = x.chunk(2, dim=-1)
        turned = torch.cat((-second, first), dim=-1)
        return x * self.cos[rows] + turned * self.sin[rows]
""",
        ),
    ),
    _way(
        "angles_on_the_fly",
        "Angles are a position times a speed, wherever they are worked out.",
        (
            *TABLE,
            """\
        self.register_buffer("speeds", torch.cat((speeds, speeds)), persistent=False)
""",
        ),
        (
            *ROWS,
            "        angles = torch.arange(past, past + x.size(2))[:, None] * self.speeds\n",
        ),
    ),
    _way(
        "halves_apart",
        "Each half is worked out by itself.",
        (
            *TABLE,
            '        self.register_buffer("angles", angles, persistent=False)\n',
        ),
        (
            *TURN,
            """\
        a, b = x.chunk(2, dim=-1)
        cos, sin = angles.cos(), angles.sin()
        return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)
""",
        ),
    ),
    _way(
        "complex_numbers",
        "A pair is a complex number, and turning it is a product.",
        (*TABLE, '        self.register_buffer("angles", angles, persistent=False)\n'),
        (
            *TURN,
            """\
        a, b = x.chunk(2, dim=-1)
        turned = torch.complex(a, b) * torch.polar(torch.ones_like(angles), angles)
        return torch.cat((turned.real, turned.imag), dim=-1)
""",
        ),
    ),
    _way(
        "rolled",
        "Halves change places when a head is rolled by half its size.",
        (
            *TURN,
            """\
        half = x.size(-1) // 2
        sign = torch.ones(x.size(-1))
        sign[:half] = -1
        return x * angles.cos() + sign * x.roll(half, dims=-1) * angles.sin()
""",
        ),
    ),
    _way(
        "keys_turned_when_read",
        "Keys are kept as they are, and all turned by their places when they are read.",
        (*KEYS, "        k = self.split_heads(self.key(x), self.n_kv_head)\n"),
        (*APPENDED, APPENDED[1] + "        k = self.rotate(k, 0)\n"),
    ),
    _way(
        "positions_handed_down",
        "The model counts, and each block is told.",
        (
            MODEL,
            "            x = block(x, None if caches is None else caches[i])\n",
            "            x = block(x, None if caches is None else caches[i], past)\n",
        ),
        (
            MODEL,
            "        x = self.tok_emb(idx)  # (B, T, C)\n",
            """\
        past = 0 if caches is None else len(caches[0])
        x = self.tok_emb(idx)
""",
        ),
        (
            MODEL,
            """\
    def forward(self, x, cache=None):
        x = x + self.attn(self.ln_1(x), cache)
""",
            """\
    def forward(self, x, cache, past):
        x = x + self.attn(self.ln_1(x), cache, past)
""",
        ),
        (
            MODEL,
            "    def forward(self, x, cache=None):\n        B, T, C = x.shape\n" + PAST[1],
            "    def forward(self, x, cache, past):\n        B, T, C = x.shape\n",
        ),
    ),
    _way(
        "expanded",
        "Each head of keys stands beside itself as often as it is shared.",
        (
            *SHARED_KEYS,
            """\
        group = self.n_head // self.n_kv_head
        k, v = (part[:, :, None].expand(-1, -1, group, -1, -1).flatten(1, 2) for part in (k, v))
""",
        ),
        (*SHARED_VALUES, ""),
    ),
    _way(
        "queries_in_groups",
        "The queries of a group meet the keys that they share, and nothing is repeated.",
        (
            *ATTENDING,
            """\
        groups = q.unflatten(1, (self.n_kv_head, -1))  # (B, nk, g, T, hs)
        att = groups @ k[:, :, None].transpose(-2, -1) / math.sqrt(k.size(-1))
        att = att.masked_fill(~self.mask[past : past + T, : k.size(2)], float("-inf"))
        y = (F.softmax(att, dim=-1) @ v[:, :, None]).flatten(1, 2)  # (B, nh, T, hs)
""",
        ),
    ),
    _way(
        "torch_shares",
        "Torch's own attention knows of heads that share keys.",
        (
            *ATTENDING,
            """\
        mask = self.mask[past : past + T, : k.size(2)]
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=True)
""",
        ),
    ),
    _way(
        "memory_that_doubles",
        "A cache may have room for what comes.",
        (
            *JOIN,
            """\
        past = len(self)
        new = past + k.size(2)
        if self.k is None or new > self.room[0].size(2):
            wide = [torch.zeros(k.size(0), k.size(1), 2 * new, k.size(3)) for _ in range(2)]
            if self.k is not None:
                wide[0][:, :, :past], wide[1][:, :, :past] = self.k, self.v
            self.room = wide
        self.room[0][:, :, past:new], self.room[1][:, :, past:new] = k, v
        self.k, self.v = self.room[0][:, :, :new], self.room[1][:, :, :new]
        return self.k, self.v
""",
        ),
    ),
    _way(
        "table_that_grows",
        "Angles are worked out as far as they are needed.",
        (*ANGLES, ""),
        (*TABLE, "        self.speeds, self.angles = speeds, None\n"),
        (
            *ROWS,
            """\
        if self.angles is None or past + x.size(2) > len(self.angles):
            positions = torch.arange(past + x.size(2))
            angles = torch.outer(positions, self.speeds)
            self.angles = torch.cat((angles, angles), dim=-1)
        angles = self.angles[past : past + x.size(2)]  # (T, hs)
""",
        ),
    ),
    _way(
        "held_by_a_closure",
        "What a cache holds may lie in what its functions enclose.",
        (
            *WHOLE_CACHE,
            """\
    def __init__(self):
        parts = []

        def append(k, v):
            parts.append((k, v))
            return tuple(torch.cat(part, dim=2) for part in zip(*parts))

        self.append = append
        self.length = lambda: sum(k.size(2) for k, _ in parts)

    def __len__(self):
        return self.length()
""",
        ),
    ),
    _way(
        "queries_stacked",
        "Queries that share keys are rows of one matrix.",
        (
            *ATTENDING,
            """\
        group = self.n_head // self.n_kv_head
        q = q.reshape(B, self.n_kv_head, group * T, -1)
        att = torch.einsum("bgtd,bgsd->bgts", q, k) / math.sqrt(k.size(-1))
        hidden = ~self.mask[past : past + T, : k.size(2)].repeat(group, 1)
        att = att.masked_fill(hidden, float("-inf"))
        y = torch.einsum("bgts,bgsd->bgtd", F.softmax(att, dim=-1), v)
        y = y.reshape(B, self.n_head, T, -1)
""",
        ),
    ),
)

WRONG = (
    _way(
        "room_for_every_head",
        "What is shared is kept once for each head, in room that is made at once.",
        (*SHARED_KEYS, ""),
        (*SHARED_VALUES, ""),
        (*APPENDED, REPEATED + APPENDED[1]),
        ROOM_AT_ONCE,
    ),
    _way(
        "offset_of_queries_alone",
        "Keys behind a cache are turned as if nothing stood before them.",
        (*KEYS, KEYS[1].replace("past)", "0)")),
    ),
    _way(
        "offset_of_keys_alone",
        "Queries behind a cache are turned as if nothing stood before them.",
        (*QUERIES, QUERIES[1].replace("past)", "0)")),
    ),
    _way(
        "queries_as_they_are",
        "Only keys are turned.",
        (*QUERIES, "        q = self.split_heads(self.query(x), self.n_head)\n"),
    ),
    _way(
        "values_too",
        "Values are turned, too.",
        (
            *VALUES,
            "        v = self.rotate(self.split_heads(self.value(x), self.n_kv_head), past)\n",
        ),
    ),
    _way(
        "turned_again_when_read",
        "Keys are turned before they are kept, and when they are read.",
        (*APPENDED, APPENDED[1] + "        k = self.rotate(k, 0)\n"),
    ),
    _way(
        "counted_from_one",
        "Keys are turned by one place more than queries.",
        (*KEYS, KEYS[1].replace("past)", "past + 1)")),
        (*ANGLES, ANGLES[1].replace("config.block_size)", "config.block_size + 1)")),
    ),
    _way(
        "the_other_way",
        "Pairs are turned against the direction that was asked for.",
        (*TURN, TURN[1].replace("(-second, first)", "(second, -first)")),
    ),
    _way(
        "neighbours",
        "Neighbours are turned with each other.",
        (
            *TABLE,
            TABLE[1].replace(
                "torch.cat((angles, angles), dim=-1)", "angles.repeat_interleave(2, -1)"
            ),
        ),
        (
            *TURN,
            """\
        turned = torch.stack((-x[..., 1::2], x[..., ::2]), dim=-1).flatten(-2)
        return x * angles.cos() + turned * angles.sin()
""",
        ),
    ),
    _way(
        "another_base",
        "The slow pairs turn faster.",
        (*SPEEDS, SPEEDS[1].replace("10000.0", "1000.0")),
    ),
    _way(
        "speeds_of_pairs",
        "Speeds fall half as fast from pair to pair.",
        (
            *SPEEDS,
            "        speeds = 10000.0 ** (-torch.arange(head_size // 2) / head_size)\n",
        ),
    ),
    _way(
        "turned_before_they_are_split",
        "The whole width is turned as if it were one head.",
        (
            *SPEEDS,
            """\
        width = config.n_embd
        speeds = 10000.0 ** (-torch.arange(0, width, 2) / width)
""",
        ),
        (*ROWS, "        angles = self.angles[past : past + x.size(1)]\n"),
        (
            *QUERIES,
            "        q = self.split_heads(self.rotate(self.query(x), past), self.n_head)\n",
        ),
        (*KEYS, "        k = self.split_heads(self.key(x), self.n_kv_head)\n"),
    ),
    _way(
        "heads_kept_for_each_query",
        "What is shared is kept once for each head.",
        (*SHARED_KEYS, ""),
        (*SHARED_VALUES, ""),
        (*APPENDED, REPEATED + APPENDED[1]),
    ),
    _way(
        "tiled",
        "Heads get the keys of other groups.",
        (*SHARED_KEYS, "        k = k.repeat(1, self.n_head // self.n_kv_head, 1, 1)\n"),
        (*SHARED_VALUES, "        v = v.repeat(1, self.n_head // self.n_kv_head, 1, 1)\n"),
    ),
    _way(
        "one_for_all",
        "All heads read the first keys.",
        (*SHARED_KEYS, "        k = k[:, :1].expand(-1, self.n_head, -1, -1)\n"),
    ),
    _way(
        "mask_of_minus_thirty",
        "What is hidden is not hidden well enough.",
        (*MASKING, MASKING[1].replace('float("-inf")', "-30.0")),
    ),
    _way(
        "learned_positions_beside",
        "Positions are added, too.",
        (
            MODEL,
            "        self.ln_f = nn.LayerNorm(config.n_embd)\n",
            """\
        self.pos_emb = nn.Parameter(torch.zeros(config.block_size, config.n_embd))
        self.ln_f = nn.LayerNorm(config.n_embd)
""",
        ),
        (
            MODEL,
            "        x = self.tok_emb(idx)  # (B, T, C)\n",
            """\
        past = 0 if caches is None else len(caches[0])
        x = self.tok_emb(idx) + self.pos_emb[past : past + idx.size(1)]
""",
        ),
    ),
    _way(
        "table_of_the_first_text",
        "Positions behind the first text all turn alike.",
        (*ANGLES, ""),
        (*TABLE, "        self.speeds, self.angles = speeds, None\n"),
        (
            *ROWS,
            """\
        if self.angles is None or x.size(2) > len(self.angles):
            positions = torch.arange(x.size(2))
            angles = torch.outer(positions, self.speeds)
            self.angles = torch.cat((angles, angles), dim=-1)
        rows = torch.arange(past, past + x.size(2)).clamp(max=len(self.angles) - 1)
        angles = self.angles[rows]
""",
        ),
    ),
    _way(
        "heads_kept_for_each_in_slots",
        "What is shared is kept once for each head, in slots.",
        (*SHARED_KEYS, ""),
        (*SHARED_VALUES, ""),
        (
            *APPENDED,
            """\
        k = k.repeat_interleave(self.n_head // self.n_kv_head, dim=1)
        v = v.repeat_interleave(self.n_head // self.n_kv_head, dim=1)
        if cache is not None:
            k, v = cache.append(k, v)  # (B, nk, S, hs): all that was read, S = past + T
""",
        ),
        (
            CACHE,
            """\
    def __init__(self):
        self.k = None
""",
            """\
    __slots__ = ("k", "v")

    def __init__(self):
        self.k = None
""",
        ),
    ),
    _way(
        "heads_kept_for_each_in_a_closure",
        "What is shared is kept once for each head, in what functions enclose.",
        (*SHARED_KEYS, ""),
        (*SHARED_VALUES, ""),
        (
            *APPENDED,
            """\
        k = k.repeat_interleave(self.n_head // self.n_kv_head, dim=1)
        v = v.repeat_interleave(self.n_head // self.n_kv_head, dim=1)
        if cache is not None:
            k, v = cache.append(k, v)  # (B, nk, S, hs): all that was read, S = past + T
""",
        ),
        (
            *WHOLE_CACHE,
            """\
    def __init__(self):
        parts = []

        def append(k, v):
            parts.append((k, v))
            return tuple(torch.cat(part, dim=2) for part in zip(*parts))

        self.append = append
        self.length = lambda: sum(k.size(2) for k, _ in parts)

    def __len__(self):
        return self.length()
""",
        ),
    ),
)
