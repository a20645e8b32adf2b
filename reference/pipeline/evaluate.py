"""How good a classifier is: what it says of rows, and three numbers about that."""

import torch
from torchmetrics.functional.classification import (
    multiclass_accuracy,
    multiclass_auroc,
    multiclass_f1_score,
)

from data import collate


@torch.no_grad()
def predict(model, rows, size):
    """Give the logits (N, n_class) of all rows, in their order, and their labels (N,)."""
    was_training = model.training
    model.eval()
    logits, labels = [], []
    for start in range(0, len(rows), size):
        tokens, lengths, wanted = collate(rows[start : start + size])
        logits.append(model(tokens, lengths)[0])
        labels.append(wanted)
    model.train(was_training)
    return torch.cat(logits), torch.cat(labels)


def metrics(logits, labels):
    """Give accuracy, macro F1 and macro ROC-AUC, each class against the rest."""
    scores, count = logits.softmax(dim=-1), logits.size(1)
    return {
        "accuracy": multiclass_accuracy(scores, labels, count, average="micro").item(),
        "f1": multiclass_f1_score(scores, labels, count, average="macro").item(),
        "auc": multiclass_auroc(scores, labels, count, average="macro").item(),
    }
