"""The rules by family. Their order doesn't matter: what asks for more is tried first."""

from ir_hub.recover.pattern import RULES
from ir_hub.recover.rewrite import REWRITES
from ir_hub.recover.rules import (
    activation,
    attention,
    clean,
    indexing,
    linear,
    masks,
    moves,
    norm,
    piecewise,
    products,
    reduce,
    spatial,
    spatial_parts,
    truth,
)

__all__ = [
    "REWRITES",
    "RULES",
    "activation",
    "attention",
    "clean",
    "indexing",
    "linear",
    "masks",
    "moves",
    "norm",
    "piecewise",
    "products",
    "reduce",
    "spatial",
    "spatial_parts",
    "truth",
]
