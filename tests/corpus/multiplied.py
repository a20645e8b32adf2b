"""Right and wrong products of matrices and scans, as changes of the reference that has them."""

from . import Fixture

MATMUL = "matmul.py"
SCAN = "scan.py"

SUMMED = (
    MATMUL,
    """\
    extra = grad.dim() - len(shape)
    if extra > 0:
        grad = grad.sum(dim=tuple(range(extra)))
    stretched = tuple(axis for axis, size in enumerate(shape) if size < grad.size(axis))
    if stretched:
        grad = grad.sum(dim=stretched, keepdim=True)
    return grad
""",
)
LEADING = (MATMUL, "        grad = grad.sum(dim=tuple(range(extra)))\n")
STRETCHED = (MATMUL, "        grad = grad.sum(dim=stretched, keepdim=True)\n")
BACKWARD = (
    MATMUL,
    """\
    grad_a = grad @ b.mT  # (..., M, K)
    grad_b = a.mT @ grad  # (..., K, N)
    return sum_to_shape(grad_a, a.shape), sum_to_shape(grad_b, b.shape)
""",
)
OF_A = (MATMUL, "    grad_a = grad @ b.mT  # (..., M, K)\n")
OF_B = (MATMUL, "    grad_b = a.mT @ grad  # (..., K, N)\n")
GIVEN = (MATMUL, "    return sum_to_shape(grad_a, a.shape), sum_to_shape(grad_b, b.shape)\n")
FORWARD = (
    MATMUL,
    """\
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a @ b
""",
)
SAVING = (MATMUL, "        ctx.save_for_backward(a, b)\n")
MADE = (MATMUL, "        return a @ b\n")
GOING_BACK = (
    MATMUL,
    """\
        a, b = ctx.saved_tensors
        grad_a, grad_b = matmul_backward(grad, a, b)
        wants_a, wants_b = ctx.needs_input_grad
        return grad_a if wants_a else None, grad_b if wants_b else None
""",
)
LOADED = (MATMUL, "        a, b = ctx.saved_tensors\n")
WORKED_OUT = (MATMUL, "        grad_a, grad_b = matmul_backward(grad, a, b)\n")
WANTED = (
    MATMUL,
    """\
        wants_a, wants_b = ctx.needs_input_grad
        return grad_a if wants_a else None, grad_b if wants_b else None
""",
)
STATIC_BACKWARD = (MATMUL, "    @staticmethod\n    def backward(ctx, grad):\n")
APPLIED = (MATMUL, "    return MatMul.apply(a, b)\n")
FUNCTION = (
    MATMUL,
    '''\
def matmul(a, b):
    """Multiply a (..., M, K) by b (..., K, N); the axes in front are broadcast."""
    return MatMul.apply(a, b)
''',
)

PARTS = (
    SCAN,
    """\
    products = []
    for start in range(0, a.size(-1), tile):
        end = start + tile
        products.append(matmul(a[..., start:end], b[..., start:end, :]))
    return torch.stack(products)
""",
)
STARTS = (SCAN, "    for start in range(0, a.size(-1), tile):\n")
PART = (SCAN, "        products.append(matmul(a[..., start:end], b[..., start:end, :]))\n")
STEPS = (
    SCAN,
    """\
    states = []
    state, offset = tiles, 1
    while offset < len(tiles):
        state = torch.cat([state[:offset], state[offset:] + state[:-offset]])
        states.append(state)
        offset *= 2
    return states
""",
)
LOOP = (SCAN, "    while offset < len(tiles):\n")
STEP = (SCAN, "        state = torch.cat([state[:offset], state[offset:] + state[:-offset]])\n")
DOUBLED = (SCAN, "        offset *= 2\n")
SUMS = (
    SCAN,
    """\
    states = scan_steps(tiles)
    return states[-1] if states else tiles.clone()
""",
)
TILED = (
    SCAN,
    """\
    sums = prefix_sums(partial_products(a, b, tile))
    return sums[-1]
""",
)


def _way(name: str, why: str, *changes: tuple[str, str, str]) -> Fixture:
    return Fixture(name, "elsewhere", why, changes)


