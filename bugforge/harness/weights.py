"""The same weights for two programs: drawn for the pristine one, carried over to any other."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

Shape = Sequence[int]

SPREAD = 0.35
"""Standard deviation of given weights: large, so that attention is far from uniform."""

NEXT_TO_NOTHING = 1e-9
"""Factor of tables under which a LayerNorm, of whatever eps, gives its bias alone."""

FAINT = 0.1
"""Share that is left of what a query has of its own where weights tilt the scores."""

LARGE = 1.3
"""Factor of the larger weights: scores reach 74 at the most, over 500 draws, and no hidden one lies
farther than 64 above all that are seen, so that no right softmax, however written, overflows."""

TILTS = {"low": (40.0, 40.0), "far apart": (20.0, 57.0), "far apart, turned": (20.0, -57.0)}
"""How low scores are and how far apart, see `tilted`: a mask of -30 then hides too little, whether
put in their place or added. Over 500 draws they lay between -80 and 36, none farther than 86 above
all that are seen (an exponential of -87 is the last that is not rounded to nothing)."""

MATRIX = 2
"""Axes of a matrix."""

DEEPER = 4
"""How many times as wide an MLP is within."""

PROJECTIONS = 4
"""Matrices of attention in a block: query, key, value, and the output's, which is used last."""

THIRDS = 3
"""Parts of a fused layer, which makes query, key and value at once: the rows of each follow those
of another, in any order."""


@dataclass(frozen=True)
class Pairing:
    """How given weights find their places in a model: by name first or by order alone, be it of use
    or of making; and in which order a block's query, key and value stand, since neither tells.

    turned: which matrices of a block the model keeps as (in, out), see `turned`. width: the
    model's, by which its fused layers are known, see `in_thirds`; else they are whole.
    """

    by_name: bool
    by_use: bool
    order: tuple[int, int, int]
    turned: tuple[str, ...] = ()
    width: int | None = None


@dataclass(frozen=True)
class Place:
    """The given weight that a parameter is: name and shape, and whether the model has it turned."""

    name: str
    shape: Shape
    turned: bool = False

    def read(self, value: Tensor) -> Tensor:
        """Give what belongs to the parameter as it would belong to the given weight."""
        return value.reshape(*reversed(self.shape)).T if self.turned else value.reshape(self.shape)


def drawn(model: nn.Module, seed: int, width: int | None = None) -> dict[str, Tensor]:
    """Draw large weights for every parameter, LayerNorm's away from 1 and biases from 0.

    They come in the order in which the model uses them. width: as in Pairing.
    """
    generator = torch.Generator().manual_seed(seed)
    used = by_use(model, width)
    return {name: _around(parameter, generator) for name, parameter in used.items()}


def with_random_weights(model: nn.Module) -> nn.Module:
    """Give a model of any sizes matrices that are drawn as widely as given weights are."""
    for parameter in model.parameters():
        if parameter.dim() > 1 and parameter.is_floating_point():
            nn.init.normal_(parameter, std=SPREAD)
    return model


def in_thirds(tensors: Mapping[str, Tensor], width: int | None) -> dict[str, Tensor]:
    """Give what belongs to parameters, by name, with the thirds of each fused one by names of their
    own: a fused layer is known by its shape, which is (3 * width, width), or that turned, and no
    other parameter's.
    """
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        fused = width and sorted(tensor.shape) in ([width, THIRDS * width], [THIRDS * width])
        if fused:
            found |= {f"{name}/{number}": part for number, part in enumerate(_thirds(tensor))}
        else:
            found[name] = tensor
    return found


def _thirds(whole: Tensor) -> tuple[Tensor, ...]:
    """Cut a fused parameter along its longer axis."""
    return whole.chunk(THIRDS, dim=int(whole.dim() > 1 and whole.size(1) > whole.size(0)))


def whole_of(name: str) -> str:
    """Name the parameter that a third belongs to; any other is its own whole."""
    whole, _, number = name.rpartition("/")
    return whole if number.isdigit() else name


def third_of(tensors: Mapping[str, Tensor], name: str) -> Tensor:
    """Look up what belongs to a parameter, or to a third of one, at whatever sizes."""
    whole = whole_of(name)
    return tensors[name] if whole == name else _thirds(tensors[whole])[int(name[-1])]


