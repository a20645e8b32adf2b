"""Bugs of predicting rows."""

import libcst.matchers as m

from bugforge.mutation import Mutation

from .exchange import exchange


class DropsWhilePredicting(Mutation):
    """Rows are predicted with dropout.

    What it does: The model is not put into eval mode.

    Why it is wrong: What is told of held-out rows is of a model with holes, and another each time.

    How it shows: Where there is dropout, held-out metrics are too low and never the same twice.

    How to find it: Predict twice and compare.

    Other right fixes: `model.eval()` before the first pass.
    """

    id = "row-predicts-with-dropout"
    bug_class = "evaluation"
    stage = "eval"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Is a prediction the same twice?",
        "Predict the same rows twice, with dropout.",
        "In which mode is a model that was trained?",
    )
    killed_by = frozenset({"predictions"})
    forms = (
        exchange(
            "no eval",
            "any_m.eval()",
            "",
            around="def predict(m, rows):\n    ...\n    return m(rows)\n",
        ),
    )
    untouched = ("evaluate(m)\n",)


class RowsMissing(Mutation):
    """Held-out rows at the end are not predicted.

    What it does: Where a whole batch does not fit any more, predicting ends.

    Why it is wrong: Metrics are those of other rows than they are said to be of.

    How it shows: Nothing shows where rows fill their batches.

    How to find it: Count the predictions.

    Other right fixes: Every start below the number of rows.
    """

    id = "row-predictions-cut"
    bug_class = "evaluation"
    stage = "eval"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Is every row predicted?",
        "Count predictions, with sizes that do not divide the rows.",
        "Where does the range end?",
    )
    killed_by = frozenset({"predictions"})
    forms = (
        exchange(
            "whole ones only",
            "range(0, len(any_r), any_s)",
            "range(0, len(any_r) - any_s + 1, any_s)",
            around="def predict(r, s):\n    told = [r[i] for i in ...]\n    return cat(told)\n",
            inside=m.Name("cat"),
        ),
    )
    untouched = ("for i in range(0, len(r), s):\n    use(i)\n",)
