"""Metrics that are not what they are called."""

from bugforge.mutation import Mutation

from .exchange import exchange


class F1Micro(Mutation):
    """F1 is accuracy under another name.

    What it does: It is averaged over rows, and not over classes.

    Why it is wrong: Of one class a row, the micro average of F1 is accuracy. A class that is never
    found costs next to nothing.

    How it shows: F1 and accuracy are always the same number.

    How to find it: Leave one class out of the predictions, and work F1 out by hand.

    Other right fixes: The mean of the F1 of each class.
    """

    id = "row-f1-micro"
    bug_class = "metrics"
    stage = "eval"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("deepset-ai/FARM#501",)
    hints = (
        "Do the three metrics tell three things?",
        "Compare accuracy and F1 where one class is never predicted.",
        "Over what is F1 averaged?",
    )
    killed_by = frozenset({"metrics"})
    forms = (
        exchange(
            "micro",
            'multiclass_f1_score(any_s, any_l, any_c, average="macro")',
            'multiclass_f1_score(any_s, any_l, any_c, average="micro")',
        ),
    )
    untouched = ("f1 = multiclass_f1_score(s, l, c)\n",)


class AccuracyMacro(Mutation):
    """Accuracy is the mean over classes.

    What it does: torchmetrics takes that for its default.

    Why it is wrong: Accuracy is the share of rows that are right. The mean over classes is another
    metric, of its own name.

    How it shows: Where classes are equally frequent nothing shows.

    How to find it: Work it out by hand where one class is rare.

    Other right fixes: The share of all rows, by `average="micro"` or by hand.
    """

    id = "row-accuracy-macro"
    bug_class = "metrics"
    stage = "eval"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Is accuracy the share of rows that are right?",
        "Work it out for rows of which few are of one class.",
        "What does the library take for what it is not told?",
    )
    killed_by = frozenset({"metrics"})
    forms = (
        exchange(
            "by default",
            'multiclass_accuracy(any_s, any_l, any_c, average="micro")',
            "multiclass_accuracy(any_s, any_l, any_c)",
        ),
    )
    untouched = ('a = multiclass_accuracy(s, l, c, average="macro")\n',)


class AucOfLabels(Mutation):
    """ROC-AUC is taken of decisions.

    What it does: Probabilities are rounded to 0 and 1 before.

    Why it is wrong: ROC-AUC says how well scores put rows in order. Two values put hardly any in
    order.

    How it shows: It is lower than it should be, and near the balanced accuracy.

    How to find it: Take scores of 0.4 and 0.2: in the right order they must give 1.

    Other right fixes: The probabilities, or anything that rises with them.
    """

    id = "row-auc-on-labels"
    bug_class = "metrics"
    stage = "eval"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("materialsproject/matbench#181",)
    hints = (
        "Do the three metrics tell three things?",
        "Give scores that are in the right order, and all below one half.",
        "What is ROC-AUC given?",
    )
    killed_by = frozenset({"metrics"})
    forms = (
        exchange(
            "rounded",
            'multiclass_auroc(any_s, any_l, any_c, average="macro")',
            'multiclass_auroc(any_s.round(), any_l, any_c, average="macro")',
        ),
    )
    untouched = ("a = multiclass_auroc(s, l, c)\n",)
