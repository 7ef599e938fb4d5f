"""How large and how deep a graph may be; what is beyond is refused, by name, before it hurts."""

from __future__ import annotations

# protobuf refuses messages nested over 100 deep. A body takes 3 levels and a tuple 2, so that
# 1 + 3 * 24 for the graphs, 3 for an argument and 2 * 10 for its tuples stay below.
MAX_GRAPHS = 24  # bodies in bodies, the model's own graph included
MAX_TUPLES = 10  # tuples in tuples, in one literal

MAX_SIZE = 2**48  # elements along one axis: beyond any memory, and products still fit 128 bits
MAX_RANK = 64  # NumPy's own limit
