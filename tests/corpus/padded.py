"""Right and wrong ways to continue padded rows, as changes of the reference that does so."""

from . import Fixture
from .cached import MASKING, SCORES, WEIGHING

MODEL = "model.py"

HIDING = (
    MODEL,
    """\
        if padding is not None:
            keys = torch.arange(past + T)
            ignored = keys < padding[:, None, None]  # (B, 1, S)
            # Padding sees itself: a softmax over nothing is no number.
            ignored = ignored & (keys != keys[past:, None])  # (B, T, S)
            att = att.masked_fill(ignored[:, None], float("-inf"))
""",
)
SOFTMAX = (MODEL, "        att = F.softmax(att, dim=-1)\n")
BEFORE = (MODEL, "keys < padding[:, None, None]")
SPARED = (MODEL, "            ignored = ignored & (keys != keys[past:, None])  # (B, T, S)\n")
PLACING = (
    MODEL,
    """\
        places = torch.arange(past, past + idx.size(1))
        if padding is not None:
            places = (places - padding[:, None]).clamp(min=0)  # (B, T)
        x = self.tok_emb(idx) + self.pos_emb[places]  # (B, T, C)
""",
)
PLACED = (MODEL, "            places = (places - padding[:, None]).clamp(min=0)  # (B, T)\n")
LEAVING = (
    MODEL,
    """\
                left = padding
                if padding is not None:
                    # What leaves the context is padding first.
                    left = (padding - (idx.size(1) - context.size(1))).clamp(min=0)
""",
)
LEFT = (
    MODEL,
    "                    left = (padding - (idx.size(1) - context.size(1))).clamp(min=0)\n",
)
ALONE = (MODEL, "                context = idx[:, -1:]\n")
STEP = (
    MODEL,
    "            logits, _ = self(context, caches=caches, padding=left)\n",
)
SOUGHT = (MODEL, "            logits = logits[:, -1, :]  # (B, V)\n")
BEGINNING = (MODEL, "        was_training = self.training\n")


def _way(name: str, why: str, *changes: tuple[str, str, str]) -> Fixture:
    return Fixture(name, "ragged", why, changes)


