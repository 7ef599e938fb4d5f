"""An adapter that does what its model says: crash, hang, eat memory, leave things behind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time

from ir_hub.sdk.adapter import Adapter, Emitted, Format
from ir_hub.sdk.dialect import Dialect
from ir_hub.sdk.serve import serve
from ir_hub.sdk.source import SourceGraph, SourceNode

TEXT = Format("deed", (".deed",), "The name of a deed.")
dialect = Dialect("misbehaving")
dialect.same("relu", "relu")


def segfault(work):
    ctypes.string_at(0)


def kill(work):
    os.kill(os.getpid(), signal.SIGKILL)


def leave_quietly(work):
    os._exit(3)


def leave(work):
    sys.exit(0)


def hang(work):
    work.progress("hanging", 0.5)
    time.sleep(600)


def hang_natively(work):
    work.progress("hanging", 0.5)
    # PyDLL keeps the interpreter's lock: no other thread of the worker can run.
    ctypes.PyDLL(None).sleep(600)


def hang_with_a_child(work):
    subprocess.Popen(["sleep", "600"])
    hang(work)


def eat(work):
    eaten = []
    while True:
        eaten.append(bytearray(8 << 20))
        time.sleep(0.005)


def fail(work):
    raise ZeroDivisionError("of all things")


def die_halfway(work):
    (work.scratch / "half").write_bytes(b"x" * 100_000)
    kill(work)


def talk(work):
    os.write(1, b"not json\n")
    for step in range(5):
        work.progress(f"step {step}", step / 5)
        time.sleep(0.15)


def do_nothing(work):
    pass


DEEDS = [
    segfault,
    kill,
    leave_quietly,
    leave,
    hang,
    hang_natively,
    hang_with_a_child,
    eat,
    fail,
    die_halfway,
    talk,
    do_nothing,
]


class MisbehavingAdapter(Adapter):
    """Does, in each stage, what the model's text says; `return_*` are answers that are wrong."""

    framework = "misbehaving"
    reads = writes = (TEXT,)

    def framework_version(self):
        return "13"

    def dialect(self):
        return dialect

    def warm(self):
        # Stands for a framework: a native library that the front must not load.
        import safetensors

        assert safetensors

    def load(self, files):
        return files.main.path.read_text()

    def walk(self, loaded, files, inputs, work):
        for deed in DEEDS:
            if deed.__name__ == loaded:
                deed(work)
        source = SourceGraph(
            {"x": inputs.get("x")}, {}, [SourceNode("relu", ("x",), ("y",))], ["y"]
        )
        if loaded == "return_cycle":
            source.nodes = [SourceNode("relu", ("z",), ("y",)), SourceNode("relu", ("y",), ("z",))]
        if loaded == "return_untyped_input":
            source.inputs = {"x": None}
        return source

    def save(self, model, format_name, folder, work):
        (folder / "model.deed").write_bytes(b"whole")
        return Emitted(["model.deed", "../../outside"])

    def run(self, files, inputs, work):
        return {"y": object()}


if __name__ == "__main__":
    serve(MisbehavingAdapter())
