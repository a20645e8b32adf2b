"""Ways to write what a training step does, and how steps follow one another."""

import ast

from bugforge.rewrite import Restructuring, way


class ZeroGrad(Restructuring):
    """When and how gradients are cleared."""

    id = "zero-grad"
    ways = (
        way(
            "at-first",
            (
                "inputs, targets = batch\n_, loss = any_output\noptimizer.zero_grad()\n",
                "inputs, targets = batch\noptimizer.zero_grad()\n_, loss = any_output\n",
            ),
        ),
        way(
            "at-the-end",
            (
                "optimizer.zero_grad()\nloss.backward()\nany_clipping\noptimizer.step()\n",
                "loss.backward()\nany_clipping\noptimizer.step()\noptimizer.zero_grad()\n",
            ),
            decoy=(
                "Gradients are cleared at the end of a step; before the first there are none, and "
                "so each step finds its own alone."
            ),
        ),
        way("to-none", ("optimizer.zero_grad()", "optimizer.zero_grad(set_to_none=True)")),
        way("of-the-model", ("optimizer.zero_grad()", "model.zero_grad()")),
    )


class Rate(Restructuring):
    """How the rate gets to the optimizer."""

    id = "rate"
    ways = (
        way(
            "asked-once",
            (
                (
                    "for group in optimizer.param_groups:\n"
                    '    group["lr"] = learning_rate(step, config)\n'
                ),
                (
                    "rate = learning_rate(step, config)\n"
                    "for group in optimizer.param_groups:\n"
                    '    group["lr"] = rate\n'
                ),
            ),
        ),
        way(
            "updated",
            (
                (
                    "for group in optimizer.param_groups:\n"
                    '    group["lr"] = learning_rate(step, config)\n'
                ),
                (
                    "for group in optimizer.param_groups:\n"
                    "    group.update(lr=learning_rate(step, config))\n"
                ),
            ),
        ),
    )


class Decay(Restructuring):
    """How the rate decays along a cosine."""

    id = "decay"
    ways = (
        way(
            "halved",
            (
                "any_rate * 0.5 * (1 + math.cos(math.pi * done))",
                "any_rate * (1 + math.cos(math.pi * done)) / 2",
            ),
            exact=False,
        ),
        way(
            "squared",
            (
                "any_rate * 0.5 * (1 + math.cos(math.pi * done))",
                "any_rate * math.cos(0.5 * math.pi * done) ** 2",
            ),
            exact=False,
        ),
    )


class Losses(Restructuring):
    """How the losses are kept."""

    id = "losses"
    ways = (
        way(
            "named",
            (
                "losses.append(train_step(any_m, any_o, any_b, any_c))",
                "loss = train_step(any_m, any_o, any_b, any_c)\nlosses.append(loss)",
            ),
        ),
        way(
            "batch-within",
            (
                "batch = any_batch\nlosses.append(train_step(any_m, any_o, batch, any_c))",
                "losses.append(train_step(any_m, any_o, any_batch, any_c))",
            ),
        ),
    )


class Clipping(Restructuring):
    """How the clipping of gradients is called."""

    id = "clipping"
    subjects = ("language", "pipeline")
    ways = (
        way(
            "named",
            (
                "nn.utils.clip_grad_norm_(any_p, any_c)",
                "nn.utils.clip_grad_norm_(any_p, max_norm=any_c)",
            ),
        ),
    )


class Telling(Restructuring):
    """How the loss is printed."""

    id = "telling"
    ways = (
        way(
            "with-a-colon",
            (
                'print(f"step {step:4d}  loss {losses[step]:.4f}")',
                'print(f"step {step:4d}: loss {losses[step]:.4f}")',
            ),
            (
                'print(f"step {config.steps:4d}  loss {losses[-1]:.4f}")',
                'print(f"step {config.steps:4d}: loss {losses[-1]:.4f}")',
            ),
            example=(
                (
                    "def main():\n"
                    '    print(f"step {step:4d}  loss {losses[step]:.4f}")\n'
                    '    print(f"step {config.steps:4d}  loss {losses[-1]:.4f}")\n'
                ),
                (
                    "def main():\n"
                    '    print(f"step {step:4d}: loss {losses[step]:.4f}")\n'
                    '    print(f"step {config.steps:4d}: loss {losses[-1]:.4f}")\n'
                ),
            ),
            holder=ast.FunctionDef,
        ),
    )
