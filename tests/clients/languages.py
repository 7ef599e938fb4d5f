"""How the client of each language is built and started."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROTOS = sorted((ROOT / "protos" / "irhub").rglob("*.proto"))

Command = Sequence[str | Path]

# Debian's packages of gRPC for Java, and what they need.
_JARS = (
    *("grpc-api", "grpc-context", "grpc-core", "grpc-netty", "grpc-protobuf"),
    *("grpc-protobuf-lite", "grpc-stub", "protobuf", "guava", "failureaccess", "perfmark-api"),
    *("perfmark-impl", "netty-all", "netty-buffer", "netty-codec", "netty-codec-http"),
    *("netty-codec-http2", "netty-common", "netty-handler", "netty-resolver", "netty-transport"),
    "netty-tcnative",
    *("netty-transport-native-unix-common", "error_prone_annotations", "jsr305"),
    "geronimo-annotation-1.3-spec",
)
_JAVA_FOLDER = Path("/usr/share/java")
_GO_FOLDER = Path("/usr/share/gocode")


@dataclass(frozen=True)
class Language:
    """A client: the tools that building it takes, the packages of Debian that have them, and the
    commands that build and start it in a folder of its own, which holds a copy of its code."""

    tools: tuple[str, ...]
    packages: str
    build: Callable[[Path], Sequence[Command]]
    start: Callable[[Path], Command]
    environment: Callable[[Path], Mapping[str, str]] = field(default=lambda _folder: {})

    def missing(self) -> list[str]:
        """The tools that this machine doesn't have."""
        return [tool for tool in self.tools if shutil.which(tool) is None]


def _protoc(*options: str | Path) -> Command:
    return ["protoc", f"-I{ROOT / 'protos'}", *options, *PROTOS]


def _go_build(folder: Path) -> Sequence[Command]:
    parts = (path.relative_to(ROOT / "protos") for path in PROTOS)
    packages = ",".join(f"M{part.as_posix()}={part.parent.as_posix()}" for part in parts)
    generated = folder / "go" / "src"
    return [
        _protoc(f"--go_out={packages}:{generated}", f"--go-grpc_out={packages}:{generated}"),
        ["go", "vet", "."],
        ["go", "build", "-o", "client", "."],
    ]


def _go_environment(folder: Path) -> Mapping[str, str]:
    (folder / "go" / "src").mkdir(parents=True, exist_ok=True)
    # Debian's packages lie in a GOPATH; with modules these two lines are not needed.
    return {"GO111MODULE": "off", "GOPATH": f"{folder / 'go'}{os.pathsep}{_GO_FOLDER}"}


def _classpath(folder: Path) -> str:
    jars = (_JAVA_FOLDER / f"{name}.jar" for name in _JARS)
    return os.pathsep.join(map(str, (folder / "classes", *jars)))


def _java_build(folder: Path) -> Sequence[Command]:
    generated, native = folder / "generated", folder / "native"
    for made in (generated, native):
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
    # TLS of Debian's Netty is OpenSSL's, but the library has another name than Netty looks for.
    for library in Path("/usr/lib").glob("*/jni/libnetty-tcnative.so"):
        shutil.copy(library, native / "libnetty_tcnative.so")
    return [
        _protoc(
            f"--java_out={generated}",
            f"--grpc-java_out={generated}",
            f"--plugin=protoc-gen-grpc-java={shutil.which('grpc_java_plugin')}",
        ),
        [
            *("javac", "-d", "classes", "-cp", _classpath(folder)),
            *("-sourcepath", f"generated{os.pathsep}.", "Client.java"),
        ],
    ]


def _typescript_build(folder: Path) -> Sequence[Command]:
    generated = folder / "generated"
    generated.mkdir(exist_ok=True)
    options = "outputServices=grpc-js,env=node,forceLong=number,esModuleInterop=true"
    return [
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        _protoc(
            f"--plugin={folder / 'node_modules' / '.bin' / 'protoc-gen-ts_proto'}",
            f"--ts_proto_out={generated}",
            f"--ts_proto_opt={options},oneof=unions-value,importSuffix=.js",
        ),
        ["npx", "tsc"],
    ]


LANGUAGES = {
    "go": Language(
        ("go", "protoc", "protoc-gen-go", "protoc-gen-go-grpc"),
        "golang-go golang-google-grpc-dev golang-google-protobuf-dev "
        "golang-github-golang-protobuf-1-5-dev protobuf-compiler protoc-gen-go protoc-gen-go-grpc",
        _go_build,
        lambda folder: [folder / "client"],
        _go_environment,
    ),
    "java": Language(
        ("java", "javac", "protoc", "grpc_java_plugin"),
        "default-jdk-headless libgrpc-java libnetty-java libnetty-tcnative-java "
        "libnetty-tcnative-jni libperfmark-java protobuf-compiler "
        "protobuf-compiler-grpc-java-plugin",
        _java_build,
        lambda folder: [
            *("java", f"-Djava.library.path={folder / 'native'}"),
            *("-cp", _classpath(folder), "Client"),
        ],
    ),
    "typescript": Language(
        ("node", "npm", "protoc"),
        "nodejs npm protobuf-compiler",
        _typescript_build,
        lambda folder: ["node", folder / "client.js"],
    ),
}
