"""Ways to write how a text is continued."""

from bugforge.rewrite import Restructuring, way


class Crop(Restructuring):
    """How the context is cut to what the model can read."""

    id = "crop"
    ways = (
        way(
            "ellipsis",
            ("idx[:, -self.config.block_size :]", "idx[..., -self.config.block_size :]"),
        ),
        way(
            "if-needed",
            (
                "context = idx[:, -self.config.block_size :]",
                (
                    "size = self.config.block_size\n"
                    "context = idx if idx.size(1) <= size else idx[:, -size:]\n"
                ),
            ),
        ),
    )


class LastLogits(Restructuring):
    """How the last position's logits are taken."""

    id = "last-logits"
    ways = (
        way("short", ("logits[:, -1, :]", "logits[:, -1]")),
        way(
            "at-once",
            (
                "logits, _ = self(any_context)\nlogits = logits[:, -1, :]",
                "logits = self(any_context)[0]\nlogits = logits[:, -1, :]",
            ),
        ),
    )


class Likeliest(Restructuring):
    """How the likeliest token is taken."""

    id = "likeliest"
    ways = (
        way(
            "of-torch",
            (
                "logits.argmax(dim=-1, keepdim=True)",
                "torch.argmax(logits, dim=-1, keepdim=True)",
            ),
        ),
        way("lifted", ("logits.argmax(dim=-1, keepdim=True)", "logits.argmax(dim=-1)[:, None]")),
    )


class Heat(Restructuring):
    """How logits are divided by the temperature."""

    id = "heat"
    ways = (way("in-place", ("logits = logits / temperature", "logits /= temperature")),)


class Drawing(Restructuring):
    """How a token is drawn."""

    id = "drawing"
    ways = (
        way(
            "shares-first",
            (
                "next_idx = torch.multinomial(any_shares, num_samples=1)",
                "probs = any_shares\nnext_idx = torch.multinomial(probs, num_samples=1)",
            ),
        ),
        way("short", ("torch.multinomial(any_p, num_samples=1)", "torch.multinomial(any_p, 1)")),
    )


class Likely(Restructuring):
    """How the likeliest few are told from the others."""

    id = "few-kept"
    ways = (
        way(
            "of-torch",
            ("kept, _ = logits.topk(any_k)", "kept, _ = torch.topk(logits, any_k)"),
        ),
        way("values", ("kept, _ = logits.topk(any_k)", "kept = logits.topk(any_k).values")),
        way("cut", ("kept[:, [-1]]", "kept[:, -1:]")),
    )


class Append(Restructuring):
    """How a new token is appended."""

    id = "append"
    ways = (
        way("listed", ("torch.cat((any_a, any_b), dim=1)", "torch.cat([any_a, any_b], dim=1)")),
        way("last-axis", ("torch.cat((any_a, any_b), dim=1)", "torch.cat((any_a, any_b), dim=-1)")),
        way("side-by-side", ("torch.cat((any_a, any_b), dim=1)", "torch.hstack((any_a, any_b))")),
    )
