"""All settings of a running Narke: flags, environment, a TOML file, defaults, in this order; read once, handed down.

The only module that reads the environment. Light to import: no Ray, no FastAPI, no database driver.
Unknown names are refused on every level, because a misspelt setting that is ignored is found at the worst time.
"""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as SourceError

from actors.cost_settings import CostSettings
from actors.diagnostics_settings import DiagnosticsSettings
from actors.provisioning_settings import ProvisioningSettings, TransactionSettings
from actors.settings import ActorSettings, AuthorizationSettings
from deploy.settings_catalogue import FILLED_IN, env_name_of, masked, setting_of, settings_of, similar_to, text_of
from engine.model.ids import DEFAULT_TENANT
from ingress.http.settings import HttpSettings, LocalListSettings
from ingress.settings import OcppSettings
from smartcharging.planning.settings import PlannerSettings
from storage.authority.settings import CertificateSettings
from storage.postgres_settings import PostgresSettings
from storage.redis_settings import RedisSettings

ENV_PREFIX = "NARKE_"
CONFIG_FILE = "narke.toml"

# Variables that are no settings: of the CLI as a client of a running system, of our tests, and what Kubernetes puts
# into every container beside a Service called narke.
FOREIGN_VARIABLES = re.compile(
    r"NARKE_(URL|API_KEY|CONFIG|TEST_\w+|(\w+_)?SERVICE_(HOST|PORT\w*)|(\w+_)?PORT(_\d+_(TCP|UDP)(_\w+)?)?)"
)


class SettingsError(Exception):
    """Settings cannot be used. `problems`: one sentence each that says where, what was expected and what to do."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class LogSettings(BaseModel, frozen=True, extra="forbid"):
    """The section `[log]`."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least level that is logged.")
    format: Literal["json", "console"] = Field(
        "console", description="json: one object a line, for machines; console: for people."
    )


class RaySettings(BaseModel, frozen=True, extra="forbid"):
    """The section `[ray]`."""

    address: str | None = Field(
        None,
        pattern=r"^(auto|ray://\S+|[^\s:/]+:\d{1,5})$",
        description="The Ray cluster to join: auto (one that runs on this machine) or host:port; "
        "none: Narke starts its own on this machine.",
    )
    namespace: str = Field(
        "narke", min_length=1, max_length=100, description="Ray namespace that Narke's actors live in."
    )
    object_store_mb: int = Field(
        150, ge=80, le=1_000_000, description="Ray's object store in MB, when Narke starts Ray. Narke needs little."
    )