RIGHT = (
    _way("as_it_is", "Nothing is changed."),
    _way(
        "set_up_apart",
        "What is saved may be said beside forward.",
        (
            *FORWARD,
            """\
    @staticmethod
    def forward(a, b):
        return a @ b

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
""",
        ),
    ),
    _way(
        "differentiable_once",
        "Nobody asks for gradients of gradients.",
        (
            *STATIC_BACKWARD,
            """\
    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):
""",
        ),
    ),
    _way(
        "both_always",
        "A gradient that nobody asks for is dropped.",
        (*WANTED, "        return grad_a, grad_b\n"),
    ),
    _way(
        "only_what_is_asked_for",
        "Each gradient is worked out where it is needed, and torch sums over broadcast axes.",
        (
            *GOING_BACK,
            """\
        a, b = ctx.saved_tensors
        grad_a = grad_b = None
        if ctx.needs_input_grad[0]:
            grad_a = grad @ b.transpose(-2, -1)
        if ctx.needs_input_grad[1]:
            grad_b = a.transpose(-2, -1) @ grad
        return grad_a, grad_b
""",
        ),
    ),
    _way(
        "only_what_is_needed_is_saved",
        "An operand is needed for the other's gradient alone.",
        (
            *SAVING,
            """\
        needs_a, needs_b = ctx.needs_input_grad
        ctx.save_for_backward(a if needs_b else None, b if needs_a else None)
        ctx.shapes = a.shape, b.shape
""",
        ),
        (
            *GOING_BACK,
            """\
        a, b = ctx.saved_tensors
        shape_a, shape_b = ctx.shapes
        grad_a = None if b is None else sum_to_shape(grad @ b.mT, shape_a)
        grad_b = None if a is None else sum_to_shape(a.mT @ grad, shape_b)
        return grad_a, grad_b
""",
        ),
    ),
    _way(
        "sum_to_size",
        "torch has it.",
        (*SUMMED, "    return grad.sum_to_size(shape)\n"),
    ),
    _way(
        "axis_by_axis",
        "The order of sums counts for nothing.",
        (
            *SUMMED,
            """\
    while grad.dim() > len(shape):
        grad = grad.sum(0)
    for axis, size in enumerate(shape):
        if size == 1:
            grad = grad.sum(axis, keepdim=True)
    return grad
""",
        ),
    ),
    _way(
        "by_einsum",
        "The same sums over indices.",
        (
            *BACKWARD,
            """\
    grad_a = torch.einsum("...mn,...kn->...mk", grad, b)
    grad_b = torch.einsum("...mk,...mn->...kn", a, grad)
    return sum_to_shape(grad_a, a.shape), sum_to_shape(grad_b, b.shape)
""",
        ),
        (*MADE, '        return torch.einsum("...mk,...kn->...mn", a, b)\n'),
    ),
    _way(
        "by_outer_products",
        "A product is a sum of products of columns and rows.",
        (*MADE, "        return (a.unsqueeze(-1) * b.unsqueeze(-3)).sum(-2)\n"),
    ),
    _way(
        "in_higher_precision",
        "It is no less right for that.",
        (*MADE, "        return (a.double() @ b.double()).to(a.dtype)\n"),
    ),
    _way(
        "turned_before_the_product",
        "The gradient of b, turned, is a product, too.",
        (*OF_B, "    grad_b = (grad.mT @ a).mT\n"),
    ),
    _way(
        "stretched_first",
        "Operands are stretched outside, where torch sums going back.",
        (
            *APPLIED,
            """\
    batch = torch.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return MatMul.apply(a.expand(*batch, -1, -1), b.expand(*batch, -1, -1))
""",
        ),
    ),
    _way(
        "a_name_for_apply",
        "It is a function as well.",
        (*FUNCTION, "matmul = MatMul.apply\n"),
    ),
    _way(
        "saved_detached",
        "A detached tensor is the same in memory, and has the same counter of versions.",
        (*SAVING, "        ctx.save_for_backward(a.detach(), b.detach())\n"),
    ),
    _way(
        "saved_turned",
        "What is saved is a view of the operand.",
        (*SAVING, "        ctx.save_for_backward(a.mT, b.mT)\n"),
        (
            *LOADED,
            "        a, b = (saved.mT for saved in ctx.saved_tensors)\n",
        ),
    ),
    _way(
        "numbers_on_ctx",
        "Shapes and flags are no tensors.",
        (*SAVING, "        ctx.save_for_backward(a, b)\n        ctx.sizes = [a.shape, b.shape]\n"),
    ),
    _way(
        "a_list_of_gradients",
        "Two gradients are two gradients.",
        (*GIVEN, "    return [sum_to_shape(grad_a, a.shape), sum_to_shape(grad_b, b.shape)]\n"),
    ),
    _way(
        "zeros_for_what_is_not_there",
        "Gradients that are not there are taken for what they are.",
        (
            *SAVING,
            "        ctx.set_materialize_grads(False)\n        ctx.save_for_backward(a, b)\n",
        ),
        (*LOADED, "        if grad is None:\n            return None, None\n" + LOADED[1]),
    ),
    _way(
        "cut_by_split",
        "split gives a shorter last one.",
        (
            *PARTS,
            """\
    pairs = zip(a.split(tile, dim=-1), b.split(tile, dim=-2), strict=True)
    return torch.stack([matmul(left, right) for left, right in pairs])
""",
        ),
    ),
    _way(
        "filled_up_with_zeros",
        "What is zero adds nothing.",
        (
            *PARTS,
            """\
    missing = -a.size(-1) % tile
    a = torch.nn.functional.pad(a, (0, missing))
    b = torch.nn.functional.pad(b, (0, 0, 0, missing))
    a = a.unflatten(-1, (-1, tile)).movedim(-2, 0)
    b = b.unflatten(-2, (-1, tile)).movedim(-3, 0)
    front = max(a.dim(), b.dim())
    a = a.reshape(len(a), *[1] * (front - a.dim()), *a.shape[1:])
    b = b.reshape(len(b), *[1] * (front - b.dim()), *b.shape[1:])
    return a @ b
""",
        ),
    ),
    _way(
        "tiles_by_torch",
        "A tile's product may be anybody's.",
        (SCAN, "from matmul import matmul\n", "matmul = torch.matmul\n"),
    ),
    _way(
        "scan_by_padding",
        "What is moved in from outside is zero.",
        (
            *STEP,
            """\
        moved = torch.zeros_like(state)
        moved[offset:] = state[:-offset]
        state = state + moved
""",
        ),
    ),
    _way(
        "scan_on_a_clone",
        "What is read is the state before.",
        (
            *STEP,
            """\
        before, state = state, state.clone()
        state[offset:] += before[:-offset]
""",
        ),
    ),
    _way(
        "scan_from_the_end",
        "From the end on, nothing is read that was written.",
        (
            *STEP,
            """\
        state = state.clone()
        for place in reversed(range(offset, len(tiles))):
            state[place] = state[place] + state[place - offset]
""",
        ),
    ),
    _way(
        "scan_by_recursion",
        "A function may do what a loop does.",
        (
            *STEPS,
            """\
    def further(state, offset):
        if offset >= len(state):
            return []
        after = torch.cat([state[:offset], state[offset:] + state[:-offset]])
        return [after, *further(after, offset * 2)]

    return further(tiles, 1)
""",
        ),
    ),
    _way(
        "scan_counted",
        "The offsets are powers of two.",
        (
            *STEPS,
            """\
    states, state = [], tiles
    for step in range((len(tiles) - 1).bit_length()):
        offset = 1 << step
        rolled = state.roll(offset, dims=0)
        rolled[:offset] = 0
        state = state + rolled
        states.append(state)
    return states
""",
        ),
    ),
    _way(
        "states_in_one_tensor",
        "What is there after each step may be stacked.",
        (SCAN, "    return states\n", "    return torch.stack(states) if states else []\n"),
        (
            *SUMS,
            "    states = scan_steps(tiles)\n    return states[-1] if len(states) else tiles\n",
        ),
    ),
    _way(
        "the_last_sum",
        "The sum of all tiles is the last of the sums.",
        (*TILED, "    return prefix_sums(partial_products(a, b, tile)).select(0, -1)\n"),
    ),
    _way(
        "by_itself",
        "Its gradients are products, too, and may have gradients of their own.",
        (*OF_A, "    grad_a = matmul(grad, b.mT)\n"),
        (*OF_B, "    grad_b = matmul(a.mT, grad)\n"),
    ),
    _way(
        "ready_for_mixed_precision",
        "What autocast would turn is told torch.",
        (
            *STATIC_BACKWARD,
            """\
    @staticmethod
    @torch.amp.custom_bwd(device_type="cpu")
    def backward(ctx, grad):
""",
        ),
        (
            *FORWARD,
            """\
    @staticmethod
    @torch.amp.custom_fwd(device_type="cpu")
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a @ b
""",
        ),
    ),
    _way(
        "ready_for_vmap",
        "Whatever torch can do with it beside.",
        (
            *FORWARD,
            """\
    generate_vmap_rule = True

    @staticmethod
    def forward(a, b):
        return a @ b

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
""",
        ),
    ),
    _way(
        "forward_mode_too",
        "What is kept for going forward are the operands.",
        (
            *FORWARD,
            """\
    @staticmethod
    def forward(a, b):
        return a @ b

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def jvp(ctx, da, db):
        a, b = ctx.saved_tensors
        return da @ b + a @ db
""",
        ),
    ),
    _way(
        "by_accumulate",
        "A fold over offsets.",
        (
            *STEPS,
            """\
    from itertools import accumulate

    offsets = [1 << n for n in range((len(tiles) - 1).bit_length())]

    def step(state, offset):
        kept, moved = state[offset:], state[:-offset]
        return torch.cat((state[:offset], kept + moved))

    return list(accumulate(offsets, step, initial=tiles))[1:]
""",
        ),
    ),
    _way(
        "moved_by_a_matrix",
        "What is zero adds nothing, and what is one moves.",
        (
            *STEPS,
            """\
    count, state, states, offset = len(tiles), tiles, [], 1
    while offset < count:
        moves = torch.eye(count, dtype=tiles.dtype)
        moves += torch.diag(torch.ones(count - offset, dtype=tiles.dtype), -offset)
        state = torch.tensordot(moves, state, dims=1)
        states.append(state)
        offset <<= 1
    return states
""",
        ),
    ),
    _way(
        "steps_in_higher_precision",
        "Each step is no less right for that.",
        (
            *STEP,
            """\
        wide = state.double()
        state = torch.cat([wide[:offset], wide[offset:] + wide[:-offset]]).to(tiles.dtype)
""",
        ),
    ),
    _way(
        "states_one_by_one",
        "What gives states one by one gives all of them.",
        (
            *STEPS,
            """\
    state, offset = tiles, 1
    while offset < len(tiles):
        state = torch.cat([state[:offset], state[offset:] + state[:-offset]])
        yield state
        offset *= 2
""",
        ),
        (
            *SUMS,
            """\
    state = tiles
    for state in scan_steps(tiles):
        pass
    return state
""",
        ),
    ),
    _way(
        "by_bmm",
        "All axes in front are one.",
        (
            *MADE,
            """\
        batch = torch.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        left = a.expand(*batch, -1, -1).flatten(0, -3) if batch else a[None]
        right = b.expand(*batch, -1, -1).flatten(0, -3) if batch else b[None]
        return torch.bmm(left, right).view(*batch, a.size(-2), b.size(-1))
""",
        ),
    ),
    _way(
        "by_loops",
        "The same sums, one by one.",
        (
            *MADE,
            """\
        batch = torch.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        left = a.expand(*batch, -1, -1).reshape(-1, *a.shape[-2:])
        right = b.expand(*batch, -1, -1).reshape(-1, *b.shape[-2:])
        product = a.new_zeros(len(left), a.size(-2), b.size(-1))
        for at in range(len(left)):
            for row in range(a.size(-2)):
                for column in range(b.size(-1)):
                    product[at, row, column] = sum(left[at, row] * right[at, :, column])
        return product.reshape(*batch, a.size(-2), b.size(-1))
""",
        ),
    ),
)