def write_weights(weights: dict[str, Tensor], path: Path) -> None:
    """Write weights with their order, which safetensors would not keep."""
    save_file(weights, path, metadata={"order": json.dumps(list(weights))})


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read weights in the order in which they were written."""
    weights = load_file(path)
    with safe_open(path, framework="pt") as opened:
        order = json.loads((opened.metadata() or {}).get("order", "null")) or list(weights)
    return {name: weights[name] for name in order}


def carry(
    model: nn.Module, weights: dict[str, Tensor], pairing: Pairing, scale: float = 1.0
) -> list[str]:
    """Write weights into a model, by role; return what found no place.

    A parameter of the model that no given weight fits is filled from its shape and its order
    alone, so that two programs with the same misfit still get the same numbers.
    """
    places = pairs(_in_order(model, pairing), _shapes(weights), pairing)
    kept_turned = turned(_shapes(weights), pairing)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in held(model, pairing.width).items():
            if name in places:
                value = weights[places[name]]
                value = (value.T if places[name] in kept_turned else value).reshape(parameter.shape)
            else:
                value = _around(parameter, generator)
            # Only matrices grow: a LayerNorm that scales everything would drown the rest.
            parameter.copy_(value * (scale if parameter.dim() > 1 else 1.0))
    return sorted(set(weights) - set(places.values()))


def tilted(
    weights: dict[str, Tensor], heads: int, low: float, apart: float, *, rotary: bool = False
) -> dict[str, Tensor]:
    """Give weights under which all scores of attention are about `low` lower, and those of each key
    lie within about `apart` of that, the other way round where it is negative.

    rotary: whether positions turn queries and keys, see `slowest`; then it is done by the numbers
    that they hardly turn.

    A softmax sees only the second, and a mask that is not low enough either. It is done by the
    biases of queries and keys: normalised inputs bound what they lead to, unlike the product of two
    larger matrices, which now and then overflows an exponential that is written by hand.
    """
    changed = dict(weights)
    for query, key, _ in _projections(_shapes(weights)):
        matrix = weights[key]  # (nk * hs, C)
        biases = weights[_bias(query)].view(heads, -1)  # (nh, hs)
        size = biases.size(1)
        group = heads * size // len(matrix)  # heads that share keys
        bias = biases[::group]  # (nk, hs)
        if rotary:
            bias = bias * slowest(size)
        directions = bias / bias.norm(dim=1, keepdim=True)
        seen = torch.einsum("hd,hdc->hc", directions, matrix.view(*bias.shape, -1))
        root = math.sqrt(size)
        lengths = apart * root / (math.sqrt(matrix.size(1)) * seen.norm(dim=1, keepdim=True))
        changed[query] = FAINT * weights[query]
        changed[_bias(query)] = (lengths * directions).repeat_interleave(group, dim=0).flatten()
        changed[_bias(key)] = (-low * root / lengths * directions).flatten()
    return changed


@dataclass(frozen=True)
class Dropping:
    """The parameters whose gradients show what is dropped, block by block: tables of as many
    positions as the context has; and by matrix and bias the layers that make queries, that take
    what attention weighs, and that take what an MLP hides.
    """

    tables: list[str]
    queries: list[tuple[str, str]]
    heard: list[tuple[str, str]]
    thought: list[tuple[str, str]]

    @property
    def all(self) -> Iterator[str]:
        """Name each of them."""
        yield from self.tables
        yield from chain.from_iterable((*self.queries, *self.heard, *self.thought))


def where_dropped(weights: Mapping[str, Tensor], context: int) -> Dropping:
    """Name the parameters whose gradients show what is dropped."""
    shapes = _shapes(weights)
    blocks, deep = _attentions(shapes), _takers(shapes)
    return Dropping(
        [n for n, s in shapes.items() if len(s) == MATRIX and s[0] == context],
        [(block[0], _bias(block[0])) for block in blocks],
        [(block[-1], _bias(block[-1])) for block in blocks],
        [(name, _bias(name)) for name in deep],
    )


def evenly_weighed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Give weights under which each sublayer adds nothing, and positions are alike to all of them,
    whatever is dropped of these: tables are next to nothing, of which a LayerNorm makes its bias
    alone. They are not nothing, since the head may have the same.

    So attention weighs all positions alike; and a gradient that comes to a place of the stream
    comes through nothing but what is dropped there.
    """
    shapes = _shapes(weights)
    blocks, deep = _attentions(shapes), _takers(shapes)
    inner = {name for block in blocks for name in block} | _of_mlps(shapes)
    last = [*(block[-1] for block in blocks), *deep]
    gone = {of(name) for name in last for of in (str, _bias)}
    factors = {
        name: 0.0 if name in gone else NEXT_TO_NOTHING
        for name, weight in weights.items()
        if name in gone or (weight.dim() == MATRIX and name not in inner)
    }
    return {name: factors.get(name, 1.0) * weight for name, weight in weights.items()}


