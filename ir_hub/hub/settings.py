"""The settings of a hub: one typed object, from flags, the environment (IRHUB_*) and a file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from ir_hub.environments import DEFAULT_HOME

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
    adapters: Annotated[dict[str, str], NoDecode] = Field(
        {}, description="addresses of adapters: onnx=host:port,pytorch=host:port"
    )
    hub: str = Field("", description="a hub for the command to use instead of a local one")
    conversions: int = Field(2, ge=1, description="how many conversions run at a time")
    waiting: int = Field(100, ge=0, description="how many more may wait")
    workers: int = Field(2, ge=1, description="worker processes for the hub's own stages")
    stage_seconds: float = Field(1800.0, gt=0, description="how long a stage may take")
    worker_bytes: int = Field(
        16 << 30, gt=0, description="how much memory a worker process may take"
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
            f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()
        )
        raise BadSettings(
            f"The settings are wrong: {wrong}. Look at the flags, at the variables that begin "
            f"with IRHUB_, and at {FILE} in the home folder."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"{FILE} in the home folder is not TOML: {error}.") from error