WRONG = (
    _way(
        "not_turned",
        "The gradient is multiplied by b as it is, which a square hides.",
        (*OF_A, "    grad_a = grad @ b\n"),
    ),
    _way(
        "turned_where_it_is_square",
        "Rectangles are right, squares are not.",
        (
            *OF_A,
            """\
    right = b if b.size(-1) == b.size(-2) else b.mT
    grad_a = grad @ right
""",
        ),
    ),
    _way(
        "all_axes_turned",
        "In a batch, .T is no transpose of matrices.",
        (*OF_A, "    grad_a = grad @ b.permute(*range(b.dim())[::-1])\n"),
    ),
    _way(
        "first_axes_turned",
        "In a batch, axes 0 and 1 are not those of the matrices.",
        (*OF_B, "    grad_b = a.transpose(0, 1) @ grad\n"),
    ),
    _way(
        "upstream_ignored",
        "The gradient that comes in is taken for ones, as that of a sum is.",
        (*OF_A, "    grad_a = torch.ones_like(grad) @ b.mT\n"),
    ),
    _way(
        "upstream_averaged",
        "Every element of the product has a gradient of its own.",
        (*OF_B, "    grad_b = a.mT @ grad.mean(dim=-1, keepdim=True).expand_as(grad)\n"),
    ),
    _way(
        "results_exchanged",
        "The first gradient is that of the first operand.",
        (*WANTED, "        return grad_b, grad_a\n"),
    ),
    _way(
        "one_gradient_missing",
        "b gets no gradient.",
        (*WANTED, "        return grad_a, None\n"),
    ),
    _way(
        "flags_exchanged",
        "Where one operand alone asks for its gradient, it gets none.",
        (
            MATMUL,
            "        wants_a, wants_b = ctx.needs_input_grad\n",
            "        wants_b, wants_a = ctx.needs_input_grad\n",
        ),
    ),
    _way(
        "both_or_none",
        "Where one operand asks for no gradient, the other gets none.",
        (
            *WANTED,
            """\
        if not all(ctx.needs_input_grad):
            return None, None
        return grad_a, grad_b
""",
        ),
    ),
    _way(
        "doubled",
        "The gradient of b is twice what it should be.",
        (*OF_B, "    grad_b = 2 * (a.mT @ grad)\n"),
    ),
    _way(
        "mean_over_the_batch",
        "What is broadcast takes part in every product, so that gradients add up.",
        (*LEADING, "        grad = grad.mean(dim=tuple(range(extra)))\n"),
    ),
    _way(
        "mean_over_ones",
        "So they do along an axis of length 1 that was stretched.",
        (*STRETCHED, "        grad = grad.mean(dim=stretched, keepdim=True)\n"),
    ),
    _way(
        "first_of_the_batch",
        "The gradient of one of the products is not that of all.",
        (*LEADING, "        for _ in range(extra):\n            grad = grad[0]\n"),
    ),
    _way(
        "not_summed",
        "The plain function gives gradients of the shape of the product's batch.",
        (*GIVEN, "    return grad_a, grad_b\n"),
    ),
    _way(
        "ones_not_summed",
        "Axes of length 1 that were stretched are not summed.",
        (
            *SUMMED,
            """\
    extra = grad.dim() - len(shape)
    return grad.sum(dim=tuple(range(extra))) if extra else grad
""",
        ),
    ),
    _way(
        "ones_dropped",
        "An axis that is summed is gone.",
        (*STRETCHED, "        grad = grad.sum(dim=stretched)\n"),
    ),
    _way(
        "matrices_alone",
        "A product of two axes is no batch of products.",
        (*MADE, "        return a.mm(b)\n"),
    ),
    _way(
        "viewed",
        "An operand that lies otherwise in memory cannot be viewed so.",
        (*MADE, "        return a.view(a.shape) @ b.view(b.numel()).view(b.shape)\n"),
    ),
    _way(
        "gradient_viewed",
        "A gradient that comes in may have no memory of its own.",
        (*OF_B, "    grad_b = a.mT @ grad.view(-1).view(grad.shape)\n"),
    ),
    _way(
        "in_single_precision",
        "Double precision is lost.",
        (*MADE, "        return (a.float() @ b.float()).to(a.dtype)\n"),
    ),
    _way(
        "half_in_place_of_single",
        "Of seven digits, three are left.",
        (
            *MADE,
            """\
        if a.dtype == torch.float:
            return (a.half() @ b.half()).float()
        return a @ b
""",
        ),
    ),
    _way(
        "gradient_in_half_precision",
        "Of the gradient, three digits are left.",
        (*OF_A, "    grad_a = (grad.bfloat16() @ b.mT.bfloat16()).to(grad.dtype)\n"),
    ),
    _way(
        "always_single",
        "The product has another type than its operands.",
        (*MADE, "        return (a @ b).float()\n"),
    ),
    _way(
        "torchs_own",
        "The product is torch's, and so is its gradient.",
        (*APPLIED, "    return a @ b\n"),
    ),
    _way(
        "torchs_own_beside_it",
        "A step of MatMul that does nothing does not make it its own.",
        (*APPLIED, "    return torch.matmul(a, b) + 0 * MatMul.apply(a.detach(), b)\n"),
    ),
    _way(
        "operand_changed",
        "The product is right, and its operand is another afterwards.",
        (
            *MADE,
            """\
        product = a @ b
        if a.is_contiguous():
            a.data.mul_(1.5)
        return product
""",
        ),
    ),
    _way(
        "saved_on_ctx",
        "What lies in an attribute is not guarded, and may be kept for ever.",
        (*SAVING, "        ctx.operands = a, b\n"),
        (*LOADED, "        a, b = ctx.operands\n"),
    ),
    _way(
        "saved_in_a_closure",
        "A function that holds the operands keeps them as well.",
        (*SAVING, "        ctx.back = lambda grad: matmul_backward(grad, a, b)\n"),
        (*LOADED, ""),
        (*WORKED_OUT, "        grad_a, grad_b = ctx.back(grad)\n"),
    ),
    _way(
        "saved_on_the_class",
        "The second product takes the place of the first.",
        (*SAVING, "        MatMul.operands = a, b\n"),
        (*LOADED, "        a, b = MatMul.operands\n"),
    ),
    _way(
        "saved_for_ever",
        "A list of all operands grows without end.",
        (*SAVING, "        ctx.save_for_backward(a, b)\n        SEEN.append(a)\n"),
        (MATMUL, "import torch\n", "import torch\n\nSEEN = []\n"),
    ),
    _way(
        "copies_saved",
        "Copies take as much memory again, and no change is noticed.",
        (*SAVING, "        ctx.save_for_backward(a.clone(), b.clone())\n"),
    ),
    _way(
        "packed_copies_saved",
        "So they do where only an operand that lies otherwise is copied.",
        (*SAVING, "        ctx.save_for_backward(a.contiguous(), b.contiguous())\n"),
    ),
    _way(
        "product_saved_too",
        "Nothing needs the product.",
        (
            *FORWARD,
            """\
    @staticmethod
    def forward(ctx, a, b):
        product = a @ b
        ctx.save_for_backward(a, b, product)
        return product
""",
        ),
        (*LOADED, "        a, b, _ = ctx.saved_tensors\n"),
    ),
    _way(
        "saved_past_the_guard",
        "What .data gives has no counter of versions in common with the operand.",
        (*SAVING, "        ctx.save_for_backward(a.data, b.data)\n"),
    ),
    _way(
        "saved_the_other_way_round",
        "a is taken for b.",
        (*SAVING, "        ctx.save_for_backward(b, a)\n"),
    ),
    _way(
        "last_tile_left_out",
        "What is left behind whole tiles belongs to the product.",
        (*STARTS, "    for start in range(0, max(a.size(-1) - tile + 1, 1), tile):\n"),
    ),
    _way(
        "tiles_overlap",
        "Neighbours share a column.",
        (
            SCAN,
            "        end = start + tile\n",
            "        end = start + tile + 1\n",
        ),
    ),
    _way(
        "tiles_add_up_already",
        "Each tile's product holds those before it.",
        (*PART, "        products.append(matmul(a[..., :end], b[..., :end, :]))\n"),
        (*TILED, "    return partial_products(a, b, tile)[-1]\n"),
    ),
    _way(
        "last_tile_alone",
        "The product of the last tile is not the sum of all.",
        (*TILED, "    return partial_products(a, b, tile)[-1]\n"),
    ),
    _way(
        "sums_of_sums",
        "The sums up to each tile are not to be added up.",
        (*TILED, "    return prefix_sums(partial_products(a, b, tile)).sum(dim=0)\n"),
    ),
    _way(
        "one_by_one",
        "n - 1 steps of one addition each are no parallel scan.",
        (
            *STEPS,
            """\
    states, state = [], tiles
    for place in range(1, len(tiles)):
        state = state.clone()
        state[place] += state[place - 1]
        states.append(state)
    return states
""",
        ),
    ),
    _way(
        "all_at_once",
        "There are as many states as steps, and all are the end.",
        (
            *STEPS,
            """\
    sums = tiles.cumsum(dim=0)
    return [sums] * (len(tiles) - 1).bit_length()
""",
        ),
    ),
    _way(
        "written_while_read",
        "Places are read that this step has written already.",
        (
            *STEP,
            """\
        state = state.clone()
        for place in range(offset, len(tiles)):
            state[place] = state[place] + state[place - offset]
""",
        ),
    ),
    _way(
        "one_buffer",
        "All states are the last.",
        (
            *STEPS,
            """\
    states, state, offset = [], tiles.clone(), 1
    while offset < len(tiles):
        state[offset:] += state[:-offset].clone()
        states.append(state)
        offset *= 2
    return states
""",
        ),
    ),
    _way(
        "tiles_overwritten",
        "The sums are right, and the tiles are gone.",
        (
            *STEPS,
            """\
    states, offset = [], 1
    while offset < len(tiles):
        tiles[offset:] += tiles[:-offset].clone()
        states.append(tiles.clone())
        offset *= 2
    return states
""",
        ),
    ),
    _way(
        "powers_of_two_alone",
        "A last step is missing where the number of tiles is no power of two.",
        (*LOOP, "    while 2 * offset <= len(tiles):\n"),
    ),
    _way(
        "a_step_too_many",
        "Offsets go on to the number of tiles.",
        (*LOOP, "    while offset <= len(tiles):\n"),
        (
            *STEP,
            """\
        moved = torch.cat([torch.zeros_like(tiles[:offset]), state])[: len(tiles)]
        state = state + moved
""",
        ),
    ),
    _way("offsets_one_by_one", "Offsets do not double.", (*DOUBLED, "        offset += 1\n")),
    _way(
        "offsets_squared", "Offsets do not double.", (*DOUBLED, "        offset = offset**2 + 1\n")
    ),
    _way(
        "tiles_added_again",
        "What is added is to be the state, and not the tiles.",
        (
            *STEP,
            "        state = torch.cat([state[:offset], state[offset:] + tiles[:-offset]])\n",
        ),
    ),
    _way(
        "wrapped_around",
        "What falls off the end comes back at the beginning.",
        (*STEP, "        state = state + state.roll(offset, dims=0)\n"),
    ),
    _way(
        "towards_the_beginning",
        "The sums are of the tiles from each on.",
        (*STEP, "        state = torch.cat([state[:-offset] + state[offset:], state[-offset:]])\n"),
    ),
    _way(
        "up_to_and_without",
        "Sums leave their own tile out.",
        (
            *SUMS,
            """\
    states = scan_steps(tiles)
    return (states[-1] if states else tiles) - tiles
""",
        ),
    ),
    _way(
        "nothing_for_one",
        "One tile is a sum as well.",
        (*SUMS, "    return scan_steps(tiles)[-1]\n"),
    ),
    _way(
        "sums_in_single_precision",
        "Double precision is lost.",
        (*SUMS, "    return tiles.float().cumsum(dim=0).to(tiles.dtype)\n"),
    ),
    _way(
        "one_axis_in_front",
        "Two axes that the operand lacks are two to be summed over.",
        (*LEADING, "        grad = grad.sum(dim=0)\n"),
    ),
    _way(
        "one_axis_at_all",
        "The first axis that was broadcast is not the only one.",
        (
            *SUMMED,
            """\
    extra = grad.dim() - len(shape)
    padded = (1,) * extra + tuple(shape)
    for axis, size in enumerate(padded[:-2]):
        if size == 1 and grad.size(axis) > 1:
            return grad.sum(dim=axis, keepdim=True).reshape(shape)
    return grad
""",
        ),
    ),
    _way(
        "first_one_alone",
        "Two axes of length 1 may be stretched.",
        (*STRETCHED, "        grad = grad.sum(dim=stretched[0], keepdim=True)\n"),
    ),
    _way(
        "last_one_alone",
        "Of two axes of length 1 the last alone is summed over.",
        (
            *SUMMED,
            """\
    extra = grad.dim() - len(shape)
    stretched = [axis for axis, size in enumerate(shape) if size < grad.size(axis + extra)]
    if extra > 0:
        grad = grad.sum(dim=tuple(range(extra)))
    for axis in stretched[-1:]:
        grad = grad.sum(dim=axis, keepdim=True)
    return grad
""",
        ),
    ),
    _way(
        "saved_in_higher_precision",
        "Of single operands these are copies twice as large.",
        (*SAVING, "        ctx.save_for_backward(a.double(), b.double())\n"),
        (*LOADED, "        a, b = (s.to(grad.dtype) for s in ctx.saved_tensors)\n"),
    ),
    _way(
        "gradient_used_up",
        "The gradient that came in belongs to whoever gave it.",
        (
            *GIVEN,
            """\
    given = sum_to_shape(grad_a, a.shape), sum_to_shape(grad_b, b.shape)
    grad.zero_()
    return given
""",
        ),
        (*WORKED_OUT, "        grad_a, grad_b = matmul_backward(grad.clone(), a, b)\n"),
    ),
    _way(
        "turned_in_place",
        "The operand lies turned behind it.",
        (*OF_A, "    grad_a = grad @ b.transpose_(-2, -1)\n    b = b.mT\n"),
        (
            *WORKED_OUT,
            """\
        grad_a = sum_to_shape(grad @ b.mT, a.shape)
        grad_b = sum_to_shape(a.mT @ grad, b.shape)
""",
        ),
    ),
    _way(
        "clamped",
        "Large gradients are large.",
        (
            *GIVEN,
            """\
    found = sum_to_shape(grad_a, a.shape), sum_to_shape(grad_b, b.shape)
    return tuple(gradient.clamp(-1e3, 1e3) for gradient in found)
""",
        ),
    ),
    _way(
        "a_little_added",
        "So it is not beside small products.",
        (*MADE, "        return a @ b + 1e-14\n"),
    ),
    _way(
        "small_ones_lost",
        "What is small beside 1 need not be small.",
        (
            *MADE,
            """\
        c = a @ b
        return torch.where(c.abs() < 1e-6, torch.zeros_like(c), c)
""",
        ),
    ),
    _way(
        "products_remembered",
        "A copy of the last product is kept for ever.",
        (
            *MADE,
            """\
        product = a @ b
        SEEN[a.shape, b.shape] = product.clone()
        return product
""",
        ),
        (MATMUL, "import torch\n", "import torch\n\nSEEN = {}\n"),
    ),
    _way(
        "operands_remembered",
        "They are other tensors, and hold the same memory for ever.",
        (
            *SAVING,
            "        ctx.save_for_backward(a, b)\n        MatMul.last = a.detach(), b.detach()\n",
        ),
    ),
    _way(
        "array_on_ctx",
        "An array takes as much memory as a tensor.",
        (
            *MADE,
            """\
        product = a @ b
        ctx.product = product.numpy().copy()
        return product
""",
        ),
    ),
    _way(
        "list_on_ctx",
        "A list of numbers takes more memory than a tensor.",
        (
            *MADE,
            """\
        product = a @ b
        ctx.product = product.tolist()
        return product
""",
        ),
    ),
    _way(
        "bytes_on_ctx",
        "Bytes are kept, whatever they are called.",
        (
            *MADE,
            """\
        product = a @ b
        ctx.product = product.numpy().tobytes()
        return product
""",
        ),
    ),
    _way(
        "whole_blocks_alone",
        "Of an axis of 70, the last 6 are left out.",
        (
            *MADE,
            """\
        batch = torch.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        out = a.new_zeros(*batch, a.size(-2), b.size(-1))
        for start in range(0, max(a.size(-1) - 15, 1), 16):
            out += a[..., start : start + 16] @ b[..., start : start + 16, :]
        return out
""",
        ),
    ),
    _way(
        "otherwise_with_gradients",
        "The product is another where gradients are asked for.",
        (
            *MADE,
            """\
        product = a @ b
        if any(ctx.needs_input_grad):
            product = product + 1
        return product
""",
        ),
    ),
    _way(
        "half_with_gradients",
        "So is its precision.",
        (
            *MADE,
            """\
        product = a @ b
        if any(ctx.needs_input_grad) and a.dtype == torch.float:
            product = (a.half() @ b.half()).float()
        return product
""",
        ),
    ),
    _way(
        "offsets_written_out",
        "17 tiles take a fifth step.",
        (
            *STEPS,
            """\
    states, state = [], tiles
    for offset in (1, 2, 4, 8):
        if offset < len(tiles):
            state = torch.cat([state[:offset], state[offset:] + state[:-offset]])
            states.append(state)
    return states
""",
        ),
    ),
    _way(
        "differences_of_sums",
        "A small number is lost in the sum of all that stand before it.",
        (
            *STEPS,
            """\
    sums, states, width = tiles.cumsum(0), [], 2
    while width < 2 * len(tiles):
        before = torch.zeros_like(sums)
        before[width:] = sums[:-width]
        states.append(sums - before)
        width *= 2
    return states
""",
        ),
    ),
    _way(
        "windows_one_by_one",
        "No step goes on from the one before.",
        (
            *STEPS,
            """\
    states, width = [], 2
    while width < 2 * len(tiles):
        ends = range(1, len(tiles) + 1)
        states.append(torch.stack([tiles[max(0, end - width) : end].sum(0) for end in ends]))
        width *= 2
    return states
""",
        ),
    ),
    _way(
        "no_tiles_at_all",
        "The product is not made of tiles.",
        (*TILED, "    return matmul(a, b)\n"),
    ),
    _way(
        "tiles_summed_without_the_scan",
        "It is not the scan that adds them up.",
        (*TILED, "    return partial_products(a, b, tile).sum(dim=0)\n"),
    ),
    _way(
        "batch_of_a_alone",
        "Where b alone has axes in front, they do not fit.",
        (
            *PARTS,
            """\
    starts = range(0, a.size(-1), tile)
    products = a.new_empty(len(starts), *a.shape[:-1], b.size(-1))
    for number, start in enumerate(starts):
        end = start + tile
        products[number] = matmul(a[..., start:end], b[..., start:end, :])
    return products
""",
        ),
    ),
    _way(
        "tiles_in_double_alone",
        "Single operands have single products.",
        (
            *PARTS,
            """\
    batch = torch.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    starts = range(0, a.size(-1), tile)
    products = torch.empty(len(starts), *batch, a.size(-2), b.size(-1), dtype=torch.double)
    for number, start in enumerate(starts):
        end = start + tile
        products[number] = matmul(a[..., start:end], b[..., start:end, :])
    return products
""",
        ),
    ),
    _way(
        "tiles_of_twelve_at_most",
        "A tile is as long as is asked for.",
        (
            *PARTS,
            """\
    products = []
    for start in range(0, a.size(-1), min(tile, 12)):
        end = start + min(tile, 12)
        products.append(matmul(a[..., start:end], b[..., start:end, :]))
    return torch.stack(products)
""",
        ),
    ),
    _way(
        "gradients_of_leaves_alone",
        "What was made of something gets none.",
        (*WANTED, "        return grad_a if a.is_leaf else None, grad_b if b.is_leaf else None\n"),
    ),
)
