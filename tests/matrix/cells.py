"""The cells of the matrix: networks from each framework to each, measured by their runtimes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ir_hub.ir.dims import symbol
from ir_hub.ir.types import DType, TensorType
from ir_hub.sdk.tensors import write_types
from irhub.adapter.v1 import adapter_pb2
from irhub.hub.v1 import hub_pb2
from irhub.ir.v1 import ir_pb2
from tests.matrix.services import Services
from tests.models.files import ENDINGS, files
from tests.models.networks import NETWORKS

FRAMEWORKS = ("onnx", "pytorch", "tensorflow", "mxnet")

# What a framework writes unless it is asked for more can't always be read again.
_READABLE = {"pytorch": "pt2"}
_SHOWN = 300  # characters of a reason


@dataclass(frozen=True)
class Cell:
    """A network, the framework that it comes from, and that which it goes to."""

    network: str
    source: str
    target: str

    @property
    def native(self) -> str:
        """The framework that the network starts in: the source, if that has it."""
        natives = NETWORKS[self.network].natives
        return self.source if self.source in natives else next(iter(natives))


@dataclass(frozen=True)
class Found:
    """What came of a cell; `reason` says why it isn't right, and is empty if it is."""

    seconds: float
    error: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Source:
    """A model's files, the types of its inputs where they don't say them, or why there is none."""

    files: Sequence[adapter_pb2.File] = ()
    inputs: dict[str, ir_pb2.TensorType] = field(default_factory=dict)
    reason: str = ""


def cells_of(network: str) -> Iterator[Cell]:
    """All cells of a network, those that start in a framework which has it first."""
    natives = NETWORKS[network].natives
    for source in sorted(FRAMEWORKS, key=lambda name: name not in natives):
        for target in FRAMEWORKS:
            yield Cell(network, source, target)


class Matrix:
    """Measures cells; a network is made, or converted to be a source, when it is first needed."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._sources: dict[tuple[str, str], Source] = {}

    def measure(self, cell: Cell) -> Found:
        """Convert the cell's network, and judge what the comparison of the two models says."""
        source = self._source(cell)
        if source.reason:
            return Found(0.0, reason=f"no source: {source.reason}")
        start = time.perf_counter()
        conversion = self._convert(source, cell.source, cell.target)
        seconds = time.perf_counter() - start
        if conversion.state != hub_pb2.Conversion.STATE_SUCCEEDED:
            return Found(seconds, reason=reason_of(conversion.failure))
        error = conversion.comparison.max_error
        doubt = _doubt(conversion.comparison, NETWORKS[cell.network].tolerance)
        return Found(seconds, error, doubt)

    def _source(self, cell: Cell) -> Source:
        key = (cell.network, cell.source)
        if key not in self._sources:
            self._sources[key] = (
                self._native(*key) if cell.source == cell.native else self._chained(cell)
            )
        return self._sources[key]

    def _native(self, network: str, framework: str) -> Source:
        uploaded = self._services.upload(*files(framework, network))
        if framework != "mxnet":
            return Source(uploaded)
        (given,) = NETWORKS[network].natives[framework]  # a symbol doesn't say what it takes
        type_ = TensorType(DType.FLOAT32, (symbol("batch"), *given.shape))
        return Source(uploaded, dict(write_types({"data": type_})))

    def _chained(self, cell: Cell) -> Source:
        """The network as it was converted from a framework that has it."""
        native = self._source(Cell(cell.network, cell.native, cell.source))
        format_ = _READABLE.get(cell.source, "")
        conversion = self._convert(native, cell.native, cell.source, format_)
        if conversion.state != hub_pb2.Conversion.STATE_SUCCEEDED:
            return Source(reason=reason_of(conversion.failure))
        endings = ENDINGS[cell.source]
        return Source([f for end in endings for f in conversion.files if f.name.endswith(end)])

    def _convert(
        self, source: Source, framework: str, target: str, format_: str = ""
    ) -> hub_pb2.Conversion:
        return self._services.convert(
            hub_pb2.ConversionSpec(
                files=source.files,
                source=framework,
                target=target,
                format=format_,
                inputs=source.inputs,
            )
        )


def _doubt(comparison: hub_pb2.Comparison, tolerance: float) -> str:
    """Why a comparison isn't the proof that is wanted, if it isn't."""
    batches = {tuple(output.inputs) for output in comparison.outputs}
    if not comparison.max_error <= tolerance:
        return f"its error {comparison.max_error:.1e} is more than {tolerance:.0e}"
    return "" if len(batches) > 1 else "the batch is fixed"


def reason_of(failure: hub_pb2.Failure) -> str:
    """Why a conversion failed, in a line."""
    problems = [f"{problem.subject}: {problem.description}" for problem in failure.problems]
    said = " ".join("; ".join(problems or [failure.message]).split())
    return f"{failure.stage} {failure.reason}: {said[:_SHOWN]}"
