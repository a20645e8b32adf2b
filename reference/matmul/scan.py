"""A matrix product in tiles of the axis that is summed over, added up by a parallel scan.

Shapes in the comments: a is (..., M, K), b is (..., K, N), and T is the number of tiles. Run
`python scan.py`: it shows what the scan holds after each step.
"""

import torch
from matmul import matmul


def partial_products(a, b, tile):
    """Multiply tile by tile; the last tile may be shorter. Give all products (T, ..., M, N)."""
    products = []
    for start in range(0, a.size(-1), tile):
        end = start + tile
        products.append(matmul(a[..., start:end], b[..., start:end, :]))
    return torch.stack(products)


def scan_steps(tiles):
    """Scan tiles (T, ...) as Hillis and Steele do; list what there is after each step."""
    states = []
    state, offset = tiles, 1
    while offset < len(tiles):
        state = torch.cat([state[:offset], state[offset:] + state[:-offset]])
        states.append(state)
        offset *= 2
    return states


def prefix_sums(tiles):
    """Sum tiles (T, ...) up to each of them, that one included."""
    states = scan_steps(tiles)
    return states[-1] if states else tiles.clone()


def tiled_matmul(a, b, tile):
    """Multiply a (..., M, K) by b (..., K, N) through the sums over tiles."""
    sums = prefix_sums(partial_products(a, b, tile))
    return sums[-1]


def main():
    tiles = torch.arange(1, 8)
    print(f"tiles         {tiles.tolist()}")
    for number, state in enumerate(scan_steps(tiles), start=1):
        print(f"after step {number}  {state.tolist()}")
    torch.manual_seed(1337)
    a, b = torch.randn(3, 7), torch.randn(7, 2)
    print(f"like torch's own product: {torch.allclose(tiled_matmul(a, b, 3), a @ b, atol=1e-6)}")


if __name__ == "__main__":
    main()
