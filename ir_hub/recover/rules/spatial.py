"""What moves channels and pixels about, and pooling over all pixels."""

from __future__ import annotations

from ir_hub.recover.pattern import Equation, Sym, op, rule, rule_of, sizes


@rule
def channel_shuffle(x: Sym = "N G*K H W") -> Equation:
    n, g, k, h, w = sizes("N G K H W")
    split = op.transpose(op.reshape(x, (n, g, k, h, w)), perm=(0, 2, 1, 3, 4))
    return op.reshape(split, (n, g * k, h, w)), op.channel_shuffle(x, groups=g)


@rule
def channel_shuffle_of_pixels(x: Sym = "N G*K H W") -> Equation:
    n, g, k, h, w = sizes("N G K H W")
    split = op.transpose(op.reshape(x, (n, g, k, h * w)), perm=(0, 2, 1, 3))
    return op.reshape(split, (n, g * k, h, w)), op.channel_shuffle(x, groups=g)


@rule
def channel_shuffle_last(x: Sym = "N H W G*K") -> Equation:
    n, g, k, h, w = sizes("N G K H W")
    split = op.transpose(op.reshape(x, (n, h, w, g, k)), perm=(0, 1, 2, 4, 3))
    return op.reshape(split, (n, h, w, g * k)), op.channel_shuffle(x, groups=g, axis=3)


@rule
def pixel_shuffle(x: Sym = "N C*B*B H W") -> Equation:
    n, c, b, h, w = sizes("N C B H W")
    split = op.transpose(op.reshape(x, (n, c, b, b, h, w)), perm=(0, 1, 4, 2, 5, 3))
    left = op.reshape(split, (n, c, h * b, w * b))
    return left, op.depth_to_space(x, block=b, mode="CRD")


@rule
def depth_to_space(x: Sym = "N B*B*C H W") -> Equation:
    n, c, b, h, w = sizes("N C B H W")
    split = op.transpose(op.reshape(x, (n, b, b, c, h, w)), perm=(0, 3, 4, 1, 5, 2))
    left = op.reshape(split, (n, c, h * b, w * b))
    return left, op.depth_to_space(x, block=b, mode="DCR")


@rule
def space_to_depth(x: Sym = "N C H*B W*B") -> Equation:
    n, c, b, h, w = sizes("N C B H W")
    split = op.transpose(op.reshape(x, (n, c, h, b, w, b)), perm=(0, 3, 5, 1, 2, 4))
    return op.reshape(split, (n, b * b * c, h, w)), op.space_to_depth(x, block=b)


@rule
def transpose_of_stacked_matrices(x: Sym = "A B C D") -> Equation:
    a, b, c, d = sizes("A B C D")
    swapped = op.transpose(op.reshape(x, (-1, c, d)), perm=(0, 2, 1))
    return op.reshape(swapped, (a, b, d, c)), op.transpose(x, perm=(0, 1, 3, 2))


@rule_of(late=True)
def global_avg_pool_2(x: Sym = "N C H W") -> Equation:
    return op.reduce_mean(x, (2, 3)), op.global_avg_pool(x)


@rule_of(late=True)
def global_avg_pool_3(x: Sym = "N C D H W") -> Equation:
    return op.reduce_mean(x, (2, 3, 4)), op.global_avg_pool(x)


@rule_of(late=True)
def global_max_pool_2(x: Sym = "N C H W") -> Equation:
    return op.reduce_max(x, (2, 3)), op.global_max_pool(x)
