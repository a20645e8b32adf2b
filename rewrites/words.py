"""Other hands that comment the program and write its docstrings."""

from bugforge.rewrite import Retelling

MODEL = (
    "A small GPT: a causal decoder that learns to predict the next token.\n\n"
    "Shapes in the comments: B is the batch, T the time (positions), C the width\n"
    "(n_embd), nh the number of heads, hs the size of one head, V the vocabulary."
)
ATTENTION = "Positions gather what they need from each other, in several heads."
MLP = "Every position thinks about what it has gathered, on its own."
BLOCK = "Attention, then the MLP, on the stream that runs through all blocks."
FORWARD = "Map tokens (B, T) to logits (B, T, V); with targets (B, T), also give the loss."
GENERATE = "Continue tokens (B, T) by max_new_tokens; temperature 0 takes the likeliest token."
TRAINING = (
    "Teach a small GPT one sentence through random windows, then ask for it back.\n\n"
    "Run `python train.py`: it prints the loss on the way and a greedy sample at the end."
)
VOCABULARY = "The characters of a text, in order; a token is a character's place."
BATCH = "Draw random windows of data (N,) and cut them into inputs and targets."
RATE = "Give the learning rate of a step."
STEP = "Learn from one batch; return its loss."
TRAIN = "Train a fresh model on text; return it with its vocabulary and the loss of each step."
SAMPLE = "Continue the prompt."
EDGES = "Starts beyond an edge are moved onto it, else the first and last tokens would be rare."
THREADS = "the model is tiny: more threads only wait for each other"
SHAPES = (
    "(B, nh, T, hs)",
    "(B, T, nh, hs)",
    "(B, nh, T, T)",
    "(B, T, C)",
    "(B, T, 4 * C)",
    "(B, T + 1)",
    "(B, V)",
    "(1, T)",
)
FUNCTIONS = (FORWARD, GENERATE, BATCH, RATE, STEP, TRAIN, SAMPLE)


class Words(Retelling):
    """Who wrote the comments and docstrings."""

    id = "words"
    hands = {  # noqa: RUF012  # a mapping that nobody changes, as the base class says
        "sparse": {
            MODEL: "A decoder-only transformer.",
            TRAINING: "Overfit one sentence with a small GPT, then sample it.",
            **dict.fromkeys((ATTENTION, MLP, BLOCK, VOCABULARY, *FUNCTIONS), ""),
            **dict.fromkeys((THREADS, *SHAPES), ""),
            EDGES: "let windows stick at both ends",
        },
        "shapes": {
            MODEL: (
                "GPT in one file.\n\n"
                "Letters for sizes: B batch, T time, C n_embd, nh heads, hs head size, V vocab."
            ),
            TRAINING: "Train the GPT on TEXT and print a greedy sample.",
            **dict.fromkeys((ATTENTION, MLP, BLOCK, RATE, STEP, TRAIN, SAMPLE), ""),
            THREADS: "",
            EDGES: "clamped, so that both ends of the text come up as often as its middle",
        },
        "teacher": {
            MODEL: (
                "A GPT small enough to read in one sitting.\n\n"
                "Shapes are written beside the code: B rows, T positions, C = n_embd, nh heads of\n"
                "hs = C / nh, and V tokens in the vocabulary."
            ),
            ATTENTION: "Multi-head self-attention.",
            MLP: "Position-wise feed-forward layer.",
            BLOCK: "One transformer block.",
            FORWARD: "Return logits (B, T, V), and the loss if targets (B, T) are given.",
            GENERATE: (
                "Append max_new_tokens to idx (B, T), greedily at temperature 0, else drawn."
            ),
            TRAINING: (
                "Overfit a small GPT on one sentence, as a sanity check of the whole pipeline.\n\n"
                "Usage: python train.py [device]"
            ),
            VOCABULARY: "A character-level tokenizer.",
            BATCH: "Cut random windows of the tokens (N,) into inputs and targets.",
            RATE: "The learning-rate schedule.",
            STEP: "Learn from one batch; return the loss in nats.",
            TRAIN: "Train a model from scratch; return model, vocabulary and the loss curve.",
            SAMPLE: "Return the prompt with its continuation.",
            EDGES: "Clamping makes windows at both ends likelier, whose tokens are in few others.",
            THREADS: "one thread is fastest for something this small",
        },
        "notebook": {
            MODEL: ("Minimal GPT.\n\nB: batch, T: time, C: channels, nh: heads, hs: head size."),
            ATTENTION: "Communication: tokens read from each other.",
            MLP: "Computation: each token by itself.",
            BLOCK: "Communication followed by computation.",
            FORWARD: "idx and targets are both (B, T) tensors of token ids.",
            GENERATE: "idx (B, T) is the text so far.",
            TRAINING: "Memorise TEXT with a small character-level GPT.",
            VOCABULARY: "Map characters to integers and back.",
            BATCH: "Random windows of data (N,), as inputs and targets.",
            RATE: "How fast to learn at a step.",
            STEP: "",
            TRAIN: "The training loop: text in; model, vocabulary and losses out.",
            SAMPLE: "Ask the model for more.",
            EDGES: "without the clamp the ends of the text would hardly ever be seen",
            THREADS: "tiny model: threads only get in the way",
        },
    }
