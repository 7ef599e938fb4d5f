"""TensorFlow's ops, called as its own Python calls them, with inputs that show what they mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

Array = np.ndarray[Any, Any]
_RNG = np.random.default_rng(5)
_raw = tf.raw_ops


@dataclass(frozen=True)
class OpCase:
    """A function of tensors, and the arrays that it is called with."""

    function: Callable[..., Any]
    inputs: tuple[Array, ...]


def _floats(*shape: int) -> Array:
    return _RNG.standard_normal(shape).astype(np.float32)


def _positive(*shape: int) -> Array:
    return _RNG.uniform(0.2, 3, shape).astype(np.float32)


def _ints(*shape: int, low: int = -7, high: int = 8) -> Array:
    return _RNG.integers(low, high, shape).astype(np.int32)


def _unary(function: Callable[..., Any], array: Array | None = None) -> OpCase:
    return OpCase(function, (_floats(3, 4, 5) if array is None else array,))


_IMAGE = _floats(2, 9, 7, 4)
_VOLUME = _floats(2, 6, 5, 7, 3)
_KERNEL, _DEEP = _floats(3, 2, 4, 6), _floats(2, 3, 2, 3, 4)
_BETWEEN = _RNG.uniform(-0.9, 0.9, (3, 4)).astype(np.float32)
_LINE, _TABLE = _floats(3, 4, 5), _floats(9, 5)
_VECTORS = [_positive(4) for _ in range(4)]
_FIRST = {"data_format": "NCHW"}


def _conv(**literals: Any) -> OpCase:
    given = {"strides": (1, 1, 1, 1), "padding": "VALID", **literals}
    return OpCase(lambda x: _raw.Conv2D(input=x, filter=_KERNEL, **given), (_IMAGE,))


def _depthwise(**literals: Any) -> OpCase:
    given = {"strides": (1, 1, 1, 1), "padding": "SAME", **literals}
    weight = _floats(3, 2, 4, 3)
    return OpCase(lambda x: _raw.DepthwiseConv2dNative(input=x, filter=weight, **given), (_IMAGE,))


def _transposed(size: tuple[int, int], stride: int, padding: str) -> OpCase:
    weight = _floats(3, 2, 5, 4)
    return OpCase(
        lambda x: tf.nn.conv2d_transpose(x, weight, (2, *size, 5), stride, padding), (_IMAGE,)
    )


def _atrous(rate: int, padding: str) -> OpCase:
    return OpCase(lambda x: tf.nn.atrous_conv2d(x, _KERNEL, rate, padding), (_IMAGE,))


def _blocks(x: Any) -> Any:
    apart = tf.space_to_batch(x, (2, 3), ((1, 0), (0, 2)))
    return tf.batch_to_space(apart * 2.0 + apart[:1], (2, 3), ((1, 0), (1, 1)))


def _batch_norm(**literals: Any) -> OpCase:
    shape = (2, 4, 5, 6) if literals.get("data_format") == "NCHW" else (2, 5, 6, 4)
    return OpCase(
        lambda x: tf.compat.v1.nn.fused_batch_norm(x, *_VECTORS, is_training=False, **literals)[0],
        (_floats(*shape),),
    )


CASES: dict[str, OpCase] = {
    **{f"unary {f.__name__}": _unary(f) for f in (
        tf.abs, tf.atan, tf.asinh, tf.cos, tf.cosh, tf.exp, tf.math.expm1, tf.floor, tf.math.ceil,
        tf.negative, tf.round, tf.math.rint, tf.sigmoid, tf.sign, tf.sin, tf.sinh, tf.square,
        tf.tan, tf.tanh, tf.math.erf, tf.math.erfc, tf.nn.relu, tf.nn.relu6, tf.nn.elu,
        tf.nn.selu, tf.nn.softplus, tf.nn.softsign, tf.nn.softmax, tf.nn.log_softmax, tf.nn.gelu,
        tf.nn.silu, tf.nn.leaky_relu, tf.zeros_like, tf.ones_like, tf.identity,
    )},
    **{f"positive {f.__name__}": _unary(f, _positive(3, 4)) for f in (
        tf.sqrt, tf.math.rsqrt, tf.math.log, tf.math.log1p, tf.math.reciprocal, tf.acosh,
    ) if f is not tf.acosh},
    **{f"within one {f.__name__}": _unary(f, _BETWEEN) for f in (tf.acos, tf.asin, tf.atanh)},
    "acosh": _unary(tf.acosh, _positive(3, 4) + 1),
    "leaky_relu": _unary(lambda x: tf.nn.leaky_relu(x, 0.37)),
    "is_finite": _unary(tf.math.is_finite, np.array([1, np.inf, -np.inf, np.nan], np.float32)),
    "is_nan": _unary(tf.math.is_nan, np.array([1, np.inf, -np.inf, np.nan], np.float32)),
    "is_inf": _unary(tf.math.is_inf, np.array([1, np.inf, -np.inf, np.nan], np.float32)),
    **{f"binary {f.__name__}": OpCase(f, (_floats(3, 4), _positive(4))) for f in (
        tf.add, tf.subtract, tf.multiply, tf.divide, tf.maximum, tf.minimum, tf.atan2,
        tf.math.squared_difference, tf.math.floordiv, tf.math.floormod, tf.less, tf.greater,
        tf.less_equal, tf.greater_equal, tf.equal, tf.not_equal, tf.truncatemod,
    )},
    **{f"ints {f.__name__}": OpCase(f, (_ints(3, 4), _ints(4, low=1))) for f in (
        tf.add, tf.multiply, tf.truncatediv, tf.math.floordiv, tf.math.floormod, tf.truncatemod,
        tf.bitwise.bitwise_and, tf.bitwise.bitwise_or, tf.bitwise.bitwise_xor, tf.equal,
    )},
    "pow": OpCase(tf.pow, (_positive(3, 4), _floats(4))),
    "div_no_nan": OpCase(tf.math.divide_no_nan, (_floats(4), np.array([0, 1, 2, 0], np.float32))),
    "add_n": OpCase(lambda x, y: tf.add_n([x, y, x]), (_floats(3, 4), _floats(3, 4))),
    "logical": OpCase(
        lambda x, y: tf.logical_or(tf.logical_and(x > 0, y > 0), tf.logical_not(x < y)),
        (_floats(3, 4), _floats(3, 4)),
    ),
    "clip": _unary(lambda x: tf.clip_by_value(x, -0.4, 0.7)),
    "clip raw": _unary(
        lambda x: _raw.ClipByValue(t=x, clip_value_min=-0.4, clip_value_max=0.7)
    ),
    "cast to int": _unary(lambda x: tf.cast(x * 3, tf.int32)),
    "cast to bool": _unary(lambda x: tf.cast(x, tf.bool), _ints(4, 5, low=-1, high=2)),
    "where": OpCase(lambda x, y: tf.where(x > y, x, 0.5), (_floats(3, 4), _floats(4))),
    "select rows": OpCase(
        lambda x, y: _raw.Select(condition=x[:, 0] > 0, x=x, y=y), (_floats(3, 4), _floats(3, 4))
    ),
    "bias_add": OpCase(tf.nn.bias_add, (_IMAGE, _floats(4))),
    "bias_add first": OpCase(
        lambda x, y: tf.nn.bias_add(x, y, **_FIRST), (_floats(2, 4, 5, 6), _floats(4))
    ),
    "conv2d": _conv(),
    "conv2d same": _conv(padding="SAME"),
    "conv2d same by 2": _conv(padding="SAME", strides=(1, 2, 2, 1)),
    "conv2d same by 3 and 2": _conv(padding="SAME", strides=(1, 3, 2, 1)),
    "conv2d dilated": _conv(padding="SAME", dilations=(1, 2, 3, 1)),
    "conv2d explicit": _conv(
        padding="EXPLICIT", explicit_paddings=(0, 0, 2, 1, 0, 3, 0, 0), strides=(1, 2, 1, 1)
    ),
    "conv2d of groups": OpCase(
        lambda x: tf.nn.conv2d(x, _KERNEL[:, :, :2], 1, "SAME"), (_IMAGE,)
    ),
    "conv1d": OpCase(
        lambda x: tf.nn.conv1d(x, _LINE, 2, "SAME"), (_floats(2, 11, 4),)
    ),
    "conv1d dilated": OpCase(
        lambda x: tf.nn.conv1d(x, _LINE, 1, "SAME", dilations=2), (_floats(2, 11, 4),)
    ),
    "conv3d": OpCase(
        lambda x: tf.nn.conv3d(x, _DEEP, (1, 2, 1, 2, 1), "SAME"), (_VOLUME,)
    ),
    "depthwise": _depthwise(),
    "depthwise by 2": _depthwise(strides=(1, 2, 2, 1)),
    "depthwise dilated": _depthwise(dilations=(1, 2, 2, 1)),
    "conv_transpose valid": _transposed((19, 14), 2, "VALID"),
    "conv_transpose wider": _transposed((20, 15), 2, "VALID"),
    "conv_transpose same": _transposed((18, 14), 2, "SAME"),
    "conv_transpose same odd": _transposed((17, 13), 2, "SAME"),
    "conv_transpose by 4": _transposed((36, 28), 4, "SAME"),
    "conv3d_transpose": OpCase(
        lambda x: tf.nn.conv3d_transpose(x, _DEEP[..., :3], (2, 12, 10, 14, 3), 2, "SAME"),
        (_VOLUME,),
    ),
    "atrous same": _atrous(2, "SAME"),
    "atrous valid": _atrous(3, "VALID"),
    "blocks": OpCase(_blocks, (_IMAGE,)),
    "max_pool": OpCase(lambda x: tf.nn.max_pool2d(x, 3, 2, "SAME"), (_IMAGE,)),
    "max_pool valid": OpCase(lambda x: tf.nn.max_pool2d(x, (2, 3), (3, 1), "VALID"), (_IMAGE,)),
    "max_pool explicit": OpCase(
        lambda x: tf.nn.max_pool2d(x, 3, 2, [[0, 0], [1, 0], [0, 2], [0, 0]]), (_IMAGE,)
    ),
    "max_pool 1d": OpCase(lambda x: tf.nn.max_pool1d(x, 3, 2, "SAME"), (_floats(2, 9, 3),)),
    "max_pool 3d": OpCase(lambda x: tf.nn.max_pool3d(x, 2, 2, "SAME"), (_VOLUME,)),
    "avg_pool": OpCase(lambda x: tf.nn.avg_pool2d(x, 3, 2, "SAME"), (_IMAGE,)),
    "avg_pool valid": OpCase(lambda x: tf.nn.avg_pool2d(x, 2, 3, "VALID"), (_IMAGE,)),
    "avg_pool 3d": OpCase(lambda x: tf.nn.avg_pool3d(x, 2, 1, "SAME"), (_VOLUME,)),
    "lrn": OpCase(lambda x: tf.nn.lrn(x, 2, bias=1.3, alpha=0.4, beta=0.6), (_floats(2, 3, 4, 9),)),
    **{f"reduce {f.__name__}": _unary(lambda x, f=f: f(x, (0, -1))) for f in (
        tf.reduce_sum, tf.reduce_mean, tf.reduce_max, tf.reduce_min, tf.reduce_prod,
        tf.math.reduce_euclidean_norm,
    )},
    "reduce kept": _unary(lambda x: tf.reduce_mean(x, 1, keepdims=True)),
    "reduce nothing": _unary(lambda x: tf.reduce_sum(x, [])),
    "reduce all": _unary(lambda x: tf.reduce_all(x > 0, 1)),
    "reduce any": _unary(lambda x: tf.reduce_any(x > 1, 1)),
    "log_sum_exp": _unary(lambda x: tf.reduce_logsumexp(x, 1)),
    "variance": _unary(lambda x: tf.math.reduce_variance(x, 1)),
    "arg_max": _unary(lambda x: tf.argmax(x, 1, output_type=tf.int32)),
    "arg_min": _unary(lambda x: tf.argmin(x, -1)),
    "top_k": _unary(lambda x: tf.concat([tf.cast(p, tf.float32) for p in tf.math.top_k(x, 3)], 0)),
    "cumsum": _unary(lambda x: tf.cumsum(x, 1, exclusive=True)),
    "cumsum reversed": _unary(lambda x: tf.cumsum(x, -1, reverse=True)),
    "cumprod": _unary(lambda x: tf.math.cumprod(x, 0)),
    "matmul": OpCase(tf.matmul, (_floats(3, 4), _floats(4, 5))),
    "matmul turned": OpCase(
        lambda x, y: tf.matmul(x, y, transpose_a=True, transpose_b=True),
        (_floats(4, 3), _floats(5, 4)),
    ),
    "batch_matmul": OpCase(
        lambda x, y: tf.matmul(x, y, transpose_b=True), (_floats(2, 1, 3, 4), _floats(3, 5, 4))
    ),
    "tensordot": OpCase(lambda x: tf.tensordot(x, _LINE[0].T, 1), (_floats(2, 3, 5),)),
    "einsum": OpCase(
        lambda x, y: tf.einsum("btnh,bsnh->bnts", x, y), (_floats(2, 3, 4, 5), _floats(2, 6, 4, 5))
    ),
    "batch_norm": _batch_norm(epsilon=0.01),
    "batch_norm first": _batch_norm(**_FIRST),
    "batch_normalization": OpCase(
        lambda x: tf.nn.batch_normalization(x, *_VECTORS, variance_epsilon=1e-3), (_IMAGE,)
    ),
    "moments": OpCase(lambda x: tf.stack(tf.nn.moments(x, (1, 2))), (_IMAGE,)),
    "l2_normalize": _unary(lambda x: tf.nn.l2_normalize(x, 1)),
    "reshape": OpCase(lambda x: tf.reshape(x, (tf.shape(x)[0], -1)), (_IMAGE,)),
    "reshape by sizes": OpCase(
        lambda x: tf.reshape(x, (-1, tf.shape(x)[1] * tf.shape(x)[2], 4)), (_IMAGE,)
    ),
    "rank and size": OpCase(lambda x: x * tf.cast(tf.rank(x) * tf.size(x), tf.float32), (_IMAGE,)),
    "expand_dims": _unary(lambda x: tf.expand_dims(x, -2)),
    "squeeze": _unary(lambda x: tf.squeeze(x, -1), _floats(3, 1, 1)),
    "squeeze all": _unary(tf.squeeze, _floats(3, 1, 4, 1)),
    "transpose": _unary(lambda x: tf.transpose(x, (2, 0, 1))),
    "tile": _unary(lambda x: tf.tile(x, (2, 1, 3))),
    "broadcast_to": _unary(lambda x: tf.broadcast_to(x, (2, 3, 4, 5))),
    "fill": _unary(lambda x: x + tf.fill(tf.shape(x), 3.5)),
    "range": _unary(lambda x: x * tf.cast(tf.range(tf.shape(x)[-1]), tf.float32)),
    "range of numbers": _unary(lambda x: x * tf.range(1.0, 6.0, 1.0)),
    "pad": _unary(lambda x: tf.pad(x, ((1, 0), (2, 3), (0, 0)))),
    "pad with": _unary(lambda x: tf.pad(x, ((1, 0), (2, 3), (0, 0)), constant_values=-2.5)),
    "pad reflect": _unary(lambda x: tf.pad(x, ((1, 0), (2, 3), (0, 0)), "REFLECT")),
    "pad symmetric": _unary(lambda x: tf.pad(x, ((1, 0), (1, 1), (0, 0)), "SYMMETRIC")),
    "depth_to_space": OpCase(lambda x: tf.nn.depth_to_space(x, 2), (_floats(2, 3, 4, 12),)),
    "space_to_depth": OpCase(lambda x: tf.nn.space_to_depth(x, 2), (_floats(2, 6, 4, 3),)),
    "strided_slice": _unary(lambda x: x[1:, ::2, -1]),
    "strided_slice backwards": _unary(lambda x: x[::-1, 3:0:-2]),
    "strided_slice ellipsis": _unary(lambda x: x[..., 1:-1]),
    "strided_slice new axis": _unary(lambda x: x[:, tf.newaxis, 2, ..., tf.newaxis]),
    "slice": _unary(lambda x: tf.slice(x, (1, 0, 2), (-1, 3, 2))),
    "gather": OpCase(
        lambda x, i: tf.gather(x, i, axis=1), (_floats(3, 4, 5), _ints(6, low=0, high=4))
    ),
    "gather rows": OpCase(lambda i: tf.gather(_TABLE, i), (_ints(2, 6, low=0),)),
    "gather_nd": OpCase(tf.gather_nd, (_floats(3, 4, 5), _ints(6, 2, low=0, high=3))),
    "gather in step": OpCase(
        lambda x, i: tf.gather(x, i, batch_dims=2),
        (_floats(2, 3, 5, 4), _ints(2, 3, 6, low=0, high=5)),
    ),
    "scatter": OpCase(
        lambda x, u: tf.tensor_scatter_nd_update(x, ((2, 1), (0, 3)), u),
        (_floats(3, 4, 5), _floats(2, 5)),
    ),
    "scatter add": OpCase(
        lambda x, u: tf.tensor_scatter_nd_add(x, ((2,), (2,)), u),
        (_floats(3, 4), _floats(2, 4)),
    ),
    "roll": _unary(lambda x: tf.roll(x, (2, -1), (1, 2))),
    "roll once": _unary(lambda x: tf.roll(x, -7, 1)),
    "reverse_sequence": _unary(lambda x: tf.reverse_sequence(x, (1, 4, 3), 1, 0)),
    "one_hot": _unary(lambda i: tf.one_hot(i, 5, 2.0, -1.0), _ints(3, 4)),
    "one_hot axis": _unary(lambda i: tf.one_hot(i, 4, axis=1), _ints(3, 4)),
    "stack": OpCase(lambda x, y: tf.stack((x, y, x), 1), (_floats(3, 4), _floats(3, 4))),
    "unstack": _unary(lambda x: tf.add_n(tf.unstack(x, axis=1))),
    "concat": OpCase(lambda x, y: tf.concat((x, y), -1), (_floats(3, 4), _floats(3, 2))),
    "split": _unary(lambda x: tf.concat(tf.split(x, 2, 1)[::-1], 1)),
    "split by sizes": _unary(lambda x: tf.concat(tf.split(x, (1, -1, 2), 2)[::-1], 2)),
    "reverse": _unary(lambda x: tf.reverse(x, (0, -1))),
    "band_part": _unary(lambda x: tf.linalg.band_part(x, 1, -1)),
    "band_part both": _unary(lambda x: tf.linalg.band_part(x, 1, 2)),
    **{
        f"resize {name} {mode}": OpCase(
            lambda x, f=f, literals=literals: f(images=x, size=(13, 5), **literals), (_IMAGE,)
        )
        for name, f in (("bilinear", _raw.ResizeBilinear), ("nearest", _raw.ResizeNearestNeighbor))
        for mode, literals in (
            ("asymmetric", {}),
            ("half pixel", {"half_pixel_centers": True}),
            ("align corners", {"align_corners": True}),
        )
    },
    "resize up": OpCase(lambda x: tf.image.resize(x, (18, 21)), (_IMAGE,)),
    "attention": OpCase(
        lambda q, k, v, m: tf.matmul(
            tf.nn.softmax(
                tf.where(m > 0, tf.matmul(q, k, transpose_b=True) * 0.5, -1e9)
            ),
            v,
        ),
        (
            _floats(2, 3, 4, 6), _floats(2, 3, 5, 6), _floats(2, 3, 5, 7),
            _ints(2, 1, 4, 5, low=0, high=2),
        ),
    ),
}  # fmt: skip