class ServersSettings(BaseModel, frozen=True, extra="forbid"):
    """The section `[servers]`."""

    postgres_url: SecretStr | None = Field(
        None,
        description="Your PostgreSQL (15 to 18), postgresql://user:password@host:port/database; "
        "none: Narke starts its own in the data directory.",
    )
    redis_url: SecretStr | None = Field(
        None,
        description="Your Redis (6.2 or later, appendonly yes, appendfsync always), redis://:password@host:port/0; "
        "none: Narke starts its own in the data directory.",
    )
    start_s_max: float = Field(
        120.0,
        ge=5,
        le=3600,
        description="Seconds that an embedded server may take to start, recovery after a crash included.",
    )

    @field_validator("postgres_url")
    @classmethod
    def _url_is_of_postgres(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError(
                "a PostgreSQL URL starts with postgresql://, e.g. postgresql://narke:secret@db.example/narke"
            )
        return value

    @field_validator("redis_url")
    @classmethod
    def _url_is_of_redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            try:
                RedisSettings(url=value)
            except ValidationError as error:
                raise ValueError(_words_of(error.errors()[0])) from None
        return value


class Settings(BaseSettings):
    """Everything. `Settings(...)` reads nothing from outside; `load` does."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=ENV_PREFIX, env_nested_delimiter="__", validate_default=True
    )

    data_dir: Path = Field(
        default_factory=lambda: default_data_dir(),  # noqa: PLW0108 (defined below; found when called)
        description="Folder of Narke's data: embedded servers, logs, keys, the run file. "
        "Default: $XDG_DATA_HOME/narke, else ~/.local/share/narke.",
    )
    tenant: str = Field(
        DEFAULT_TENANT,
        pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$",
        description="The operator whose stations these are; every row carries it.",
    )
    log: LogSettings = Field(LogSettings(), description="What is logged, and how.")
    ray: RaySettings = Field(RaySettings(), description="The Ray cluster.")
    servers: ServersSettings = Field(ServersSettings(), description="Where PostgreSQL and Redis are.")
    ocpp: OcppSettings = Field(OcppSettings(), description="The door for stations.")
    http: HttpSettings = Field(HttpSettings(), description="The door for people and programs.")
    actors: ActorSettings = Field(ActorSettings(), description="The actors that host stations.")
    authorization: AuthorizationSettings = Field(
        AuthorizationSettings(), description="Tokens: what is decided beyond their records; payments at stations."
    )
    local_lists: LocalListSettings = Field(LocalListSettings(), description="Local authorization lists of stations.")
    redis: RedisSettings = Field(RedisSettings(), description="How the journal uses Redis.")
    postgres: PostgresSettings = Field(PostgresSettings(), description="How PostgreSQL is used.")
    provisioning: ProvisioningSettings = Field(
        ProvisioningSettings(), description="What stations are asked and told around their boots."
    )
    transactions: TransactionSettings = Field(TransactionSettings(), description="Rules of transactions.")
    costs: CostSettings = Field(default=CostSettings(), description="Costs of transactions.")
    diagnostics: DiagnosticsSettings = Field(
        DiagnosticsSettings(), description="Firmware, logs, reports and event streams."
    )
    certificates: CertificateSettings = Field(CertificateSettings(), description="Who signs certificates, and how.")
    planner: PlannerSettings = Field(PlannerSettings(), description="The planning of whole sites.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what it is given: `load` reads the other sources itself, to know where each value came from."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @model_validator(mode="after")
    def _doors_differ(self) -> Self:
        if self.ocpp.port == self.http.port != 0:
            raise ValueError(f"ocpp.port and http.port are both {self.ocpp.port}: give them different ports")
        if self.ocpp.has_tls and self.ocpp.tls_port == self.http.port != 0:
            raise ValueError(f"ocpp.tls_port and http.port are both {self.http.port}: give them different ports")
        return self

    def with_servers(self, *, postgres_url: str, redis_url: str) -> Self:
        """These settings with the servers that are used, embedded or not, filled in for all processes."""
        servers = {"postgres_url": SecretStr(postgres_url), "redis_url": SecretStr(redis_url)}
        return self.model_copy(
            update={
                "servers": self.servers.model_copy(update=servers),
                "redis": self.redis.model_copy(update={"url": servers["redis_url"]}),
            }
        )


class Flag(NamedTuple):
    """A value from the command line; `name` is what the user typed, e.g. `--port`."""

    name: str
    value: object


class Loaded(NamedTuple):
    """Settings and where they came from. `origins`: by path (`ocpp.port`); a path that is absent is a default."""

    settings: Settings
    origins: Mapping[str, str]
    config_file: Path | None


def environment() -> Mapping[str, str]:
    """The environment of this process; for whoever must know it, because nobody else may read it."""
    return os.environ  # noqa: TID251 (this is the module that the ban names)


def default_data_dir(environ: Mapping[str, str] | None = None) -> Path:
    """`NARKE_DATA_DIR`, else `$XDG_DATA_HOME/narke`, else `~/.local/share/narke`."""
    environ = environment() if environ is None else environ
    if own := environ.get(f"{ENV_PREFIX}DATA_DIR"):
        return Path(own).expanduser().absolute()
    if (xdg := environ.get("XDG_DATA_HOME")) and Path(xdg).is_absolute():  # the XDG specification: ignore relative ones
        return Path(xdg) / "narke"
    return Path("~/.local/share/narke").expanduser()


def load(
    flags: Mapping[str, Flag] | None = None, *, config: Path | None = None, environ: Mapping[str, str] | None = None
) -> Loaded:
    """Reads all sources and judges them together.

    Args:
        flags: By path (`ocpp.port`). They win over everything.
        config: The TOML file; None: `narke.toml` in the data directory, if there is one.
        environ: None: the environment of this process.

    Raises:
        SettingsError: With every problem found, not only the first.
    """
    flags = flags or {}
    environ = environment() if environ is None else environ
    origins: dict[str, str] = {}
    file, of_file = _from_file(_config_file(flags, config, environ), explicit=config is not None)
    of_environment = _from_environment(environ)
    of_flags = _nested(flags)
    _refuse_filled_in(of_file, str(file))
    _refuse_filled_in(of_flags, "flag")
    merged: dict[str, Any] = {"data_dir": default_data_dir(environ)}
    for source, values in ((str(file), of_file), ("environment", of_environment), ("flag", of_flags)):
        _merge(merged, values)
        for path in _paths(values):
            origins[path] = {"environment": env_name_of(path), "flag": _flag_name(flags, path)}.get(source, source)
    try:
        settings = Settings(**merged)
    except ValidationError as error:
        raise SettingsError(*(_problem(detail, origins, file) for detail in error.errors())) from None
    return Loaded(settings, origins, file)


def _config_file(flags: Mapping[str, Flag], config: Path | None, environ: Mapping[str, str]) -> Path | None:
    if config is not None:
        if not config.is_file():
            raise SettingsError(f"config file {config}: there is no such file. Create it or drop --config.")
        return config.absolute()
    data_dir = Path(str(flags["data_dir"].value)) if "data_dir" in flags else default_data_dir(environ)
    implied = data_dir.expanduser().absolute() / CONFIG_FILE
    return implied if implied.is_file() else None


def _from_file(file: Path | None, *, explicit: bool) -> tuple[Path | None, dict[str, Any]]:
    if file is None:
        return None, {}
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"config file {file} is not TOML: {error}. Correct that line.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"config file {file} cannot be read: {error}. It must be a readable UTF-8 file.") from None
    if "data_dir" in values and not explicit:
        raise SettingsError(
            f"data_dir in {file}: this file lies in the data directory itself. Remove the line, or name the file "
            "by --config."
        )
    return file, values


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """The nested values of all `NARKE_` variables.

    Raises:
        SettingsError: A variable names no setting, or its JSON is broken.
    """
    known = {env_name_of(setting.path): setting.path for setting in settings_of(Settings)}
    ours = {name: value for name, value in environ.items() if name.upper().startswith(ENV_PREFIX)}
    problems = [
        f"environment variable {name}: there is no such setting{similar_to(name.upper(), known)}. "
        "Correct or unset it; `narke config show` lists all."
        for name in sorted(ours)
        if name.upper() not in known and not FOREIGN_VARIABLES.fullmatch(name.upper())
    ]
    problems += _json_problems(ours, known)
    if problems:
        raise SettingsError(*problems)
    try:
        return dict(_Environment(ours)())
    except SourceError as error:
        raise SettingsError(f"environment: {error}. Lists and tables are written as JSON.") from None


def _json_problems(variables: Mapping[str, str], known: Mapping[str, str]) -> list[str]:
    """Lists and tables are JSON in the environment; pydantic-settings would name the section only."""
    problems = []
    for name, text in variables.items():
        setting = setting_of(Settings, known.get(name.upper(), ""))
        if setting is not None and setting.expected.startswith(("a list", "a table")):
            try:
                json.loads(text)
            except ValueError:
                example = '["a", "b"]' if setting.expected.startswith("a list") else '{"a": "b"}'
                problems.append(
                    f"environment variable {name} is {text!r}: expected {setting.expected}, as JSON: {example}"
                )
    return problems


class _Environment(EnvSettingsSource):
    """pydantic-settings' reader of the environment, over a mapping that is handed to it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._given = {name.lower(): value for name, value in environ.items()}
        super().__init__(Settings, env_parse_none_str="none")

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name: None if value.lower() == "none" else value for name, value in self._given.items()}