RIGHT = (
    _way(
        "large_number_for_padding",
        "Where all is hidden, a large negative number leaves a softmax a meaning.",
        (
            *HIDING,
            """\
        if padding is not None:
            ignored = torch.arange(past + T) < padding[:, None, None, None]  # (B, 1, 1, S)
            att = att.masked_fill(ignored, torch.finfo(att.dtype).min)
""",
        ),
    ),
    _way(
        "no_number_made_zero",
        "What padding sees is nobody's business, if it is a number.",
        (*SPARED, ""),
        (MODEL, "            # Padding sees itself: a softmax over nothing is no number.\n", ""),
        (*SOFTMAX, SOFTMAX[1] + "        att = att.nan_to_num(0.0)\n"),
    ),
    _way(
        "one_mask",
        "Both masks are one, which torch's own attention takes.",
        (*SCORES, ""),
        (
            *MASKING,
            "        seen = self.mask[past : past + T, : k.size(2)].expand(B, 1, T, -1)\n",
        ),
        (
            *HIDING,
            """\
        if padding is not None:
            keys = torch.arange(past + T)
            text = keys >= padding[:, None, None]
            seen = seen & (text | (keys == keys[past:, None]))[:, None]
""",
        ),
        (*WEIGHING, "        y = F.scaled_dot_product_attention(q, k, v, attn_mask=seen)\n"),
    ),
    _way(
        "mask_made_once",
        "The model makes what is to be added to scores, for all layers.",
        (
            MODEL,
            "            x = block(x, None if caches is None else caches[i], padding)\n",
            "            x = block(x, None if caches is None else caches[i], bias)\n",
        ),
        (
            *PLACING,
            PLACING[1]
            + """\
        bias = None
        if padding is not None:
            keys = torch.arange(past + idx.size(1))
            ignored = (keys < padding[:, None, None]) & (keys != keys[past:, None])
            bias = torch.zeros(ignored.shape).masked_fill(ignored, float("-inf"))[:, None]
""",
        ),
        (*HIDING, "        if padding is not None:\n            att = att + padding\n"),
    ),
    _way(
        "places_summed",
        "Places are a running sum of what is text.",
        (
            *PLACED,
            """\
            text = torch.arange(past + idx.size(1)) >= padding[:, None]
            places = (text.cumsum(dim=1) - 1).clamp(min=0)[:, past:]
""",
        ),
    ),
    _way(
        "wrapped_around",
        "What stands before the text may have any position.",
        (*PLACED, "            places = (places - padding[:, None]) % self.config.block_size\n"),
    ),
    _way(
        "embedded",
        "Rows of a table are looked up.",
        (MODEL, "self.pos_emb[places]", "F.embedding(places, self.pos_emb)"),
    ),
    _way(
        "padding_always_there",
        "No padding is padding of length 0.",
        (
            *LEAVING,
            "                left = (before - (idx.size(1) - context.size(1))).clamp(min=0)\n",
        ),
        (
            *BEGINNING,
            "        none = torch.zeros(len(idx), dtype=torch.long)\n"
            "        before = none if padding is None else padding\n" + BEGINNING[1],
        ),
    ),
    _way(
        "fewer_at_each_step",
        "Each token that leaves takes one of padding with it.",
        (
            *LEAVING,
            """\
                left = padding
                if padding is not None:
                    gone = max(0, idx.size(1) - self.config.block_size)
                    left = torch.maximum(padding - gone, torch.zeros_like(padding))
""",
        ),
    ),
    _way(
        "put_where_it_is_hidden",
        "What is hidden may be put in place as well as filled.",
        (
            MODEL,
            '            att = att.masked_fill(ignored[:, None], float("-inf"))\n',
            '            att = torch.where(ignored[:, None], float("-inf"), att)\n',
        ),
    ),
    _way(
        "spared_by_a_square",
        "What sees itself is the diagonal of a square.",
        (
            *SPARED,
            "            ignored = ignored & ~torch.eye(past + T, dtype=torch.bool)[past:]\n",
        ),
    ),
    _way(
        "text_handed_down",
        "Layers are told which tokens are text.",
        (
            MODEL,
            "            x = block(x, None if caches is None else caches[i], padding)\n",
            "            x = block(x, None if caches is None else caches[i], text)\n",
        ),
        (
            *PLACING,
            PLACING[1]
            + """\
        text = None
        if padding is not None:
            text = torch.arange(past + idx.size(1)) >= padding[:, None]  # (B, S)
""",
        ),
        (*BEFORE, "~padding[:, None]"),
    ),
    _way(
        "rows_selected",
        "Rows of the table are selected, and put into shape.",
        (
            MODEL,
            "self.pos_emb[places]",
            "self.pos_emb.index_select(0, places.flatten()).view(*places.shape, -1)",
        ),
    ),
    _way(
        "what_is_text_counted",
        "What is no text in the context is padding.",
        (
            *LEFT,
            """\
                    text = idx.size(1) - padding
                    left = (context.size(1) - text).clamp(min=0)
""",
        ),
    ),
    _way(
        "padding_emptied",
        "Values of padding count for nothing where they are zeros.",
        (
            MODEL,
            "        y = att @ v  # (B, nh, T, hs)\n",
            """\
        if padding is not None:
            text = torch.arange(past + T) >= padding[:, None]
            v = v * text[:, None, :, None]
        y = att @ v
""",
        ),
    ),
    _way(
        "row_by_row",
        "Rows may be continued one by one, each without its padding.",
        (
            *BEGINNING,
            """\
        if padding is not None:
            rows = [
                self.generate(row[None, int(skip) :], max_new_tokens, temperature, top_k)
                for row, skip in zip(idx, padding)
            ]
            new = [row[:, row.size(1) - max_new_tokens :] for row in rows]
            return torch.cat((idx, torch.cat(new)), dim=1)
        was_training = self.training
""",
        ),
    ),
    _way(
        "common_padding_aside",
        "Padding that all rows have is put aside, and back.",
        (
            *BEGINNING,
            """\
        if padding is not None and padding.min() > 0:
            least = int(padding.min())
            text, left = idx[:, least:], padding - least
            grown = self.generate(text, max_new_tokens, temperature, top_k, left)
            return torch.cat((idx[:, :least], grown), dim=1)
        was_training = self.training
""",
        ),
    ),
    _way(
        "padding_blank_in_the_end",
        "What padding is in the end is nobody's business.",
        (
            MODEL,
            """\
        self.train(was_training)
        return idx
""",
            """\
        self.train(was_training)
        if padding is not None:
            idx = idx.masked_fill(torch.arange(idx.size(1)) < padding[:, None], 0)
        return idx
""",
        ),
    ),
)

