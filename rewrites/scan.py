"""Ways to write a scan over tiles, and a product that is made of them."""

from bugforge.rewrite import Renaming, Reordering, Restructuring, way

STEP = "state = torch.cat([state[:offset], state[offset:] + state[:-offset]])\n"
LOOP = """\
states = []
state, offset = tiles, 1
while offset < len(tiles):
    state = torch.cat([state[:offset], state[offset:] + state[:-offset]])
    states.append(state)
    offset *= 2
return states
"""
STARTED = "states = []\nstate, offset = tiles, 1\n"
PARTS = """\
products = []
for start in range(0, a.size(-1), tile):
    end = start + tile
    products.append(matmul(a[..., start:end], b[..., start:end, :]))
return torch.stack(products)
"""
SUMS = "states = scan_steps(tiles)\nreturn states[-1] if states else tiles.clone()\n"
TILED = "sums = prefix_sums(partial_products(a, b, tile))\nreturn sums[-1]\n"


class ScanLoop(Restructuring):
    """How the steps of a scan are counted."""

    id = "scan-loop"
    subjects = ("matmul",)
    ways = (
        way(
            "powers",
            (
                LOOP,
                (
                    "states, state = [], tiles\n"
                    "for step in range((len(tiles) - 1).bit_length()):\n"
                    "    offset = 2**step\n"
                    "    state = torch.cat([state[:offset], state[offset:] + state[:-offset]])\n"
                    "    states.append(state)\n"
                    "return states\n"
                ),
            ),
            decoy="(n - 1).bit_length() is the logarithm of n to base 2, rounded up.",
        ),
        way(
            "size",
            ("offset < len(tiles)", "offset < tiles.size(0)"),
        ),
        way(
            "last-state",
            (
                LOOP,
                (
                    "states, offset = [tiles], 1\n"
                    "while offset < len(tiles):\n"
                    "    x = states[-1]\n"
                    "    states.append(torch.cat([x[:offset], x[offset:] + x[:-offset]]))\n"
                    "    offset *= 2\n"
                    "return states[1:]\n"
                ),
            ),
        ),
    )


class ScanStep(Restructuring):
    """How a step of a scan is made."""

    id = "scan-step"
    subjects = ("matmul",)
    ways = (
        way(
            "cloned",
            (
                STEP,
                "before, state = state, state.clone()\nstate[offset:] += before[:-offset]\n",
            ),
            decoy="What is changed in place is a copy; what is read is the state before.",
        ),
        way(
            "moved",
            (
                STEP,
                (
                    "moved = torch.zeros_like(state)\n"
                    "moved[offset:] = state[:-offset]\n"
                    "state = state + moved\n"
                ),
            ),
        ),
    )


class ScanParts(Restructuring):
    """How tiles are cut and multiplied."""

    id = "scan-parts"
    subjects = ("matmul",)
    ways = (
        way(
            "split",
            (
                PARTS,
                (
                    "pairs = zip(a.split(tile, dim=-1), b.split(tile, dim=-2), strict=True)\n"
                    "return torch.stack([matmul(columns, rows) for columns, rows in pairs])\n"
                ),
            ),
        ),
        way(
            "slices",
            (
                PARTS,
                (
                    "starts = range(0, a.size(-1), tile)\n"
                    "some = [slice(start, start + tile) for start in starts]\n"
                    "return torch.stack([matmul(a[..., part], b[..., part, :]) for part in some])\n"
                ),
            ),
        ),
    )


class ScanLast(Restructuring):
    """How the sums are found among the states of a scan."""

    id = "scan-last"
    subjects = ("matmul",)
    ways = (
        way(
            "none-first",
            (
                SUMS,
                (
                    "states = scan_steps(tiles)\n"
                    "if not states:\n"
                    "    return tiles.clone()\n"
                    "return states[-1]\n"
                ),
            ),
        ),
        way(
            "behind-the-tiles",
            (SUMS, "return [tiles.clone(), *scan_steps(tiles)][-1]\n"),
        ),
    )


class TiledProduct(Restructuring):
    """How the sums over tiles give the product."""

    id = "tiled-product"
    subjects = ("matmul",)
    ways = (
        way(
            "at-once",
            (TILED, "return prefix_sums(partial_products(a, b, tile))[-1]\n"),
        ),
        way(
            "two-steps",
            (
                TILED,
                (
                    "products = partial_products(a, b, tile)\n"
                    "*_, product = prefix_sums(products)\n"
                    "return product\n"
                ),
            ),
        ),
    )


class ScanOrder(Reordering):
    """Which part of the scan comes first."""

    id = "order-scan"
    subjects = ("matmul",)
    of = ""
    orders = (
        ("partial_products", "scan_steps", "prefix_sums", "tiled_matmul"),
        ("scan_steps", "prefix_sums", "partial_products", "tiled_matmul"),
        ("tiled_matmul", "partial_products", "prefix_sums", "scan_steps"),
        ("prefix_sums", "scan_steps", "tiled_matmul", "partial_products"),
    )


class StateNames(Renaming):
    """What the states of a scan are called."""

    id = "names-states"
    subjects = ("matmul",)
    of = "local"
    names = (
        ("states",),
        ("history",),
        ("steps",),
        ("rounds",),
        ("seen",),
    )


class StateName(Renaming):
    """What a scan works on is called."""

    id = "names-state"
    subjects = ("matmul",)
    of = "local"
    names = (
        ("state",),
        ("current",),
        ("running",),
        ("z",),
        ("partial",),
    )


class OffsetName(Renaming):
    """What the distance is called over which a step adds."""

    id = "names-offset"
    subjects = ("matmul",)
    of = "local"
    names = (
        ("offset",),
        ("distance",),
        ("stride",),
        ("reach",),
    )


class TileNames(Renaming):
    """What the ends of a tile are called."""

    id = "names-tile"
    subjects = ("matmul",)
    of = "local"
    names = (
        ("start", "end"),
        ("low", "high"),
        ("first", "behind"),
        ("begin", "stop"),
    )
