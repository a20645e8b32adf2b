"""Type hints, by hands that write them."""

from bugforge.rewrite import Hinting

TENSORS = "tuple[torch.Tensor, torch.Tensor]"
HINTS = {
    "__init__(self, config)": "__init__(self, config: GPTConfig) -> None",
    "split_heads(self, x)": "split_heads(self, x: torch.Tensor) -> torch.Tensor",
    "forward(self, x)": "forward(self, x: torch.Tensor) -> torch.Tensor",
    "init_weights(self, module)": "init_weights(self, module: nn.Module) -> None",
    "forward(self, idx, targets=None)": (
        "forward(self, idx: torch.Tensor, targets: torch.Tensor | None = None)"
        " -> tuple[torch.Tensor, torch.Tensor | None]"
    ),
    "generate(self, idx, max_new_tokens, temperature=1.0, top_k=None)": (
        "generate(self, idx: torch.Tensor, max_new_tokens: int, temperature: float = 1.0,"
        " top_k: int | None = None) -> torch.Tensor"
    ),
    "__init__(self, text)": "__init__(self, text: str) -> None",
    "__len__(self)": "__len__(self) -> int",
    "encode(self, text)": "encode(self, text: str) -> torch.Tensor",
    "decode(self, tokens)": "decode(self, tokens: list[int]) -> str",
    "get_batch(data, config, generator)": (
        "get_batch(data: torch.Tensor, config: TrainConfig, generator: torch.Generator)"
        f" -> {TENSORS}"
    ),
    "make_optimizer(model, config)": (
        "make_optimizer(model: GPT, config: TrainConfig) -> torch.optim.Optimizer"
    ),
    "learning_rate(step, config)": "learning_rate(step: int, config: TrainConfig) -> float",
    "train_step(model, optimizer, batch, config)": (
        f"train_step(model: GPT, optimizer: torch.optim.Optimizer, batch: {TENSORS},"
        " config: TrainConfig) -> float"
    ),
    "train(text, config, seed)": (
        "train(text: str, config: TrainConfig, seed: int) -> tuple[GPT, Vocabulary, list[float]]"
    ),
    "sample(model, vocabulary, prompt, max_new_tokens)": (
        "sample(model: GPT, vocabulary: Vocabulary, prompt: str, max_new_tokens: int) -> str"
    ),
    "main()": "main() -> None",
}


class Hints(Hinting):
    """Whether functions tell the types of what they take and give."""

    id = "hints"
    hands = {  # noqa: RUF012  # a mapping that nobody changes, as the base class says
        "all": HINTS,
        "taken": {plain: told.split(" -> ")[0] for plain, told in HINTS.items()},
    }