WRONG = (
    _way(
        "positions_of_the_batch", "Places do not know of padding.", (*PLACED, "            pass\n")
    ),
    _way(
        "positions_turned",
        "Padding moves the text on, and not back.",
        (
            *PLACED,
            (
                "            top = self.config.block_size - 1\n"
                "            places = (places + padding[:, None]).clamp(max=top)\n"
            ),
        ),
    ),
    _way(
        "positions_late_by_one",
        "The text begins at position 1.",
        (
            *PLACED,
            (
                "            shift = (padding[:, None] - 1).clamp(min=0)\n"
                "            places = (places - shift).clamp(min=0)\n"
            ),
        ),
    ),
    _way(
        "positions_in_the_prompt_alone",
        "Behind the prompt, places are those of the batch.",
        (
            *PLACED,
            (
                "            if past == 0:\n"
                "                places = (places - padding[:, None]).clamp(min=0)\n"
            ),
        ),
    ),
    _way("padding_seen", "Nothing hides padding.", (*HIDING, "")),
    _way(
        "padding_seen_behind_the_prompt",
        "New tokens see padding.",
        (*HIDING, HIDING[1].replace("padding is not None:", "padding is not None and T > 1:")),
    ),
    _way(
        "padding_seen_with_a_cache",
        "Padding is hidden only where there is no cache.",
        (
            *HIDING,
            HIDING[1].replace("padding is not None:", "padding is not None and cache is None:"),
        ),
    ),
    _way(
        "first_token_hidden",
        "The first token of text is hidden, too.",
        (*BEFORE, "keys <= padding[:, None, None]"),
    ),
    _way(
        "last_padding_seen",
        "The last token of padding is seen.",
        (*BEFORE, "keys < padding[:, None, None] - 1"),
    ),
    _way(
        "padding_on_the_right",
        "As many are hidden at the end.",
        (*BEFORE, "keys >= past + T - padding[:, None, None]"),
    ),
    _way(
        "padding_of_the_first_row",
        "All rows are taken to be padded like the first.",
        (*BEFORE, "keys < padding[:1, None, None]"),
    ),
    _way(
        "hidden_by_a_little",
        "What is hidden is not hidden well enough.",
        (
            *HIDING,
            HIDING[1].replace('float("-inf")', "-20.0"),
        ),
    ),
    _way("nothing_to_look_at", "Padding leads to no number, and that to text.", (*SPARED, "")),
    _way(
        "hidden_behind_the_softmax",
        "Weights of text do not add up to one.",
        (*HIDING, ""),
        (*SOFTMAX, SOFTMAX[1] + HIDING[1].replace('float("-inf")', "0.0")),
    ),
    _way(
        "token_of_padding",
        "Tokens are hidden by what they are, and text may be the same.",
        (*STEP, "            left = (context == 0).sum(dim=1)\n" + STEP[1]),
    ),
    _way(
        "padding_for_ever",
        "Padding stays when the context moves on.",
        (*LEFT, "                    left = padding\n"),
    ),
    _way(
        "padding_gone_at_once",
        "Padding is forgotten as soon as the context moves on.",
        (
            *LEFT,
            LEFT[1]
            + "                    if idx.size(1) > context.size(1):\n"
            + "                        left = torch.zeros_like(padding)\n",
        ),
    ),
    _way(
        "padding_of_the_prompt_alone",
        "New tokens are not told of padding.",
        (*ALONE, ALONE[1] + "                left = None\n"),
    ),
    _way(
        "left_of_the_first_row",
        "Padding leaves every row as it leaves the first.",
        (*LEFT, LEFT[1] + "                    left = left[:1].expand(len(padding))\n"),
    ),
    _way(
        "later_tokens_seen",
        "With padding, nothing hides what comes later.",
        (
            *MASKING,
            """\
        if padding is None:
            att = att.masked_fill(~self.mask[past : past + T, : k.size(2)], float("-inf"))
""",
        ),
    ),
    _way(
        "never_at_the_first_place",
        "No token of a padded row has position 0.",
        (*PLACED, PLACED[1].replace("min=0", "min=1")),
    ),
    _way(
        "taken_away_twice",
        "Padding counts twice.",
        (*PLACED, PLACED[1].replace("padding[:, None]", "2 * padding[:, None]")),
    ),
    _way(
        "hidden_in_the_first_layer",
        "Only the first layer is told of padding.",
        (
            MODEL,
            "            x = block(x, None if caches is None else caches[i], padding)\n",
            """\
            told = padding if i == 0 else None
            x = block(x, None if caches is None else caches[i], told)
""",
        ),
    ),
    _way(
        "read_anew",
        "With padding, all is read again for each token.",
        (
            MODEL,
            "            if caches is None or len(caches[0]) == self.config.block_size:\n",
            (
                "            full = caches is None or len(caches[0]) == self.config.block_size\n"
                "            if full or padding is not None:\n"
            ),
        ),
    ),
    _way(
        "last_of_the_text",
        "The next token is sought behind as many tokens as the row has of text.",
        (
            *SOUGHT,
            """\
            last = context.size(1) - 1
            if left is not None and last:
                last = last - left
            logits = logits[torch.arange(len(logits)), last]
""",
        ),
    ),
    _way(
        "places_of_the_longest_row",
        "A row's place begins at its own first token, not at that of the longest.",
        (
            *PLACED,
            """\
            places = (places - (padding - padding.min())[:, None]).clamp(min=0)
""",
        ),
    ),
    _way(
        "padding_changed_in_place",
        "What was given is changed, and wrong when it is given again.",
        (
            *LEFT,
            """\
                    if idx.size(1) > context.size(1):
                        padding -= (idx.size(1) - context.size(1)) - moved
                        moved = idx.size(1) - context.size(1)
                        padding.clamp_(min=0)
                    left = padding
""",
        ),
        (*BEGINNING, "        was_training, moved = self.training, 0\n"),
    ),
    _way(
        "one_row_sees_padding",
        "A row that is alone in its batch sees its padding.",
        (
            *HIDING,
            """\
        if padding is not None and len(padding) > 1:
            keys = torch.arange(past + T)
            ignored = keys < padding[:, None, None]  # (B, 1, S)
            # Padding sees itself: a softmax over nothing is no number.
            ignored = ignored & (keys != keys[past:, None])  # (B, T, S)
            att = att.masked_fill(ignored[:, None], float("-inf"))
""",
        ),
    ),
    _way(
        "common_padding_lost",
        "What was given is not all there in what comes back.",
        (
            *BEGINNING,
            """\
        if padding is not None and padding.min() > 0:
            least = int(padding.min())
            idx, padding = idx[:, least:], padding - least
        was_training = self.training
""",
        ),
    ),
    _way(
        "new_tokens_alone",
        "The prompt is not in what comes back.",
        (
            MODEL,
            """\
        self.train(was_training)
        return idx
""",
            """\
        self.train(was_training)
        return idx if padding is None else idx[:, -max_new_tokens:]
""",
        ),
    ),
    _way(
        "one_row_read_anew",
        "A padded row that is alone reads all again for each token.",
        (
            MODEL,
            "            if caches is None or len(caches[0]) == self.config.block_size:\n",
            """\
            full = caches is None or len(caches[0]) == self.config.block_size
            if full or (padding is not None and len(idx) == 1):
""",
        ),
    ),
)