def with_faint_queries(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Give weights under which no weight of attention is rounded to nothing."""
    layers = [block[0] for block in _projections(_shapes(weights))]
    faint = {of(name) for name in layers for of in (str, _bias)}
    return {name: FAINT * w if name in faint else w for name, w in weights.items()}


def _takers(shapes: Mapping[str, Shape]) -> list[str]:
    """Name the matrices that take what an MLP hides."""
    return [n for n, s in shapes.items() if len(s) == MATRIX and s[1] == DEEPER * s[0]]


def slowest(size: int) -> Tensor:
    """Mark the pair of a head's numbers, of which there are so many, that positions turn least
    where number i goes with number i + size / 2. At the sizes of the probe it is turned by 0.1 at
    the most.
    """
    number = torch.arange(size)
    return ((number + 1) % (size // 2) == 0).float()


def by_given_name(
    model: nn.Module, weights: dict[str, Tensor], pairing: Pairing
) -> dict[str, Place]:
    """Say as which given weight to record each parameter of the model, or else as itself."""
    places = pairs(_in_order(model, pairing), _shapes(weights), pairing)
    kept_turned = turned(_shapes(weights), pairing)
    return {
        name: Place(places[name], weights[places[name]].shape, places[name] in kept_turned)
        if name in places
        else Place(name, parameter.shape)
        for name, parameter in in_thirds(dict(model.named_parameters()), pairing.width).items()
    }


def turned(weights: Mapping[str, Shape], pairing: Pairing) -> set[str]:
    """Name the given matrices that a model keeps as (in, out), where the pairing says so."""
    if not pairing.turned:
        return set()
    blocks = _attentions(weights)
    groups = {
        "attention": {name for *made, _ in blocks for name in made},
        "output": {output for *_, output in blocks},
        "mlp": _of_mlps(weights),
    }
    return set().union(*(groups[group] for group in pairing.turned))


def pairs(
    parameters: Mapping[str, Shape], weights: Mapping[str, Shape], pairing: Pairing
) -> dict[str, str]:
    """Pair a model's parameters with given weights: own name to given name. Both come in order, at
    sizes of which no two are alike, since shape is all that tells one role from another.

    Those of the same name and shape come first, where the pairing says so. The others go by
    shape, axes of length 1 apart, in order, where there are as many of it on either side.
    """
    own = {name: _long_axes(shape) for name, shape in parameters.items()}
    kept_turned = turned(weights, pairing)
    given = {
        name: _long_axes(shape)[:: -1 if name in kept_turned else 1]
        for name, shape in weights.items()
    }
    paired: dict[str, str] = {}
    if pairing.by_name:
        paired = {name: name for name in own if given.get(name) == own[name]}
        for name in paired:
            del own[name], given[name]
    for shape in set(own.values()):
        mine = [name for name in own if own[name] == shape]
        theirs = [name for name in given if given[name] == shape]
        if len(mine) == len(theirs):
            paired |= dict(zip(mine, theirs, strict=True))
    moved = _exchanged(weights, pairing.order)
    return {name: moved.get(place, place) for name, place in paired.items()}


def held(model: nn.Module, width: int | None) -> dict[str, Tensor]:
    """Give a model's parameters by name, in the order of making, and last those of layers in plain
    lists, which torch does not look into: a bug, that must not keep others from being seen.
    """
    found = dict(model.named_parameters())
    known = {id(parameter) for parameter in found.values()}
    listed = chain.from_iterable(layer.named_parameters(name) for name, layer in _listed(model))
    whole = found | {name: p for name, p in listed if id(p) not in known}
    return in_thirds({name: parameter.detach() for name, parameter in whole.items()}, width)


def _listed(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for path, module in model.named_modules():
        for name, value in vars(module).items():
            for number, layer in enumerate(value if isinstance(value, list) else ()):
                if isinstance(layer, nn.Module):
                    yield f"{path}.{name}.{number}".lstrip("."), layer


def _in_order(model: nn.Module, pairing: Pairing) -> dict[str, Shape]:
    width = pairing.width
    return roles(model, width) if pairing.by_use else _shapes(held(model, width))


def roles(model: nn.Module, width: int | None) -> dict[str, Shape]:
    """Give the shapes of a model's parameters by name, in the order of use."""
    return _shapes(by_use(model, width))


def by_use(model: nn.Module, width: int | None) -> dict[str, Tensor]:
    """Give the parameters in the order in which a forward pass comes to them. One that it does not
    come to, since a bug leaves it idle, follows the one of its shape that was made before it.
    """
    parameters = held(model, width)
    order = list(dict.fromkeys(chain.from_iterable(map(_beside, _uses(model, width).used))))
    used, last = set(order), dict[Shape, str]()
    for name, parameter in parameters.items():
        shape = _long_axes(parameter.shape)
        if name not in used:
            order.insert(order.index(last[shape]) + 1 if shape in last else 0, name)
        last[shape] = name
    return {name: parameters[name] for name in order}


def _uses(model: nn.Module, width: int | None) -> "_Uses":
    """Note how a forward pass comes to the parameters."""
    uses = _Uses({parameter.data_ptr(): name for name, parameter in held(model, width).items()})
    # A program that fails here fails in the open elsewhere.
    with torch.no_grad(), uses, suppress(Exception):
        model(torch.zeros(1, 2, dtype=torch.int64))
    return uses


def is_askew(model: nn.Module, width: int | None, tables: Sequence[int]) -> bool:
    """Tell whether a matrix in use, tables of so many rows aside, is not seen to be multiplied as
    (out, in), by which the model may keep it turned.
    """
    matrices = {n for n, p in held(model, width).items() if len(_long_axes(p.shape)) == MATRIX}
    parameters = dict(model.named_parameters())
    uses = _uses(model, width)
    wholes = {whole_of(name) for name in matrices & set(uses.used)}
    tabled = {name for name in wholes if name in parameters and parameters[name].size(0) in tables}
    return bool(wholes - tabled - uses.straight)


def _beside(name: str) -> list[str]:
    """Name what a parameter's memory begins: a fused one's with its first third."""
    whole = whole_of(name)
    return [f"{whole}/{third}" for third in range(THIRDS)] if name == f"{whole}/0" else [name]


_ATEN = torch.ops.aten
FACTORS = {
    _ATEN.mm.default: slice(0, 2),
    _ATEN.bmm.default: slice(0, 2),
    _ATEN.addmm.default: slice(1, 3),
    _ATEN.baddbmm.default: slice(1, 3),
    _ATEN.convolution.default: slice(1, 2),
}
"""Where operations are given the factors of a product. A left one that is (out, in) in memory runs
along its last axis, a right one along the last but one; so does what convolves, which is one wide.
"""


class _Uses(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the named parameters that torch's innermost operations are given, in order.

    straight: those, by the names of their wholes, that were seen in a product as (out, in).
    """

    def __init__(self, names: dict[int, str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names = names
        self.used: list[str] = []
        self.straight: set[str] = set()

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,  # torch's own signature
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        for value in (*args, *(kwargs or {}).values()):
            self.used += [
                self.names[part.data_ptr()]
                for part in (value if isinstance(value, list | tuple) else (value,))
                if isinstance(part, Tensor) and part.data_ptr() in self.names
            ]
        if func in FACTORS:
            for factor, inner in zip(args[FACTORS[func]], (-1, -2), strict=False):
                if factor.data_ptr() in self.names and factor.stride(inner) == 1:
                    self.straight.add(whole_of(self.names[factor.data_ptr()]))
        return func(*args, **(kwargs or {}))


def _exchanged(weights: Mapping[str, Shape], order: tuple[int, int, int]) -> dict[str, str]:
    """Give, for each weight of a query, key or value, the one that stands in its place."""
    if list(order) == sorted(order):
        return {}  # other programs than ours have blocks of other makes
    return {
        of(block[place]): of(block[other])
        for block in _projections(weights)
        if weights[block[0]] == weights[block[1]]  # where heads share keys, shape tells
        for place, other in enumerate(order)
        for of in (str, _bias)
    }


def _projections(weights: Mapping[str, Shape]) -> list[list[str]]:
    """Name the matrices of each block that make query, key and value."""
    return [block[:-1] for block in _attentions(weights)]


def _attentions(weights: Mapping[str, Shape]) -> list[list[str]]:
    """Name the matrices of attention of each block: two alike between two that are square."""
    matrices = [name for name, shape in weights.items() if len(shape) == MATRIX]
    found, first = [], 0
    while first + PROJECTIONS <= len(matrices):
        block = matrices[first : first + PROJECTIONS]
        query, key, value, output = (tuple(weights[name]) for name in block)
        if query == output == query[::-1] and key == value and key[1] == query[1]:
            found.append(block)
            first += PROJECTIONS
        else:
            first += 1
    return found


def _of_mlps(weights: Mapping[str, Shape]) -> set[str]:
    """Name the matrices of MLPs."""
    return {n for n, s in weights.items() if len(s) == MATRIX and max(s) == DEEPER * min(s)}


def _bias(matrix: str) -> str:
    """Name the bias, or the third of one, that is added to what a matrix makes."""
    layer, _, third = matrix.rpartition(".weight")
    return f"{layer}.bias{third}"


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, Shape]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _long_axes(shape: Shape) -> Shape:
    return tuple(size for size in shape if size > 1)


def _around(parameter: Tensor, generator: torch.Generator) -> Tensor:
    # A vector of ones is a LayerNorm's weight; everything else is drawn around 0.
    centre = 1.0 if parameter.dim() == 1 and bool((parameter == 1).all()) else 0.0
    noise = torch.randn(parameter.shape, generator=generator)
    return centre + SPREAD * noise
