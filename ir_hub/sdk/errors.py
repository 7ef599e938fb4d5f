"""What an adapter can answer instead of a result; each kind has a reason that programs can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: the node, input or field, and what is wrong with it."""

    subject: str
    description: str


class AdapterError(Exception):
    """An error that is an answer. The text is for people: what, where, and what to do."""

    reason = "INTERNAL"

    def __init__(
        self,
        message: str,
        problems: Sequence[Problem] = (),
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.problems = tuple(problems)
        self.metadata = dict(metadata or {})


class BadModel(AdapterError):
    """The files aren't a model of the framework, or a broken one."""

    reason = "BAD_MODEL"


class BadRequest(AdapterError):
    """An option or input isn't known, or has no such value."""

    reason = "BAD_REQUEST"


class RunFailed(AdapterError):
    """The framework refused to run the model."""

    reason = "RUN_FAILED"


class Unauthenticated(AdapterError):
    """The caller didn't show that it may call."""

    reason = "UNAUTHENTICATED"


class UntrustedCode(AdapterError):
    """A file is code that this deployment didn't write; `problems` has every such file."""

    reason = "UNTRUSTED_CODE"


class UnsupportedNodes(AdapterError):
    """Some nodes can't be said; `problems` has every one of them. So many are `behind` them that
    can't be judged without their results."""

    reason = "UNSUPPORTED"

    def __init__(self, dialect: str, problems: Sequence[Problem], behind: int = 0) -> None:
        kinds = sorted({problem.description for problem in problems})
        shown = "; ".join(kinds[:10]) + ("; ..." if len(kinds) > 10 else "")
        nodes = "node is" if len(problems) == 1 else "nodes are"
        more = f" ({behind} more can't be checked without their results)" if behind else ""
        said = f"{len(problems)} {nodes} not supported by {dialect}{more}: {shown}"
        super().__init__(said, problems)


class BadGraph(AdapterError):
    """The IR is malformed; the message says which node or value, and why."""

    reason = "BAD_IR"


class OpsetSkew(AdapterError):
    """The IR is written in another version of the op set; metadata has `given` and `known`."""

    reason = "VERSION_SKEW"


class BlobsMissing(AdapterError):
    """Blobs aren't in the store; metadata has their `digests` and `count`."""

    reason = "BLOB_NOT_FOUND"


class NoRoom(AdapterError):
    """The store has no room for what the call would write."""

    reason = "STORE_FULL"


class WorkerCrashed(AdapterError):
    """The worker process died; metadata has `signal` or `exit_code`, and `peak_memory_bytes`."""

    reason = "WORKER_CRASHED"


class TimedOut(AdapterError):
    """The time that a call may take ran out; the work was stopped."""

    reason = "TIMED_OUT"


class Cancelled(AdapterError):
    """The caller went away; the work was stopped."""

    reason = "CANCELLED"


class Unreachable(AdapterError):
    """The service isn't there, or is about to stop; trying again may help."""

    reason = "UNAVAILABLE"


class Internal(AdapterError):
    """A fault of ours; metadata has the `type` of what was raised, the service's log the rest."""

    reason = "INTERNAL"


class Busy(AdapterError):
    """All workers are busy and enough calls are waiting; metadata has `retry_seconds`."""

    reason = "BUSY"

    @property
    def retry_seconds(self) -> float:
        """After how long it makes sense to try again."""
        return float(self.metadata.get("retry_seconds", "1"))
