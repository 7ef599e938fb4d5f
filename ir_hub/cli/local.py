"""The services on this machine: started when they are needed, found again, stopped."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from ir_hub import health
from ir_hub.environments import SetupError, python_of
from ir_hub.hub.settings import Settings

Report = Callable[[str], None]

HUB = "hub"
_READY_SECONDS = 300.0
_ANSWER_SECONDS = 20.0
_STOP_SECONDS = 40.0
_END_SECONDS = 5.0
_POLL_SECONDS = 0.05
_LOG_LINES = 12
_MEMORY_SHARE = 0.75  # of the machine's
_ROOT = Path(__file__).resolve().parents[2]


class ServiceError(RuntimeError):
    """A service can't be started or doesn't answer; the message says what to do."""


@dataclass(frozen=True)
class Service:
    """A service that was started, as its file in the `run` folder says.

    `began` is when its process began, in seconds since 1970: process ids are used again. `code`
    is a digest of the code that it runs.
    """

    name: str
    kind: str
    address: str
    pid: int
    began: float
    store: str
    code: str

    def is_alive(self) -> bool:
        """Whether the very process that was started still runs."""
        try:
            process = psutil.Process(self.pid)
            return abs(process.create_time() - self.began) < 1 and process.status() != "zombie"
        except psutil.Error:
            return False

    def answers(self, settings: Settings, seconds: float) -> bool:
        """Whether it says that it serves."""
        is_hub = self.name == HUB
        access = settings.hub_access() if is_hub else settings.adapter_access()
        return not health.problem(self.address, access, seconds=seconds)


class LocalServices:
    """Those of one home folder. Several commands may use it at once."""

    def __init__(self, settings: Settings, report: Report = lambda _line: None) -> None:
        self._settings = settings
        self._run = settings.run
        self._report = report
        self._log_begins: dict[str, int] = {}

    def running(self) -> dict[str, Service]:
        """The services whose processes run, by name."""
        found = {}
        for path in sorted(self._run.glob("*.json")):
            with suppress(OSError, ValueError, TypeError):
                service = Service(**json.loads(path.read_text()))
                if service.is_alive():
                    found[service.name] = service
        return found

    def ensure(self, adapters: Sequence[str]) -> Service:
        """The hub, when it and the named adapters run and answer; starts what doesn't.

        Raises:
            SetupError: an environment is missing; nothing has been started then.
            ServiceError: a service can't be started, or doesn't answer.
        """
        wanted = {name: python_of(name, self._settings.home) for name in adapters}
        self._run.mkdir(parents=True, exist_ok=True)
        with self._locked():
            running = self._current((HUB, *wanted))
            absent = {name: path for name, path in wanted.items() if name not in running}
            if HUB not in running:
                absent[HUB] = Path(sys.executable)
            running |= self._started(absent)
        for name in (HUB, *adapters):
            if not running[name].answers(self._settings, _ANSWER_SECONDS):
                raise ServiceError(
                    f"{name} runs as process {running[name].pid}, but doesn't answer at "
                    f"{running[name].address}. Look at {self._log(name)}; `irhub down` stops it."
                )
        return running[HUB]

    def stop(self) -> list[str]:
        """Stops all services, the hub first; their names."""
        with self._locked():
            running = self.running()
            ordered = sorted(running, key=lambda name: name != HUB)
            for name in ordered:
                self._stop(running[name])
            for path in self._run.glob("*.json"):
                path.unlink(missing_ok=True)
        return ordered

    def _current(self, wanted: Sequence[str]) -> dict[str, Service]:
        """What runs; of what is wanted, what runs other code than ours is stopped."""
        running = self.running()
        for name in wanted:
            if name in running and running[name].code != _code_of(name):
                self._report(f"restarting {name}: irhub has changed")
                self._stop(running.pop(name))
        return running

    def _started(self, absent: Mapping[str, Path]) -> dict[str, Service]:
        """Starts services, by name and interpreter, adapters all at once, and waits for them. When
        one can't be started, those that nobody could find again don't stay."""
        begun: dict[str, subprocess.Popen[bytes]] = {}
        ready: dict[str, Service] = {}
        try:
            # The hub last: it goes on at once with what an earlier one hadn't ended.
            for group in (absent.keys() - {HUB}, absent.keys() & {HUB}):
                begun |= {name: self._start(name, absent[name]) for name in sorted(group)}
                for name in sorted(group):
                    self._report(f"starting {name}")
                    ready[name] = self._await(name, begun[name])
        except BaseException:
            _end([process for name, process in begun.items() if name not in ready])
            raise
        return ready

    def _start(self, name: str, python: Path) -> subprocess.Popen[bytes]:
        settings = self._settings
        command: list[str | Path]
        if name == HUB:
            paths = {"home": settings.home, "store": settings.store, "run": settings.run}
            flags = [f"--{key}={path}" for key, path in paths.items()]
            command = [python, "-m", "ir_hub.hub", *flags, f"--database={settings.database}"]
        else:
            command = [python, "-m", f"adapters.{name}", f"--store={settings.store}"]
            command.append(f"--memory-limit={_worker_bytes(settings)}")
            if settings.store_bytes is not None:
                command.append(f"--store-limit={settings.store_bytes}")
        with open(self._said(name), "wb") as said, open(self._log(name), "ab") as log:
            self._log_begins[name] = log.tell()
            # A session of its own: Ctrl-C in the terminal isn't for it.
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=log,
                cwd=self._run,
                start_new_session=True,
            )

    def _await(self, name: str, process: subprocess.Popen[bytes]) -> Service:
        """Waits for the line that says where a service listens, and notes it."""
        until = time.monotonic() + _READY_SECONDS
        while time.monotonic() < until:
            line = self._said(name).read_bytes()
            if line.endswith(b"\n"):
                return self._note(name, json.loads(line))
            if process.poll() is not None:
                raise ServiceError(f"{name} can't start: {self._last_words(name)}")
            time.sleep(_POLL_SECONDS)
        raise ServiceError(f"{name} isn't ready after {_READY_SECONDS:g} s: see {self._log(name)}")

    def _note(self, name: str, said: dict[str, object]) -> Service:
        pid = int(str(said["pid"]))
        service = Service(
            name=name,
            kind="hub" if name == HUB else "adapter",
            address=str(said["address"]),
            pid=pid,
            began=psutil.Process(pid).create_time(),
            store=str(self._settings.store),
            code=_code_of(name),
        )
        partial = self._run / f".{name}.json"
        partial.write_text(json.dumps(asdict(service)))
        partial.replace(self._run / f"{name}.json")
        return service

    def _stop(self, service: Service) -> None:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(service.pid)
            process.send_signal(signal.SIGTERM)
            until = time.monotonic() + _STOP_SECONDS
            # Not process.wait: what has ended is there until whoever started it takes note.
            while service.is_alive() and time.monotonic() < until:
                time.sleep(_POLL_SECONDS)
            if service.is_alive():
                process.kill()
        (self._run / f"{service.name}.json").unlink(missing_ok=True)

    def _last_words(self, name: str) -> str:
        with open(self._log(name), errors="replace") as log:
            log.seek(self._log_begins[name])
            lines = log.read().strip().splitlines()
        return " ".join(lines[-_LOG_LINES:])[-1500:] or "it said nothing"

    def _log(self, name: str) -> Path:
        return self._run / f"{name}.log"

    def _said(self, name: str) -> Path:
        return self._run / f"{name}.out"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._run.mkdir(parents=True, exist_ok=True)
        with open(self._run / "lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._report("waiting for another irhub that starts services")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def installed(names: Sequence[str], settings: Settings) -> list[str]:
    """Those of the adapters whose environments are there."""
    found = []
    for name in names:
        with suppress(SetupError):
            python_of(name, settings.home)
            found.append(name)
    return found


def _worker_bytes(settings: Settings) -> int:
    """What a worker may take: what the settings say, but never so much that the machine has none
    left for everybody else."""
    return min(settings.worker_bytes, int(psutil.virtual_memory().total * _MEMORY_SHARE))


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ends processes of ours, the ones that don't listen by force."""
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _code_of(name: str) -> str:
    """A digest of the code that a service runs, by the files' sizes and times."""
    folders = [_ROOT / "ir_hub"] + ([] if name == HUB else [_ROOT / "adapters" / name])
    digest = hashlib.sha256()
    for path in sorted(path for folder in folders for path in folder.rglob("*.py")):
        status = os.stat(path)
        digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]
