"""The settings of a hub: one typed object, from flags, the environment (IRHUB_*) and a file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, FilePath, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from ir_hub.environments import DEFAULT_HOME
from ir_hub.sdk.security import Access, Listener

FILE = "config.toml"


class BadSettings(ValueError):
    """A setting has a value that it can't have, or isn't one; the message says which."""


class Settings(BaseSettings):
    """What can be set. What is said as a flag wins over the environment, that over the file."""

    model_config = SettingsConfigDict(env_prefix="IRHUB_", extra="forbid", frozen=True)

    home: Path = Field(DEFAULT_HOME, description="where everything below is by default")
    store: Path = Field(Path("store"), description="the folder of the blobs")
    store_bytes: int | None = Field(
        None, gt=0, description="how much the store may hold; none: as much as the disk"
    )
    database: Path = Field(
        Path("hub.sqlite"), description="the file with the conversions and the cached results"
    )
    run: Path = Field(
        Path("run"), description="where running services say their addresses, and their logs are"
    )
    address: str = Field("127.0.0.1:0", description="where the hub listens; port 0: a free one")
    tls_cert: FilePath | None = Field(None, description="certificate to serve TLS with, PEM")
    tls_key: FilePath | None = Field(None, description="its key, PEM")
    tls_client_ca: FilePath | None = Field(
        None, description="let in only clients with a certificate of this authority, PEM"
    )
    insecure: bool = Field(False, description="serve other machines without TLS")
    token_file: FilePath | None = Field(
        None, description="let in only callers with one of the bearer tokens here, one a line"
    )
    adapters: Annotated[dict[str, str], NoDecode] = Field(
        {},
        description="addresses of adapters: onnx=host:port,pytorch=host:port|host:port; each "
        "address that a name stands for is a replica",
    )
    adapter_seconds: float = Field(
        60.0, ge=0, description="how long work waits for an adapter that doesn't answer"
    )
    adapter_ca: FilePath | None = Field(
        None, description="reach the adapters by TLS; the authority of their certificates, PEM"
    )
    adapter_cert: FilePath | None = Field(
        None, description="the hub's own certificate for adapters that ask for one, PEM"
    )
    adapter_key: FilePath | None = Field(None, description="its key, PEM")
    hub: str = Field("", description="a hub for the command to use instead of a local one")
    hub_tls: bool = Field(False, description="reach the hub by TLS, of a well-known authority")
    hub_ca: FilePath | None = Field(
        None, description="reach the hub by TLS; the authority of its certificate, PEM"
    )
    hub_cert: FilePath | None = Field(
        None, description="the command's own certificate for a hub that asks for one, PEM"
    )
    hub_key: FilePath | None = Field(None, description="its key, PEM")
    hub_token_file: FilePath | None = Field(
        None, description="the bearer token that the command shows the hub; by TLS only"
    )
    conversions: int = Field(2, ge=1, description="how many conversions run at a time")
    waiting: int = Field(100, ge=0, description="how many more may wait")
    workers: int = Field(2, ge=1, description="worker processes for the hub's own stages")
    stage_seconds: float = Field(1800.0, gt=0, description="how long a stage may take")
    worker_bytes: int = Field(
        16 << 30, gt=0, description="how much memory a worker process may take"
    )
    metrics_address: str = Field(
        "",
        pattern=r"^$|.:\d+$",
        description="where to serve figures for Prometheus, by plain HTTP; none: nowhere",
    )
    otlp_endpoint: str = Field(
        "",
        pattern=r"^$|^https?://",
        description="where to send traces to, by OTLP's gRPC: http://host:4317; none: nowhere",
    )
    drain_seconds: float = Field(
        20.0, ge=0, description="how long conversions get to end when the hub is told to stop"
    )
    cached_actions: int = Field(
        100_000, gt=0, description="how many stages' results are remembered"
    )

    @field_validator("adapters", mode="before")
    @classmethod
    def _addresses(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        pairs = [pair.partition("=") for pair in given.split(",") if pair]
        if not all(name and address for name, _, address in pairs):
            raise ValueError("write onnx=host:port,pytorch=host:port")
        return {name.strip(): address.strip() for name, _, address in pairs}

    @field_validator("home", mode="after")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path.expanduser().absolute()

    def model_post_init(self, _context: Any) -> None:
        """Relative paths are below home."""
        for name in ("store", "database", "run"):
            # A frozen object is still being made here.
            object.__setattr__(self, name, self.home / getattr(self, name).expanduser())

    def listener(self) -> Listener:
        """Where the hub listens, and whom it lets in."""
        return Listener(
            self.address, self.tls_cert, self.tls_key, self.tls_client_ca, self.insecure
        )

    def adapter_access(self) -> Access:
        """How the hub reaches its adapters."""
        return Access(ca=self.adapter_ca, cert=self.adapter_cert, key=self.adapter_key)

    def hub_access(self) -> Access:
        """How the command reaches its hub."""
        return Access(self.hub_tls, self.hub_ca, self.hub_cert, self.hub_key, self.hub_token_file)

    @model_validator(mode="after")
    def _safe(self) -> Self:
        # Made to be checked: each refuses what contradicts itself.
        self.listener(), self.adapter_access(), self.hub_access()
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then the environment, then `config.toml` in home."""
        said = {**env_settings(), **init_settings()}
        home = Path(said.get("home", DEFAULT_HOME)).expanduser()
        file = TomlConfigSettingsSource(settings_cls, home / FILE)
        return init_settings, env_settings, file


def load(**flags: Any) -> Settings:
    """The settings that hold now; flags that are None count as not said.

    Raises:
        BadSettings: a setting isn't one, or has a value it can't have.
    """
    try:
        return Settings(**{name: flag for name, flag in flags.items() if flag is not None})
    except ValidationError as error:
        wrong = "; ".join(
            ": ".join((*map(str, item["loc"]), item["msg"])) for item in error.errors()
        )
        raise BadSettings(
            f"The settings are wrong: {wrong}. Look at the flags, at the variables that begin "
            f"with IRHUB_, and at {FILE} in the home folder."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"{FILE} in the home folder is not TOML: {error}.") from error
