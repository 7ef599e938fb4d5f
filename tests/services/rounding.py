"""A toy framework that computes with one decimal."""

from __future__ import annotations

from ir_hub.sdk.serve import serve
from tests.services.toy.adapter import ToyAdapter


class RoundingAdapter(ToyAdapter):
    """Rounds what it computes."""

    def run(self, files, inputs, work):
        return {name: y.round(1) for name, y in super().run(files, inputs, work).items()}


if __name__ == "__main__":
    serve(RoundingAdapter())
