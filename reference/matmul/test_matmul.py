"""Is it a product, and a scan? These tests show how far you are; they are not the verdict."""

import pytest
import torch
from matmul import matmul, matmul_backward
from scan import partial_products, prefix_sums, scan_steps, tiled_matmul

SHAPES = [((4, 4), (4, 4)), ((3, 5), (5, 2)), ((6, 3, 5), (6, 5, 2)), ((6, 3, 5), (1, 5, 2))]


def drawn(*shapes):
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=generator, dtype=torch.double) for shape in shapes]


@pytest.mark.parametrize(("left", "right"), SHAPES)
def test_it_multiplies(left, right):
    a, b = drawn(left, right)
    torch.testing.assert_close(matmul(a, b), a @ b)


@pytest.mark.parametrize(("left", "right"), SHAPES)
def test_gradients_are_those_of_small_differences(left, right):
    a, b = (operand.requires_grad_() for operand in drawn(left, right))
    assert torch.autograd.gradcheck(matmul, (a, b))


@pytest.mark.parametrize(("left", "right"), SHAPES)
def test_the_plain_backward_gives_shapes_of_the_operands(left, right):
    a, b = drawn(left, right)
    grads = matmul_backward(torch.ones_like(a @ b), a, b)
    assert [grad.shape for grad in grads] == [a.shape, b.shape]


def test_an_operand_that_was_changed_is_noticed():
    a, b = (operand.requires_grad_() for operand in drawn((3, 5), (5, 2)))
    product = matmul(a, b)
    with torch.no_grad():
        b.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        product.sum().backward()


@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_the_scan_sums(count):
    (tiles,) = drawn((count, 3))
    torch.testing.assert_close(prefix_sums(tiles), tiles.cumsum(dim=0))
    assert len(scan_steps(tiles)) == (count - 1).bit_length()


def test_a_step_doubles_the_window():
    tiles = torch.ones(6, dtype=torch.long)
    states = [state.tolist() for state in scan_steps(tiles)]
    assert states == [[1, 2, 2, 2, 2, 2], [1, 2, 3, 4, 4, 4], [1, 2, 3, 4, 5, 6]]


@pytest.mark.parametrize("tile", [1, 3, 7, 10])
def test_tiles_make_up_the_product(tile):
    a, b = drawn((3, 7), (7, 2))
    assert len(partial_products(a, b, tile)) == -(-7 // tile)
    torch.testing.assert_close(tiled_matmul(a, b, tile), a @ b)
