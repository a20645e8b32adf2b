"""The instruments: each records one behaviour of a program, under given weights and inputs.

Every instrument takes the program and the job and gives a recording: tensors by name, and
plain facts (JSON) by name. Sizes are chosen so that no two axes are equally long.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from .caching import caching, grouped
from .classifying import classifying
from .dropping import dropping
from .greedy import greedy
from .influence import influence
from .job import Job, Recording
from .learning import loop, objective, rates
from .program import Program
from .ragged import ragged
from .regularised import accumulation, beginning, dropout, evaluation
from .sequences import sequences
from .unwritten import poisoned_memory
from .update import update
from .weights import LARGE, carry, in_thirds, is_askew, with_random_weights

CHANGES = ("base", "changed", "changed last")
"""Inputs under tilted weights: what tells whether a later token is seen."""

REPEATED = "constant"
"""The input that is one token again and again."""

ROUNDS = 3
"""Fresh models whose beginnings are looked at."""


def construct(program: Program, job: Job) -> Recording:
    """Build the model while fresh memory is poisoned with NaN; record what it starts with."""
    seen = Recording()
    with poisoned_memory():
        torch.manual_seed(job.seed)
        model = program.build(**job.sizes)
    seen.facts["trainable"] = {n: p.requires_grad for n, p in model.named_parameters()}
    for name, value in in_thirds(dict(model.named_parameters()), job.sizes["n_embd"]).items():
        seen.tensors[name] = value.detach().clone()
    return seen


def initial(program: Program, job: Job) -> Recording:
    """Logits (B, T, V) of models as they are built, for tokens and for other tokens there."""
    seen = Recording()
    for round_ in range(ROUNDS):
        torch.manual_seed(job.seed + round_)
        model = program.build(**job.sizes)
        model.eval()
        for name in ("base", "other", REPEATED):
            with torch.no_grad():
                seen.tensors[f"{name}/{round_}"] = model(job.inputs[name].clone())[0]
    return seen


def forward(program: Program, job: Job) -> Recording:
    """Logits (B, T, V) for every input, in both modes, under given and under larger weights; and
    for some, under weights that tilt the scores.

    Tells which given weight found no place, and gives the logits where weights find their places
    otherwise.
    """
    seen = Recording()
    model = program.build(**job.sizes)
    # A prompt for decoding may be longer than what forward must take.
    inputs = tuple(
        name
        for name, idx in job.inputs.items()
        if idx.size(1) <= job.sizes["block_size"] and name != REPEATED
    )
    ways: list[tuple[str, dict[str, Tensor], float, tuple[str, ...]]] = [
        (tilt, weights, 1.0, CHANGES) for tilt, weights in job.tilts().items()
    ]
    ways += [("given", job.weights, 1.0, inputs), ("large", job.weights, LARGE, inputs)]
    for way, weights, scale, names in ways:
        seen.facts["unplaced"] = carry(model, weights, job.pairing, scale)
        for mode in ("eval", "train"):
            model.train(mode == "train")
            for name in names:
                with torch.no_grad():
                    seen.tensors[f"{way}/{mode}/{name}"] = model(job.inputs[name].clone())[0]
    model.eval()
    with torch.no_grad():
        seen.tensors["again"] = model(job.inputs["base"].clone())[0]
        may_be_turned = is_askew(model, job.sizes["n_embd"], _rows_of_tables(job))
        for number, pairing in enumerate(job.otherwise):
            if pairing.turned and not may_be_turned:
                continue
            carry(model, job.weights, pairing)
            seen.tensors[f"otherwise/{number}"] = model(job.inputs["base"].clone())[0]
    return seen


def _rows_of_tables(job: Job) -> tuple[int, int]:
    """Tell how many rows those matrices have that are looked up, or make logits."""
    return job.sizes["vocab_size"], job.sizes["block_size"]


def positions(program: Program, job: Job) -> Recording:
    """Logits (B, T, V) of one token repeated, in both modes, under given and under larger weights.

    What tells positions apart only by other tokens, seen from there, has no answer to this.
    """
    seen = Recording()
    model = program.build(**job.sizes)
    for way, scale in (("given", 1.0), ("large", LARGE)):
        carry(model, job.weights, job.pairing, scale)
        for mode in ("eval", "train"):
            model.train(mode == "train")
            with torch.no_grad():
                seen.tensors[f"{way}/{mode}"] = model(job.inputs[REPEATED].clone())[0]
    return seen


def targets(program: Program, job: Job) -> Recording:
    """Logits (B, T, V) and loss, in nats, of forward with targets, and whether it gives a loss
    without; and the cross-entropies that the loss may be: of the targets place by place, or of
    each target at the place before.

    A program that shifts in forward may want targets (B, T + 1), or give logits (B, T - 1, V).
    """
    seen = Recording()
    model = program.build(**job.sizes)
    carry(model, job.weights, job.pairing)
    idx, wanted = job.inputs["base"].clone(), job.inputs["other"].clone()
    longer = torch.cat((wanted, wanted[:, :1]), dim=1)
    with torch.no_grad():
        plain, nothing = model(idx)
        try:
            logits, loss = model(idx, wanted)
        except (RuntimeError, ValueError):  # what torch raises for sizes that do not fit
            logits, loss = model(idx, longer)
            wanted = longer
    seen.tensors["plain"] = plain
    if logits is not None:
        seen.tensors["logits"] = logits
    seen.facts["loss"] = None if loss is None else float(loss)
    seen.facts["loss of nothing"] = nothing is not None
    cross_entropy = nn.functional.cross_entropy
    seen.facts["in place"] = float(
        cross_entropy(plain.flatten(0, 1), wanted[:, : idx.size(1)].flatten())
    )
    seen.facts["shifted"] = float(
        cross_entropy(plain[:, : wanted.size(1) - 1].flatten(0, 1), wanted[:, 1:].flatten())
    )
    return seen


def decode(program: Program, job: Job) -> Recording:
    """Greedy tokens from each prompt, tokens drawn from the likeliest alone, the spread of sampled
    ones, and the mode it leaves.

    Beside the greedy tokens stand those worked out here from the model's own logits, and how clear
    each row's choices were; and beside the counts (B, V) of sampled tokens the logits (B, V) that
    they were drawn from.
    """
    seen = Recording()
    torch.manual_seed(job.seed)
    model = program.build(**job.sizes)
    prompts = {name: idx for name, idx in job.inputs.items() if name.startswith("prompt")}
    # Weights may lead to one token whatever was read; then those turned round do not. The prompt
    # that was read last under some comes first under others: nothing of it may be remembered.
    in_turn = ((-SHARPER, ", weights negated", reversed(prompts)), (SHARPER, "", iter(prompts)))
    for scale, label, names in in_turn:
        carry(model, job.weights, job.pairing, scale)
        model.eval()
        for name in names:
            idx = prompts[name]
            expected, clear = greedy(model, idx, NEW, job.sizes["block_size"])
            seen.tensors[f"greedy/{name}{label}"] = model.generate(idx.clone(), NEW, temperature=0)
            seen.tensors[f"expected/{name}{label}"] = expected
            seen.tensors[f"clear/{name}{label}"] = clear
            seen.tensors[f"drawn/{name}{label}"] = model.generate(idx.clone(), NEW, top_k=1)
            model.eval()  # generating may have left another mode
    prompt = prompts["prompt"]
    _left_behind(model, prompt, seen)
    seen.tensors["greedy/few kept"] = model.generate(prompt.clone(), NEW, temperature=0, top_k=3)
    seen.tensors["expected/few kept"] = seen.tensors["expected/prompt"]
    seen.tensors["clear/few kept"] = seen.tensors["clear/prompt"]
    seen.tensors["greedy/nothing new"] = model.generate(prompt.clone(), 0, temperature=0)
    seen.tensors["expected/nothing new"] = prompt
    seen.tensors["clear/nothing new"] = torch.ones(len(prompt))
    # What is made when it is first needed may be made for the prompt alone.
    torch.manual_seed(job.seed)  # what is no parameter begins alike, too
    first = program.build(**job.sizes)
    carry(first.eval(), job.weights, job.pairing, SHARPER)
    seen.tensors["greedy/first of all"] = first.generate(prompt.clone(), NEW, temperature=0)
    seen.tensors["expected/first of all"] = seen.tensors["expected/prompt"]
    seen.tensors["clear/first of all"] = seen.tensors["clear/prompt"]
    _behind_another(model, job, seen)
    _two_drawn(model, prompts["prompt of one"], job, seen)
    _drawn_on(program, prompts["prompt of one"], job, seen)
    carry(model, job.weights, job.pairing, 0.5)
    for name, given in job.samplings.items():
        rows = prompts["prompt of one"] if given else prompts["prompt beyond the context"][:1]
        with torch.no_grad():
            seen.tensors[f"logits/{name}"] = model(rows[:, -job.sizes["block_size"] :])[0][:, -1]
        torch.manual_seed(job.seed)
        drawn = model.generate(rows.repeat(SAMPLES, 1), 1, **given)[:, -1]
        # Several rows, so that none can be drawn for another.
        seen.tensors[f"counts/{name}"] = torch.stack(
            [row.bincount(minlength=job.sizes["vocab_size"]) for row in drawn.view(-1, len(rows)).T]
        )
    return seen


def _left_behind(model: Any, prompt: Tensor, seen: Recording) -> None:
    """Tell whether generating leaves all as it found it: modes, tokens, and whether gradients are
    kept.
    """
    for was_training in (True, False):
        model.train(was_training)
        modes = {module: module.training for module in model.modules()}
        model.generate(prompt.clone(), 1, temperature=0)
        seen.facts[f"restored/{was_training}"] = all(m.training == modes[m] for m in modes)
    given = prompt.clone()
    for gradients in (True, False):
        with torch.set_grad_enabled(gradients):
            model.generate(given, 2, temperature=0)
            seen.facts[f"restored/gradients {gradients}"] = torch.is_grad_enabled() == gradients
    seen.facts["restored/tokens"] = torch.equal(given, prompt)


def _behind_another(model: Any, job: Job, seen: Recording) -> None:
    """Continue texts as long as the one that was continued last was before, and behind it."""
    prompt, new = job.inputs["prompt"], 2
    for length in (prompt.size(1), prompt.size(1) + new):
        idx = job.inputs["base"][: len(prompt), :length]
        expected, clear = greedy(model, idx, new, job.sizes["block_size"])
        model.generate(prompt.clone(), new, temperature=0)
        name = f"behind another/{length}"
        seen.tensors[f"greedy/{name}"] = model.generate(idx.clone(), new, temperature=0)
        seen.tensors[f"expected/{name}"], seen.tensors[f"clear/{name}"] = expected, clear


def _two_drawn(model: Any, prompts: Tensor, job: Job, seen: Recording) -> None:
    """Draw two tokens, by default and often, behind each prompt (N, 1); and give the logits (V,) of
    the first and those (V, V) of the second behind each first.
    """
    firsts = torch.arange(job.sizes["vocab_size"])[:, None]
    for row, prompt in enumerate(prompts[:, None]):
        behind = torch.cat((prompt.expand(len(firsts), 1), firsts), dim=1)
        with torch.no_grad():
            seen.tensors[f"first logits/{row}"] = model(prompt.clone())[0][0, -1]
            seen.tensors[f"second logits/{row}"] = model(behind)[0][:, -1]
        torch.manual_seed(job.seed)
        seen.tensors[f"prompt/{row}"] = prompt
        seen.tensors[f"two drawn/{row}"] = model.generate(prompt.repeat(PAIRS, 1), 2)


def _drawn_on(program: Program, prompts: Tensor, job: Job, seen: Recording) -> None:
    """Draw tokens behind prompts (N, 1), neither by default nor from all there are; give the last
    (B,) of each row, and the logits (B, V) that it was drawn from. Draw for a few again. One block
    does, and is quick.
    """
    rows = prompts.repeat(ROWS // len(prompts), 1)
    torch.manual_seed(job.seed)
    few_blocks = {name: 1 for name in job.sizes if name == "n_layer"}
    model: Any = with_random_weights(program.build(**{**job.sizes, **few_blocks})).eval()
    drawn, few, again = (
        model.generate(some.clone(), NEW, **job.drawn_on) for some in (rows, prompts, prompts)
    )
    seen.facts["drawn again alike"] = torch.equal(few, again)
    with torch.no_grad():
        seen.tensors["last logits"] = model(drawn[:, :-1])[0][:, -1]
    seen.tensors["last drawn"] = drawn[:, -1]


NEW = 9
"""Tokens asked for after each prompt."""

SAMPLES = 2000
PAIRS = 2000
ROWS = 1200
SHARPER = 1.4
"""Factor of the weights in decoding: what a second token depends on the first for lies farthest
there from what chance makes of so many pairs."""


INSTRUMENTS: dict[str, Callable[[Program, Job], Recording]] = {
    "construct": construct,
    "initial": initial,
    "forward": forward,
    "positions": positions,
    "targets": targets,
    "objective": objective,
    "update": update,
    "loop": loop,
    "rates": rates,
    "decode": decode,
    "beginning": beginning,
    "dropout": dropout,
    "dropping": dropping,
    "evaluation": evaluation,
    "accumulation": accumulation,
    "caching": caching,
    "grouped": grouped,
    "ragged": ragged,
    "classifying": classifying,
    "sequences": sequences,
    "influence": influence,
}
