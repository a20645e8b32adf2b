"""How tokens become text again."""

from bugforge.rewrite import Restructuring, way


class TokenByToken(Restructuring):
    """How tokens leave their tensor to become text again."""

    id = "token-by-token"
    ways = (
        way(
            "one-at-a-time",
            (
                "vocabulary.decode(any_tokens.tolist())",
                "vocabulary.decode(token.item() for token in any_tokens)",
            ),
        ),
        way(
            "as-an-array",
            (
                "vocabulary.decode(any_tokens.tolist())",
                "vocabulary.decode(any_tokens.cpu().numpy())",
            ),
        ),
    )
