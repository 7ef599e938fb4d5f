"""Each op, as its options have it, is read as what MXNet computes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
import pytest

from adapters.mxnet.files import load
from adapters.mxnet.tests.models import ADAPTER, reference_error, save_symbol
from adapters.mxnet.walk import walk
from ir_hub.ir.types import DType, TensorType
from ir_hub.sdk.adapter import Files, SourceFile
from ir_hub.sdk.errors import UnsupportedNodes
from ir_hub.sdk.source import read

S = mx.sym
Net = Callable[[Any], Any]
RANDOM = np.random.RandomState(7)
IMAGE, MATRIX, STEPS = (2, 4, 7, 6), (3, 5), (5, 2, 4)


def _pooled(**options: Any) -> Net:
    return lambda x: S.Pooling(x, kernel=(3, 2), stride=(2, 3), pad=(1, 0), **options)


def _regions() -> Any:
    """Of the first image, as constants."""
    return S.concat(S.zeros((2, 1)), S.ones((2, 2)), S.ones((2, 2)) * 4.3, dim=1)


def _moved(x: Any) -> Any:
    shape = {"kernel": (3, 3), "pad": (1, 1)}
    offset = S.Convolution(x, num_filter=18, name="offset", **shape)
    mask = S.sigmoid(S.Convolution(x, num_filter=9, name="mask", **shape))
    return S.contrib.ModulatedDeformableConvolution(
        x, offset, mask, num_filter=6, name="moved", **shape
    )


def _places(x: Any) -> Any:
    return S.tanh(S.Convolution(x, kernel=(1, 1), num_filter=2, name="places"))


def _maps(x: Any) -> Any:
    return S.FullyConnected(x, num_hidden=6, name="maps")


def _leaky(kind: str, **options: Any) -> Net:
    return lambda x: S.LeakyReLU(x, act_type=kind, **options)


def _recurrent(mode: str, layers: int, ways: bool, outputs: bool, given: bool) -> Net:
    def net(x: Any) -> Any:
        count, size = layers * (2 if ways else 1), 3
        zeros = S.zeros((count, 2, size))
        names = ("state", "state_cell") if mode == "lstm" else ("state",)
        states = {n: S.var(f"first_{n}", shape=(count, 2, size)) if given else zeros for n in names}
        made = S.RNN(x, S.var("rnn_parameters"), mode=mode, state_size=size, num_layers=layers,
                     bidirectional=ways, state_outputs=outputs, **states)  # fmt: skip
        return made if not outputs else S.Group(list(made))

    return net


NETS: dict[str, tuple[Net, tuple[int, ...]]] = {
    "norm, scale fixed": (lambda x: S.BatchNorm(x), IMAGE),
    "norm, scale its own": (lambda x: S.BatchNorm(x, fix_gamma=False, eps=0.1), IMAGE),
    "norm, last axis": (lambda x: S.BatchNorm(x, fix_gamma=False, axis=-1), IMAGE),
    "norm, always global": (lambda x: S.BatchNorm(x, use_global_stats=True), MATRIX),
    "instances": (lambda x: S.InstanceNorm(x), IMAGE),
    "layer": (lambda x: S.LayerNorm(x, eps=0.1), STEPS),
    "groups": (lambda x: S.GroupNorm(x, num_groups=2, eps=0.1), IMAGE),
    "lrn": (lambda x: S.LRN(x, nsize=3), IMAGE),
    **{f"l2, {mode}": (lambda x, mode=mode: S.L2Normalization(x, mode=mode), IMAGE)
       for mode in ("instance", "channel", "spatial")},
    "leaky": (_leaky("leaky"), IMAGE),
    "elu": (_leaky("elu", slope=0.4), IMAGE),
    "selu": (_leaky("selu"), IMAGE),
    "gelu": (_leaky("gelu"), IMAGE),
    "random slopes": (lambda x: S.LeakyReLU(x, act_type="rrelu")[0], IMAGE),
    "learned slopes": (_leaky("prelu"), IMAGE),
    "learned slopes of a matrix": (_leaky("prelu"), MATRIX),
    **{f"activation {kind}": (lambda x, kind=kind: S.Activation(x, act_type=kind), MATRIX)
       for kind in ("relu", "sigmoid", "tanh", "softrelu", "softsign")},
    "dropout of slices": (lambda x: S.Dropout(x, p=0.3, axes=(2, 3)), IMAGE),
    "hard sigmoid": (lambda x: S.hard_sigmoid(x, alpha=0.3), MATRIX),
    "greatest": (_pooled(pool_type="max"), IMAGE),
    "greatest, full": (_pooled(pool_type="max", pooling_convention="full"), (2, 4, 8, 7)),
    "average": (_pooled(pool_type="avg"), IMAGE),
    "average without padding": (_pooled(pool_type="avg", count_include_pad=False), IMAGE),
    "sum": (_pooled(pool_type="sum"), IMAGE),
    "average, full": (
        lambda x: S.Pooling(x, kernel=(3, 3), stride=(2, 2), pad=(1, 1), pool_type="avg",
                            pooling_convention="full"), (1, 2, 8, 6)),
    "average, full, without padding": (
        lambda x: S.Pooling(x, kernel=(3, 3), stride=(2, 2), pad=(1, 1), pool_type="avg",
                            pooling_convention="full", count_include_pad=False), (1, 2, 8, 6)),
    "all of it, greatest": (
        lambda x: S.Pooling(x, kernel=(2, 2), global_pool=True, pool_type="max"), IMAGE),
    "all of it, average": (lambda x: S.Pooling(x, global_pool=True, pool_type="avg"), IMAGE),
    "pool of one axis": (
        lambda x: S.Pooling(x, kernel=(3,), stride=(2,), pool_type="avg", pad=(1,)), (2, 3, 8)),
    "adaptive": (lambda x: S.contrib.AdaptiveAvgPooling2D(x), IMAGE),
    "convolution": (
        lambda x: S.Convolution(x, kernel=(3, 2), num_filter=6, stride=(2, 1), pad=(1, 0),
                                dilate=(1, 2), num_group=2), IMAGE),
    "convolution of one axis": (
        lambda x: S.Convolution(x, kernel=(3,), num_filter=6, no_bias=True), (2, 3, 8)),
    "deconvolution": (
        lambda x: S.Deconvolution(x, kernel=(3, 2), num_filter=3, stride=(2, 3), pad=(1, 0),
                                  adj=(1, 2)), IMAGE),
    "deconvolution, groups": (
        lambda x: S.Deconvolution(x, kernel=(2, 2), num_filter=6, num_group=2, no_bias=False),
        IMAGE),
    "adaptive, unequal": (
        lambda x: S.contrib.AdaptiveAvgPooling2D(x, output_size=(3, 4)), IMAGE),
    "moved windows": (_moved, IMAGE),
    "regions": (
        lambda x: S.contrib.ROIAlign(x, _regions(), pooled_size=(3, 2), spatial_scale=0.7), IMAGE),
    "regions, aligned": (
        lambda x: S.contrib.ROIAlign(x, _regions(), pooled_size=(2, 3), spatial_scale=0.9,
                                     sample_ratio=2, aligned=True), IMAGE),
    "greatest of regions": (
        lambda x: S.ROIPooling(x, _regions(), pooled_size=(3, 2), spatial_scale=0.8), IMAGE),
    "read at places": (lambda x: S.BilinearSampler(x, 1.2 * _places(x)), IMAGE),
    "read at moved places": (
        lambda x: S.BilinearSampler(x, S.GridGenerator(3 * _places(x), transform_type="warp")),
        IMAGE),
    "read at mapped places": (
        lambda x: S.BilinearSampler(x, S.GridGenerator(
            _maps(x), transform_type="affine", target_shape=(5, 3))), IMAGE),
    "transformed": (
        lambda x: S.SpatialTransformer(x, _maps(x), target_shape=(3, 5), transform_type="affine",
                                       sampler_type="bilinear"), IMAGE),
    "anchors": (
        lambda x: S.Group([x + 1, S.contrib.MultiBoxPrior(
            x, sizes=(0.3, 0.5), ratios=(1, 2, 0.5), clip=True, steps=(0.2, 0.3),
            offsets=(0.4, 0.6))]), IMAGE),
    "upsampling": (lambda x: S.UpSampling(x, scale=3, sample_type="nearest"), IMAGE),
    **{f"upsampling, bilinear {scale}": (
        lambda x, scale=scale: S.UpSampling(x, S.var("up_weight"), scale=scale, num_filter=4,
                                            sample_type="bilinear", num_args=2), IMAGE)
       for scale in (2, 3)},
    "resize": (lambda x: S.contrib.BilinearResize2D(x, height=9, width=4), IMAGE),
    "resize, halves": (
        lambda x: S.contrib.BilinearResize2D(x, height=9, width=4, align_corners=False), IMAGE),
    "resize, scales": (
        lambda x: S.contrib.BilinearResize2D(x, scale_height=1.5, scale_width=0.5), IMAGE),
    "cut in channels": (
        lambda x: S.Group(list(S.SliceChannel(x, num_outputs=2, axis=1))), IMAGE),
    "cut and squeezed": (
        lambda x: S.Group(list(S.SliceChannel(x, num_outputs=5, squeeze_axis=True, axis=0))),
        STEPS),
    "cut at places": (lambda x: S.Group(list(S.split_v2(x, (1, 3), axis=2))), IMAGE),
    "crop": (lambda x: S.Crop(x, offset=(1, 2), h_w=(3, 2), num_args=1), IMAGE),
    "crop, centred": (lambda x: S.Crop(x, center_crop=True, h_w=(4, 3), num_args=1), IMAGE),
    "slice": (
        lambda x: S.slice(x, begin=(None, -3, 1, None), end=(1, None, -1, None),
                          step=(1, 1, 2, -2)), IMAGE),
    "slice axis": (lambda x: S.slice_axis(x, axis=-1, begin=1, end=-1), IMAGE),
    "swap": (lambda x: S.SwapAxis(x, dim1=1, dim2=3), IMAGE),
    "turned": (lambda x: S.transpose(x), IMAGE),
    "tile": (lambda x: S.tile(x, reps=(2, 1, 3)), MATRIX),
    "repeat": (lambda x: S.repeat(x, repeats=2, axis=-1), MATRIX),
    "repeat all": (lambda x: S.repeat(x, repeats=2), MATRIX),
    "pad": (
        lambda x: S.Pad(x, mode="constant", constant_value=2, pad_width=(0, 0, 0, 0, 1, 0, 2, 1)),
        IMAGE),
    "pad, edge": (lambda x: S.Pad(x, mode="edge", pad_width=(0, 0, 0, 0, 1, 0, 2, 1)), IMAGE),
    "to depth": (lambda x: S.space_to_depth(x, block_size=2), (2, 3, 4, 6)),
    "to space": (lambda x: S.depth_to_space(x, block_size=2), (2, 8, 3, 2)),
    "older reshape": (lambda x: S.Reshape(x, target_shape=(0, 28), keep_highest=True), (3, 4, 7)),
    "sum of others": (lambda x: S.sum(x, axis=1, exclude=True), IMAGE),
    "sum of all": (lambda x: S.sum(x), IMAGE),
    "norm of rows": (lambda x: S.norm(x, axis=1, ord=1, keepdims=True), MATRIX),
    "places": (lambda x: S.argmax(x, axis=1), MATRIX),
    "top": (lambda x: S.Group(list(S.topk(x, k=2, ret_typ="both", is_ascend=True))), MATRIX),
    "rounded": (lambda x: S.round(S.floor(x * 4) / 2), MATRIX),
    "rounded to even": (lambda x: S.rint(S.floor(x * 4) / 2), MATRIX),
    "towards zero": (lambda x: S.fix(x * 3), MATRIX),
    "remainder": (lambda x: x % 0.7, MATRIX),
    "smooth": (lambda x: S.smooth_l1(x, scalar=1.5), MATRIX),
    "compared": (lambda x: (x > 0.2) + (x == x) * 2 + S.logical_not(x), MATRIX),
    "numbers first": (lambda x: 2 - 3 / (x + 9) + 2 ** x, MATRIX),
    "softmax, warm": (lambda x: S.softmax(x, axis=0, temperature=3.0), MATRIX),
    "softmin": (lambda x: S.softmin(x), MATRIX),
    "softmax as an output": (lambda x: S.SoftmaxOutput(x, S.var("softmax_label")), MATRIX),
    "softmax as an output, of images": (
        lambda x: S.SoftmaxOutput(x, S.var("softmax_label"), multi_output=True), IMAGE),
    "softmax as an output, its label reshaped": (
        lambda x: S.SoftmaxOutput(x, S.Reshape(S.var("softmax_label", shape=(1, 3)), shape=(-1,))),
        MATRIX),
    "margins as an output": (
        lambda x: S.SVMOutput(x, S.var("softmax_label"), margin=0.5, use_linear=True), MATRIX),
    "ones of the operand's type": (lambda x: x + S.ones_like(x, dtype="int32"), MATRIX),
    "zeros to begin with": (
        lambda x: x * S.FullyConnected(S.zeros((0, 7)), num_hidden=5, name="state"), MATRIX),
    "softmax of rows": (lambda x: S.SoftmaxActivation(x), MATRIX),
    "softmax over channels": (lambda x: S.SoftmaxActivation(x, mode="channel"), IMAGE),
    "product": (
        lambda x: S.batch_dot(x, S.var("y", shape=(5, 3, 4)), transpose_b=True), STEPS),
    "masked": (lambda x: S.SequenceMask(x, S.BlockGrad(S.sum(S.ones((2, 3)), axis=1)), value=-1,
                                        use_sequence_length=True), STEPS),
    "last": (lambda x: S.SequenceLast(x, S.sum(S.ones((2, 3)), axis=1),
                                      use_sequence_length=True), STEPS),
    "attention scores": (
        lambda x: S.contrib.interleaved_matmul_selfatt_qk(x, heads=2), (5, 2, 12)),
    **{f"{mode} {layers} {ways} {outputs} {given}": (
        _recurrent(mode, layers, ways, outputs, given), STEPS)
       for mode, layers, ways, outputs, given in (
           ("lstm", 1, False, False, False), ("lstm", 2, True, True, True),
           ("gru", 2, True, False, False), ("gru", 1, False, True, True),
           ("rnn_tanh", 2, False, True, True), ("rnn_relu", 1, True, False, True))},
}  # fmt: skip


@pytest.mark.parametrize("name", NETS)
def test_read_as_mxnet_computes(name: str, tmp_path: Path) -> None:
    net, shape = NETS[name]
    x = RANDOM.normal(size=shape).astype(np.float32)
    saved = save_symbol(net(S.var("data")), {"data": x}, tmp_path)
    parsed = saved.parsed({"data": TensorType(DType.FLOAT32, shape)})
    assert reference_error(saved, parsed) < 2e-6


REFUSED: dict[str, tuple[Net, tuple[int, ...], str]] = {
    "softmax of images": (lambda x: S.SoftmaxActivation(x), IMAGE, "own kernels differ"),
    "last window in the padding": (
        lambda x: S.Pooling(x, kernel=(3, 2), stride=(2, 3), pad=(1, 0), pool_type="max",
                            pooling_convention="full"), IMAGE, "in the padding alone"),
    "moved windows": (
        lambda x: S.contrib.DeformableConvolution(
            x, S.Convolution(x, kernel=(1, 1), num_filter=2), kernel=(1, 1), num_filter=2),
        IMAGE, "beyond the outermost"),
    "dropout at inference": (
        lambda x: S.Dropout(x, mode="always"), MATRIX, "drops elements at inference"),
}  # fmt: skip


def test_dropout_of_slices_is_noted(tmp_path: Path) -> None:
    """Once for all of them: a dropout of elements would train otherwise."""
    x = S.var("data")
    for place in range(5):
        x = S.relu(S.Dropout(x, p=0.3, axes=(2, 3), name=f"drop{place}"))
    saved = save_symbol(x, {"data": np.ones(IMAGE, np.float32)}, tmp_path)
    sources = tuple(SourceFile(file.name, Path(file.name), file.blob) for file in saved.files)
    graph = walk(load(Files(sources, saved.subject.store.open)), {})
    model = read(graph, ADAPTER.dialect())
    assert {node.op for node in model.graph.nodes} == {"identity", "relu"}
    (note,) = graph.notes
    names = "drop0 (Dropout), drop1 (Dropout), drop2 (Dropout) and 2 more"
    assert note.startswith(f"{names}: it acts in training alone")


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, tmp_path: Path) -> None:
    net, shape, message = REFUSED[name]
    saved = save_symbol(net(S.var("data")), {"data": np.ones(shape, np.float32)}, tmp_path)
    with pytest.raises(UnsupportedNodes, match=message):
        saved.parsed({"data": TensorType(DType.FLOAT32, shape)})
