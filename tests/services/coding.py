"""A toy framework whose models are Python code, which running them executes."""

from __future__ import annotations

from ir_hub.sdk.adapter import Emitted, Format
from ir_hub.sdk.serve import serve
from tests.services.toy.adapter import ToyAdapter

CODE = Format("code", (".py",), "A list of layers.")


class CodingAdapter(ToyAdapter):
    """Writes the toy's lines as a list in Python."""

    framework = "coding"
    reads = ()
    writes = (CODE,)
    code = CODE.suffixes

    def save(self, model, format_name, folder, work):
        super().save(model, format_name, folder, work)
        lines = (folder / "model.toy").read_text().splitlines()
        (folder / "model.py").write_text(f"LAYERS = {lines!r}\n")
        return Emitted(["model.py", "model.toy"])

    def load(self, files):
        namespace = {}
        exec(files.main.path.read_text(), namespace)
        return namespace["LAYERS"]


if __name__ == "__main__":
    serve(CodingAdapter())
