"""What the run needs of a machine: podman, its own storage, and a base image."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path

BASE = "docker.io/library/python:3.11-slim"
_PACKAGES = (
    *("podman", "buildah", "runc", "catatonit", "iptables", "iproute2"),
    *("containernetworking-plugins", "netavark", "aardvark-dns"),
)
# What the interpreter and its standard library are linked to.
_LIBRARIES = (
    *("ca-certificates", "netbase", "tzdata", "libbz2-1.0", "libexpat1", "libffi8", "libgdbm6"),
    *("liblzma5", "libncursesw6", "libreadline8", "libsqlite3-0", "libssl3", "libuuid1", "zlib1g"),
)
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_STAND_IN = """\
FROM scratch
ADD base.tar /
COPY python /
RUN ldconfig
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["python3"]
"""

Report = Callable[[str], None]


class Unfit(RuntimeError):
    """The run can't be made on this machine; the message says what to do."""


class Podman:
    """podman with storage, networks and settings in a folder of its own: the machine's stay as
    they are."""

    def __init__(self, folder: Path) -> None:
        self._settings = folder / "settings"
        self._settings.mkdir(parents=True, exist_ok=True)
        storage, containers = self._settings / "storage.conf", self._settings / "containers.conf"
        running = f"/run/irhub-e2e-{hashlib.sha256(bytes(folder)).hexdigest()[:8]}"
        storage.write_text(
            f'[storage]\ndriver = "overlay"\ngraphroot = "{folder}/storage"\n'
            f'runroot = "{running}"\n'
        )
        containers.write_text("\n".join(_containers_conf(folder)) + "\n")
        self.environ = {
            **os.environ,
            "BUILDAH_FORMAT": "docker",  # the other format has no health check
            "CONTAINERS_STORAGE_CONF": str(storage),
            "CONTAINERS_CONF": str(containers),
        }

    def __call__(self, *arguments: str | Path, seconds: float = 600) -> str:
        """What podman prints; Unfit with its own words when it fails."""
        done = self.run(*arguments, seconds=seconds)
        if done.returncode:
            raise Unfit(f"podman {arguments[0]} failed: {done.stderr.strip()[-2000:]}")
        return done.stdout

    def run(self, *arguments: str | Path, seconds: float = 600) -> subprocess.CompletedProcess[str]:
        """Its status and what it printed."""
        command = ["podman", *map(str, arguments)]
        return subprocess.run(
            command, env=self.environ, capture_output=True, text=True, timeout=seconds
        )

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """podman, not waited for; what it prints can be read line by line."""
        command = ["podman", *map(str, arguments)]
        return subprocess.Popen(command, env=self.environ, stdout=subprocess.PIPE, text=True)


def prepared(folder: Path, report: Report) -> Podman:
    """podman, ready to build on BASE and to run; raises Unfit."""
    _install(("podman",), _PACKAGES, report)
    podman = Podman(folder)
    if podman.run("image", "exists", BASE).returncode and podman.run("pull", "-q", BASE).returncode:
        report(f"no registry answers: {BASE} is a stand-in, of Debian packages and this Python")
        _make_base(podman, folder / "base", report)
    return podman


def _containers_conf(folder: Path) -> list[str]:
    lines = ["[containers]", 'default_ulimits = ["nofile=16384:16384", "nproc=16384:16384"]']
    lines += ["[engine]"]
    if not Path("/run/systemd/system").exists():
        lines += ['cgroup_manager = "cgroupfs"', 'events_logger = "file"']
    if not Path("/sys/fs/cgroup/cgroup.controllers").exists():
        lines += ['runtime = "runc"']  # crun refuses cgroups of both versions at once
    return [*lines, "[network]", f'network_config_dir = "{folder}/networks"']


def _install(programs: Sequence[str], packages: Sequence[str], report: Report) -> None:
    """Has these programs on the path, from Debian's packages where they are missing."""
    missing = [program for program in programs if not shutil.which(program)]
    if not missing:
        return
    if os.getuid() or not shutil.which("apt-get"):
        raise Unfit(
            f"{', '.join(missing)} is needed. On Debian, as root: apt-get install "
            f"--no-install-recommends {' '.join(packages)}"
        )
    report(f"installing {', '.join(missing)}")
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-q"], ["install", "-qy", "--no-install-recommends", *packages]):
        done = subprocess.run(["apt-get", *command], env=environ, capture_output=True, text=True)
        if done.returncode:
            raise Unfit(f"apt-get {command[0]} failed: {done.stderr.strip()[-1000:]}")


def _make_base(podman: Podman, folder: Path, report: Report) -> None:
    """Makes an image of BASE's name: a minimal Debian, and the Python that runs this."""
    if sys.version_info[:2] != (3, 11):
        raise Unfit("the stand-in base is a copy of this Python, which has to be 3.11")
    _install(("mmdebstrap",), ("mmdebstrap",), report)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        suite = _os_release()["VERSION_CODENAME"]
        command = ["mmdebstrap", "--quiet", "--variant=minbase"]
        command += [f"--include={','.join(_LIBRARIES)}", suite, str(folder / "base.tar")]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise Unfit(f"mmdebstrap failed: {done.stderr.strip()[-1000:]}")
        _copy_python(folder / "python" / "usr" / "local")
        certificates = folder / "python" / _CERTIFICATES.relative_to("/")
        certificates.parent.mkdir(parents=True)
        shutil.copy(_CERTIFICATES, certificates)  # those of a company's proxy too
        (folder / "Containerfile").write_text(_STAND_IN)
        podman("build", "--quiet", "--pull=never", "--tag", BASE, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy_python(target: Path) -> None:
    """The interpreter, its library and pip; nothing else that was installed into it."""
    prefix = Path(sys.base_prefix)
    library = Path("lib/python3.11")
    skip = shutil.ignore_patterns("__pycache__", "test", "site-packages", "*.a")
    shutil.copytree(prefix / library, target / library, symlinks=True, ignore=skip)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(prefix)}))
    shutil.copytree(site / "pip", target / library / "site-packages" / "pip")
    for shared in (prefix / "lib").glob("libpython3*.so*"):
        shutil.copy2(shared, target / "lib", follow_symlinks=False)
    (target / "bin").mkdir()
    shutil.copy2(prefix / "bin" / "python3.11", target / "bin")
    for name in ("python", "python3"):
        (target / "bin" / name).symlink_to("python3.11")


def _os_release() -> dict[str, str]:
    lines = Path("/etc/os-release").read_text().splitlines()
    pairs = (line.partition("=") for line in lines)
    return {name: text.strip('"') for name, _, text in pairs}
