"""Other hands that comment a matrix product and its scan."""

from bugforge.rewrite import Retelling

PRODUCT = """\
A matrix product that works its own gradients out.

Shapes in the comments: a is (..., M, K), b is (..., K, N), their product (..., M, N); the axes in
front are broadcast. Run `python matmul.py`: it multiplies, and has torch try the gradients."""
SCAN = """\
A matrix product in tiles of the axis that is summed over, added up by a parallel scan.

Shapes in the comments: a is (..., M, K), b is (..., K, N), and T is the number of tiles. Run
`python scan.py`: it shows what the scan holds after each step."""
SUMMING = "Sum a gradient over the axes along which what had that shape was broadcast."
BACKWARD = "Give the gradients of a and of b, by the gradient (..., M, N) of their product."
FUNCTION = "The product as a step of torch's graph."
MATMUL = "Multiply a (..., M, K) by b (..., K, N); the axes in front are broadcast."
PARTS = "Multiply tile by tile; the last tile may be shorter. Give all products (T, ..., M, N)."
STEPS = "Scan tiles (T, ...) as Hillis and Steele do; list what there is after each step."
SUMS = "Sum tiles (T, ...) up to each of them, that one included."
TILED = "Multiply a (..., M, K) by b (..., K, N) through the sums over tiles."


class WordsOnProducts(Retelling):
    """Who wrote the comments and docstrings of a matrix product."""

    id = "words-on-products"
    subjects = ("matmul",)
    hands = {  # noqa: RUF012  # a mapping that nobody changes, as the base class says
        "sparse": {
            PRODUCT: "Matrix multiplication as an autograd Function.",
            SCAN: "Tiled matrix multiplication by an inclusive scan.",
            **dict.fromkeys((SUMMING, BACKWARD, FUNCTION, MATMUL, PARTS, STEPS, SUMS, TILED), ""),
        },
        "teacher": {
            PRODUCT: (
                "Multiply matrices, with the backward pass written by hand.\n\n"
                "Usage: python matmul.py. Sizes: M rows, K inner, N columns; any batch axes lead."
            ),
            SCAN: (
                "Cut the inner axis into tiles, multiply each, and sum the products by a scan.\n\n"
                "Usage: python scan.py. T counts tiles; other sizes are as in matmul.py."
            ),
            SUMMING: "Undo broadcasting: sum grad down to shape.",
            BACKWARD: "Return dL/da and dL/db, given dL/d(a @ b) as grad (..., M, N).",
            FUNCTION: "Forward and backward of a @ b.",
            MATMUL: "Return a @ b, differentiable.",
            PARTS: "Return the product of each tile (T, ..., M, N).",
            STEPS: "Return the state (T, ...) after each step of a Hillis-Steele scan.",
            SUMS: "Return the inclusive prefix sums of tiles (T, ...).",
            TILED: "Return a @ b, summed tile by tile.",
        },
        "notebook": {
            PRODUCT: "matmul from scratch: (..., M, K) x (..., K, N) -> (..., M, N).",
            SCAN: "Same product, but K comes in tiles and a parallel prefix sum adds them up.",
            SUMMING: "What was copied by broadcasting gets the sum of what its copies get.",
            BACKWARD: "grad is what comes in from above, (..., M, N).",
            FUNCTION: "",
            MATMUL: "",
            PARTS: "One product for each slice of K; the last slice may be short.",
            STEPS: "After step k every place holds the sum of up to 2**k tiles.",
            SUMS: "Like cumsum over the first axis.",
            TILED: "",
        },
    }