def _refuse_filled_in(values: Mapping[str, Any], place: str) -> None:
    """What deploy fills in cannot be set: it would look as if it had an effect."""
    for path, instead in FILLED_IN.items():
        section, _, key = path.partition(".")
        if isinstance(values.get(section), dict) and key in values[section]:
            raise SettingsError(f"{path} ({place}) is filled in by Narke. Set {instead} ({env_name_of(instead)}).")


def _nested(flags: Mapping[str, Flag]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for path, flag in flags.items():
        *sections, key = path.split(".")
        inner = values
        for section in sections:
            inner = inner.setdefault(section, {})
        inner[key] = flag.value
    return values


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, dict) else value


def _paths(values: Mapping[str, Any], prefix: str = "") -> list[str]:
    paths: list[str] = []
    for key, value in values.items():
        path = f"{prefix}{key}"
        paths += _paths(value, f"{path}.") if isinstance(value, dict) and setting_of(Settings, path) is None else [path]
    return paths


def _flag_name(flags: Mapping[str, Flag], path: str) -> str:
    return flags[path].name if path in flags else ""


def _problem(detail: Any, origins: Mapping[str, str], file: Path | None) -> str:
    """One sentence for one of pydantic's errors: where, what it is, what was expected, what to do."""
    location = [str(part) for part in detail["loc"]]
    if not location:
        return f"{_words_of(detail)}."
    path = next(
        (p for n in range(len(location), 0, -1) if (p := ".".join(location[:n])) in origins), ".".join(location)
    )
    place = _place(path, origins.get(path), file)
    setting = setting_of(Settings, path)
    if setting is not None:
        shown = text_of(masked(path, SecretStr(str(detail["input"])) if setting.is_secret else detail["input"]))
        why = f" ({_words_of(detail)})" if detail["type"] == "value_error" else ""
        return (
            f"{place} is {shown!r}: expected {setting.expected}{why}. "
            f"Change it, or remove it for the default ({setting.default})."
        )
    if detail["type"] == "extra_forbidden":
        known = [each.path for each in settings_of(Settings)]
        return (
            f"{place}: there is no such setting{similar_to(path, known)}. Correct or remove it; "
            "`narke config show` lists all."
        )
    return f"{place} is {detail['input']!r}, but {path} is a section: write its settings below a line [{path}]."


def _words_of(detail: Any) -> str:
    return str(detail["ctx"]["error"]) if "error" in detail.get("ctx", {}) else str(detail["msg"])


def _place(path: str, origin: str | None, file: Path | None) -> str:
    if origin is None:
        return path
    if file is not None and origin == str(file):
        section, _, key = path.rpartition(".")
        return f"{key} in section [{section}] of {file}" if section else f"{key} in {file}"
    return f"{'environment variable ' if origin.startswith(ENV_PREFIX) else ''}{origin} ({path})"
