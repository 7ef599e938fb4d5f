"""A toy adapter whose models compute something else when they are run."""

from __future__ import annotations

from ir_hub.sdk.serve import serve
from tests.services.toy.adapter import ToyAdapter


class LiarAdapter(ToyAdapter):
    """Writes what it is told to, and runs it a hundredth off."""

    framework = "liar"
    reads = ()

    def run(self, files, inputs, work):
        return {
            name: y * y.dtype.type(1.01) for name, y in super().run(files, inputs, work).items()
        }


if __name__ == "__main__":
    serve(LiarAdapter())
