"""Blocks are told from Gluon's names as far as they can be."""

from __future__ import annotations

import pytest

from adapters.mxnet.scopes import (
    beside_layers,
    classes_of,
    is_unnamed,
    named_blocks,
    root_prefix,
    scope_of,
    with_unnamed,
)
from ir_hub.sdk.source import SourceNode


@pytest.mark.parametrize(
    ("names", "prefix"),
    [
        (["resnetv10_conv0_fwd", "resnetv10_stage1_conv0_fwd"], "resnetv10_"),
        (["net_conv1_fwd", "net_conv2_fwd"], "net_"),
        (["conv1", "bn_conv1"], ""),
        (["stage1_conv", "stage2_conv"], ""),
        (["only_fwd"], ""),
        ([], ""),
    ],
)
def test_root(names: list[str], prefix: str) -> None:
    assert root_prefix(names) == prefix


@pytest.mark.parametrize(
    ("name", "inputs", "scope"),
    [
        ("r_stage1_batchnorm0_fwd", [], "stage1.batchnorm0"),
        ("r_stage1_activation0", [], "stage1"),
        ("r_stage1__plus0", [], "stage1"),
        ("r_stage1_unit2_conv1", ["r_stage1_unit2_conv1_weight"], "stage1.unit2.conv1"),
        ("r_conv1_1", ["r_conv1_1_weight"], "conv1_1"),
        ("r_max_pool_fwd", [], "max_pool"),
        ("r_flatten0", [], ""),
    ],
)
def test_scope(name: str, inputs: list[str], scope: str) -> None:
    assert scope_of(name, "r_", inputs) == scope


def test_an_activation_stands_behind_its_layer() -> None:
    assert beside_layers(["dense0", "dense0.relu0", "a.b"], {"dense0"}) == [
        "dense0",
        "dense0_relu0",
        "a.b",
    ]


def test_classes() -> None:
    found = classes_of(["hybridsequential0.enc0", "linearbottleneck3.conv0"], "resnetv10_")
    assert found == {
        "": "ResNetV1",
        "hybridsequential0": "Sequential",
        "linearbottleneck3": "LinearBottleneck",
    }


def test_blocks_without_a_number() -> None:
    names = ["m_features_conv0_fwd", "m_features_bottleneck0_batchnorm0_fwd", "m_output_pred_fwd",
             "m_max_pool0_fwd", "m_bn_conv1", "m_bn_dense1"]  # fmt: skip
    blocks = named_blocks(names, "m_")
    assert blocks == {"features"}
    scopes = [scope_of(name, "m_", [], blocks) for name in names[:3]]
    assert scopes == ["features.conv0", "features.bottleneck0.batchnorm0", "output_pred"]


def test_what_only_mxnet_named_is_in_the_block_around_it() -> None:
    """An addition ends the unit of what it adds; what leads out of a unit stays outside."""
    nodes = [
        SourceNode("Convolution", ("data", "s1_unit1_conv1_weight"), ("a",), name="s1_unit1_conv1"),
        SourceNode("Activation", ("a",), ("b",), name="activation0"),
        SourceNode("Convolution", ("b", "s1_unit1_conv2_weight"), ("c",), name="s1_unit1_conv2"),
        SourceNode("elemwise_add", ("c", "a"), ("d",), name="_plus0"),
        SourceNode("Pooling", ("d",), ("e",), name="pooling0"),
    ]
    scopes = ["s1.unit1.conv1", "", "s1.unit1.conv2", "", ""]
    found = ["s1.unit1.conv1", "s1.unit1", "s1.unit1.conv2", "s1.unit1", ""]
    assert with_unnamed(nodes, scopes) == found


@pytest.mark.parametrize(
    ("name", "op", "found"),
    [
        ("_plus12", "elemwise_add", True),
        ("broadcast_mul0", "broadcast_mul", True),
        ("activation3", "Activation", True),
        ("relu1", "Activation", False),
        ("concat", "Concat", False),
        ("res_plus0", "elemwise_add", False),
    ],
)
def test_unnamed(name: str, op: str, found: bool) -> None:
    assert is_unnamed(name, op) is found
