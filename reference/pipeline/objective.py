"""What is learned: the classes of rows and, beside that, the next tokens."""

from torch.nn import functional as F

from data import PAD


def objective(logits, tokens, labels, token_weight):
    """Give the loss of class and token logits, (B, n_class) and (B, T, n_token).

    It is the mean cross-entropy of the labels (B,) and, so weighted, that of all next tokens there
    are in tokens (B, T).
    """
    class_logits, token_logits = logits
    class_loss = F.cross_entropy(class_logits, labels)
    early, late = token_logits[:, :-1], tokens[:, 1:]
    summed = F.cross_entropy(early.flatten(0, 1), late.flatten(), ignore_index=PAD, reduction="sum")
    token_loss = summed / (late != PAD).sum()
    return class_loss + token_weight * token_loss
