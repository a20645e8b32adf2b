"""Orders in which functions, methods and classes come, none of which needs those before it."""

from bugforge.rewrite import Reordering


class AttentionOrder(Reordering):
    """Where the attention takes its heads apart."""

    id = "order-attention"
    of = "CausalSelfAttention"
    orders = (
        ("split_heads", "forward"),
        ("forward", "split_heads"),
    )


class ModelOrder(Reordering):
    """Which part of the model comes first."""

    id = "order-model"
    of = ""
    orders = (
        ("CausalSelfAttention", "MLP", "Block", "GPT"),
        ("MLP", "CausalSelfAttention", "Block", "GPT"),
        ("Block", "CausalSelfAttention", "MLP", "GPT"),
        ("GPT", "Block", "CausalSelfAttention", "MLP"),
        ("GPT", "Block", "MLP", "CausalSelfAttention"),
    )


class MethodsOrder(Reordering):
    """Where the model draws its weights."""

    id = "order-methods"
    of = "GPT"
    orders = (
        ("init_weights", "forward", "generate"),
        ("forward", "init_weights", "generate"),
        ("forward", "generate", "init_weights"),
    )


class VocabularyOrder(Reordering):
    """Which method of the vocabulary comes first."""

    id = "order-vocabulary"
    of = "Vocabulary"
    orders = (
        ("__len__", "encode", "decode"),
        ("encode", "decode", "__len__"),
        ("decode", "encode", "__len__"),
        ("encode", "__len__", "decode"),
    )


class ClassesOrder(Reordering):
    """Which class of the training comes first."""

    id = "order-classes"
    of = ""
    orders = (
        ("TrainConfig", "Vocabulary"),
        ("Vocabulary", "TrainConfig"),
    )


class TrainingOrder(Reordering):
    """Which function of the training comes first."""

    id = "order-training"
    of = ""
    orders = (
        ("get_batch", "make_optimizer", "learning_rate", "train_step", "train", "sample"),
        ("learning_rate", "make_optimizer", "get_batch", "train_step", "train", "sample"),
        ("sample", "get_batch", "learning_rate", "make_optimizer", "train_step", "train"),
        ("make_optimizer", "learning_rate", "train_step", "get_batch", "train", "sample"),
        ("train", "train_step", "get_batch", "learning_rate", "make_optimizer", "sample"),
        ("train_step", "learning_rate", "get_batch", "make_optimizer", "sample", "train"),
        ("get_batch", "sample", "train_step", "make_optimizer", "learning_rate", "train"),
    )
