"""Other names and other words in a training pipeline, and other code for the same."""

from bugforge.rewrite import Renaming, Restructuring, Retelling, way

DATA = "Rows that write values to keys and then ask for one: drawn, split, and put into batches."
SPLIT = "Give the rows to learn from, and a share of all that is held out."
EPOCH = "Give the batches of one epoch: each row once, in a new order; the last may be short."
STREAM = "Rows classified while they arrive, token by token, without reading any token twice."
PAST = "The keys and values (B, nh, T, hs) that a layer has seen."
ADDED = "Add what is new; give all."
ARRIVING = "Rows that arrive at the same pace."
RESET = "Forget what came: other rows begin."
BLOCK = "Each part adds to the stream, and the sum is normalised."
GROUPS = "Make AdamW: matrices and tables decay, biases and norms do not."
RATE = "Let the rate rise in a straight line, then fall along a cosine to nothing."
METRICS = "Give accuracy, macro F1 and macro ROC-AUC, each class against the rest."
SAVED = "Write a state of training into a file, whole."
LOADED = "Put a state of training back to where it was saved."
STATE = "All that a training goes on from."
PREPARED = "Give the state from which a training of so many steps begins."
STEP = "Learn from one batch; return its loss."
THREADS = "the model is tiny: more threads only wait for each other"


class PipelineWords(Retelling):
    """Who wrote the comments and docstrings of a pipeline."""

    id = "words-of-pipeline"
    subjects = ("pipeline",)
    hands = {  # noqa: RUF012  # a mapping that nobody changes, as the base class says
        "sparse": {
            DATA: "A synthetic task: the last value written to a key.",
            STREAM: "Incremental classification with cached keys and values.",
            PAST: "One layer's cache.",
            **dict.fromkeys((SPLIT, EPOCH, ADDED, ARRIVING, RESET, BLOCK, GROUPS, RATE), ""),
            **dict.fromkeys((METRICS, SAVED, LOADED, STATE, PREPARED, STEP, THREADS), ""),
        },
        "teacher": {
            DATA: "The data: each row is a small log, and its class is what a key was last set to.",
            SPLIT: "Divide rows into what is learned and what is only looked at.",
            EPOCH: "Go once through all rows, shuffled; what is left over makes a short batch.",
            STREAM: "Reading on without reading again: every layer keeps its keys and values.",
            PAST: "What one layer remembers: keys and values, each (B, nh, T, hs).",
            ADDED: "Remember some more, and give all that is remembered.",
            ARRIVING: "Several rows, one token of each at a time.",
            RESET: "Begin new rows with nothing remembered.",
            BLOCK: "Post-norm: add, then normalise, first for attention and then for the MLP.",
            GROUPS: "AdamW in two groups, of which only what multiplies decays.",
            RATE: "Linear warm-up, then a cosine down to zero.",
            METRICS: "Three metrics by torchmetrics: accuracy, and macro means of F1 and ROC-AUC.",
            SAVED: "Save everything that has a state; the file is whole or not there.",
            LOADED: "Restore everything that has a state.",
            STATE: "What changes while training.",
            PREPARED: "Make everything that training needs, before its first step.",
            STEP: "One optimizer step.",
            THREADS: "with so small a model a second thread is slower, not faster",
        },
    }


class RowNames(Renaming):
    """What the writes of a row are called, and the key that it asks for."""

    id = "names-of-rows"
    subjects = ("pipeline",)
    of = "local"
    names = (
        ("writes", "asked"),
        ("entries", "key"),
        ("log", "query"),
        ("events", "wanted"),
    )


class VisibleName(Renaming):
    """What a place may attend to, and how much came before it, are called."""

    id = "names-of-visible"
    subjects = ("pipeline",)
    of = "local"
    names = (
        ("visible", "before"),
        ("causal", "seen"),
        ("allowed", "earlier"),
        ("mask", "cached"),
    )


class CountedBatches(Restructuring):
    """How the steps of all epochs are counted."""

    id = "steps-counted"
    subjects = ("pipeline",)
    ways = (
        way(
            "ceil",
            (
                "any_c.epochs * -(-len(any_r) // any_c.batch_size)",
                "any_c.epochs * ((len(any_r) - 1) // any_c.batch_size + 1)",
            ),
        ),
    )
