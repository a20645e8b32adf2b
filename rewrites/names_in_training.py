"""What things of the training are called."""

from bugforge.rewrite import Renaming


class DataName(Renaming):
    """What the text is called as tokens."""

    id = "names-data"
    of = "local"
    names = (
        ("data",),
        ("stream",),
        ("corpus",),
        ("encoded",),
    )


class SpanName(Renaming):
    """What the length of a window is called."""

    id = "names-span"
    of = "local"
    names = (
        ("span",),
        ("width",),
        ("length",),
        ("n",),
    )


class StartsName(Renaming):
    """What the starts of windows are called."""

    id = "names-starts"
    of = "local"
    names = (
        ("starts",),
        ("offsets",),
        ("begins",),
        ("ix",),
    )


class LastName(Renaming):
    """What the last start is called."""

    id = "names-last"
    of = "local"
    names = (
        ("last",),
        ("last_start",),
        ("limit",),
        ("final",),
    )


class WindowsName(Renaming):
    """What the windows are called."""

    id = "names-windows"
    of = "local"
    names = (
        ("windows",),
        ("chunks",),
        ("rows",),
        ("pieces",),
    )


class PairName(Renaming):
    """What inputs and targets are called."""

    id = "names-inputs"
    of = "local"
    names = (
        ("inputs", "targets"),
        ("x", "y"),
        ("xb", "yb"),
        ("inp", "tgt"),
    )


class GeneratorName(Renaming):
    """What draws the batches."""

    id = "names-generator"
    of = "local"
    names = (
        ("generator",),
        ("rng",),
        ("gen",),
        ("g",),
    )


class LossesName(Renaming):
    """What keeps the losses."""

    id = "names-losses"
    subjects = ("language", "pipeline")
    of = "local"
    names = (
        ("losses",),
        ("history",),
        ("curve",),
        ("loss_log",),
    )


class VocabularyClass(Renaming):
    """What the class of the vocabulary is called."""

    id = "names-vocabulary-class"
    of = "definition"
    names = (
        ("Vocabulary",),
        ("Vocab",),
        ("CharTokenizer",),
        ("Alphabet",),
        ("Characters",),
    )


class LetterNames(Renaming):
    """What the letters and their tokens are called."""

    id = "names-letters"
    of = "attribute"
    names = (
        ("chars", "index"),
        ("itos", "stoi"),
        ("letters", "ids"),
        ("alphabet", "lookup"),
    )


class BatchFunction(Renaming):
    """What draws a batch."""

    id = "names-batch"
    of = "definition"
    names = (
        ("get_batch",),
        ("draw_batch",),
        ("sample_batch",),
        ("make_batch",),
    )


class OptimizerFunction(Renaming):
    """What makes the optimizer."""

    id = "names-optimizer"
    of = "definition"
    names = (
        ("make_optimizer",),
        ("build_optimizer",),
        ("configure_optimizer",),
        ("new_optimizer",),
    )


class RateFunction(Renaming):
    """What knows the rate of a step."""

    id = "names-rate"
    of = "definition"
    names = (
        ("learning_rate",),
        ("lr_at",),
        ("get_lr",),
        ("scheduled_rate",),
    )


class StepFunction(Renaming):
    """What takes a step."""

    id = "names-step"
    of = "definition"
    names = (
        ("train_step",),
        ("training_step",),
        ("learn_from",),
        ("one_step",),
    )


class DoneName(Renaming):
    """What the share of the decay that is over is called."""

    id = "names-done"
    subjects = ("language", "pipeline")
    of = "local"
    names = (
        ("done",),
        ("progress",),
        ("ratio",),
        ("frac",),
    )
