"""Where the stages of a conversion are noted as they go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ir_hub.hub.outcome import Outcome
from ir_hub.hub.plan import STAGES, Plan
from ir_hub.sdk import telemetry
from ir_hub.sdk.status import answer
from ir_hub.sdk.worker import Progress
from irhub.hub.v1 import hub_pb2

_LEAST_STEP = 0.01


class Running:
    """A stage that runs; `tell` says how far it is, `end` what came of it."""

    def __init__(self, stage: hub_pb2.Stage, changed: Callable[[], None]) -> None:
        self._stage = stage
        self._changed = changed
        self._begun = time.monotonic()
        stage.state = hub_pb2.Stage.STATE_RUNNING
        changed()

    def tell(self, progress: Progress) -> None:
        """Notes progress; steps too small to see aren't passed on."""
        stage = self._stage
        step = progress.fraction - stage.progress
        if progress.message == stage.message and 0 <= step < _LEAST_STEP:
            return
        stage.message, stage.progress = progress.message, progress.fraction
        self.clock()
        self._changed()

    def end(self, outcome: Outcome) -> None:
        """Notes that it is done, unless it turned out that there was nothing to do."""
        skipped = outcome.facts.get("skipped", False)
        self._stage.state = hub_pb2.Stage.STATE_SKIPPED if skipped else hub_pb2.Stage.STATE_DONE
        self._stage.message = "nothing to do" if skipped else ""
        self._stage.progress = 1.0
        self._stage.cached = outcome.cached

    def clock(self) -> None:
        """Notes how long it has taken so far."""
        self._stage.seconds = time.monotonic() - self._begun


class Board:
    """The stages in a conversion's message; `changed` is called after every change."""

    def __init__(
        self, conversion: hub_pb2.Conversion, plan: Plan, changed: Callable[[], None]
    ) -> None:
        self._conversion = conversion
        self._changed = changed
        self._stages: dict[str, hub_pb2.Stage] = {}
        for name in STAGES:
            stage = conversion.stages.add(name=name, state=hub_pb2.Stage.STATE_WAITING)
            if name in plan.left_out:
                stage.state = hub_pb2.Stage.STATE_SKIPPED
                stage.message = plan.left_out[name]
            self._stages[name] = stage

    @contextmanager
    def stage(self, name: str) -> Iterator[Running]:
        """Runs a stage; an error inside ends it and the conversion, and goes on to the caller."""
        stage = self._stages[name]
        running = Running(stage, self._changed)
        try:
            with telemetry.span(f"stage {name}"):
                yield running
        except asyncio.CancelledError:
            stage.state, stage.message = hub_pb2.Stage.STATE_FAILED, "stopped"
            raise
        except Exception as error:
            stage.state = hub_pb2.Stage.STATE_FAILED
            self._fail(name, error)
            raise
        finally:
            running.clock()
        self._changed()

    def _fail(self, stage: str, error: Exception) -> None:
        meant = answer(error)
        failure = self._conversion.failure
        failure.stage, failure.reason, failure.message = stage, meant.reason, str(meant)
        failure.metadata.update(meant.metadata)
        for problem in meant.problems:
            failure.problems.add(subject=problem.subject, description=problem.description)
