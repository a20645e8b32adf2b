"""A matrix product in tiles of the axis that is summed over, added up by a parallel scan: yours to
write.

Shapes: a is (..., M, K), b is (..., K, N), and T is the number of tiles.
"""


def partial_products(a, b, tile):
    """Multiply tile by tile; the last tile may be shorter. Give all products (T, ..., M, N)."""
    raise NotImplementedError("partial_products is not written yet")


def scan_steps(tiles):
    """Scan tiles (T, ...) as Hillis and Steele do; list what there is after each step."""
    raise NotImplementedError("scan_steps is not written yet")


def prefix_sums(tiles):
    """Sum tiles (T, ...) up to each of them, that one included."""
    raise NotImplementedError("prefix_sums is not written yet")


def tiled_matmul(a, b, tile):
    """Multiply a (..., M, K) by b (..., K, N) through the sums over tiles."""
    raise NotImplementedError("tiled_matmul is not written yet")
