"""A matrix product that works its own gradients out.

Shapes in the comments: a is (..., M, K), b is (..., K, N), their product (..., M, N); the axes in
front are broadcast. Run `python matmul.py`: it multiplies, and has torch try the gradients.
"""

import torch


def sum_to_shape(grad, shape):
    """Sum a gradient over the axes along which what had that shape was broadcast."""
    extra = grad.dim() - len(shape)
    if extra > 0:
        grad = grad.sum(dim=tuple(range(extra)))
    stretched = tuple(axis for axis, size in enumerate(shape) if size < grad.size(axis))
    if stretched:
        grad = grad.sum(dim=stretched, keepdim=True)
    return grad


def matmul_backward(grad, a, b):
    """Give the gradients of a and of b, by the gradient (..., M, N) of their product."""
    grad_a = grad @ b.mT  # (..., M, K)
    grad_b = a.mT @ grad  # (..., K, N)
    return sum_to_shape(grad_a, a.shape), sum_to_shape(grad_b, b.shape)


class MatMul(torch.autograd.Function):
    """The product as a step of torch's graph."""

    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a @ b

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        grad_a, grad_b = matmul_backward(grad, a, b)
        wants_a, wants_b = ctx.needs_input_grad
        return grad_a if wants_a else None, grad_b if wants_b else None


def matmul(a, b):
    """Multiply a (..., M, K) by b (..., K, N); the axes in front are broadcast."""
    return MatMul.apply(a, b)


def main():
    torch.manual_seed(1337)
    a = torch.randn(4, 3, 5, dtype=torch.double, requires_grad=True)
    b = torch.randn(5, 2, dtype=torch.double, requires_grad=True)
    product = matmul(a, b)
    print(f"{tuple(a.shape)} times {tuple(b.shape)} is {tuple(product.shape)}")
    print(f"like torch's own product: {torch.allclose(product, a @ b)}")
    print(f"gradients: {torch.autograd.gradcheck(matmul, (a, b), raise_exception=False)}")


if __name__ == "__main__":
    main()
