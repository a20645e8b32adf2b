"""Sizes at which the correct program learns every sentence as surely, and about as quickly.

Of 40 trainings drawn from all of them, each gave its sentence back, with a final loss of 1.05 to
1.23 of the floor, and took from three quarters to twice as long as the reference. A batch has more
rows than a window has positions, as in the reference.
"""

from bugforge.rewrite import Restructuring, way

MODEL = "n_layer: int = 2\nn_head: int = 4\nn_embd: int = 48"
PACE = "batch_size: int = 32\nsteps: int = 300\nlearning_rate: float = 5e-3"


class ModelSize(Restructuring):
    """How many layers and heads the model has, and how wide it is."""

    id = "size-model"
    ways = tuple(
        way(
            f"{layers}-{heads}-{width}",
            (MODEL, f"n_layer: int = {layers}\nn_head: int = {heads}\nn_embd: int = {width}"),
        )
        for layers, heads, width in (
            (2, 3, 48),
            (2, 6, 48),
            (3, 4, 48),
            (3, 6, 36),
            (3, 3, 36),
            (2, 5, 60),
            (2, 2, 60),
        )
    )


class WindowSize(Restructuring):
    """How long a window is."""

    id = "size-window"
    ways = tuple(
        way(f"{size}", ("block_size: int = 24", f"block_size: int = {size}"))
        for size in (20, 22, 26, 28)
    )


class Pace(Restructuring):
    """How large batches are, how many there are, and how far each leads."""

    id = "size-pace"
    ways = tuple(
        way(
            f"{batch}-{steps}-{rate}",
            (
                PACE,
                f"batch_size: int = {batch}\nsteps: int = {steps}\nlearning_rate: float = {rate}",
            ),
        )
        for batch, steps, rate in (
            (40, 250, "5e-3"),
            (32, 350, "4e-3"),
            (36, 280, "6e-3"),
        )
    )
