"""Every setting as a row: path, environment name, what it accepts, default, description; read from the models."""

import difflib
import types
from collections.abc import Iterable
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin
from urllib.parse import urlsplit, urlunsplit

import annotated_types
from pydantic import BaseModel, SecretBytes, SecretStr
from pydantic.fields import FieldInfo

_WORD_OF_TYPE = {bool: "true or false", int: "an integer", float: "a number", str: "a text", Path: "a path"}
_SECRET_NAMES = ("password", "secret", "private_key")
MASK = "********"

# Not the user's to set: `deploy` fills them in, from the setting on the right or with the embedded server.
FILLED_IN = {"redis.url": "servers.redis_url"}


class Setting(NamedTuple):
    """One setting. `path`: `ocpp.port`; `expected`: its type and bounds in words; `default`: as shown to people."""

    path: str
    section: str
    env: str
    expected: str
    default: str
    description: str
    is_secret: bool


@cache
def settings_of(model: type[BaseModel], prefix: str = "") -> tuple[Setting, ...]:
    """All settings of a model and of the models in it, in the order of definition."""
    rows: list[Setting] = []
    for name, field in model.model_fields.items():
        path = f"{prefix}{name}"
        if (nested := _model_of(field)) is not None:
            rows += settings_of(nested, f"{path}.")
        elif path not in FILLED_IN:
            rows.append(_setting(path, field))
    return tuple(rows)


def setting_of(model: type[BaseModel], path: str) -> Setting | None:
    """The setting at a path; None: there is none, or it is a section."""
    return next((setting for setting in settings_of(model) if setting.path == path), None)


def env_name_of(path: str) -> str:
    """`ocpp.port` -> `NARKE_OCPP__PORT`."""
    return f"NARKE_{path.replace('.', '__').upper()}"


def similar_to(name: str, known: Iterable[str]) -> str:
    """A question to append to "there is no such setting", or nothing."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.7)
    return f"; did you mean {close[0]}?" if close else ""


def masked(path: str, value: Any) -> Any:
    """The value as it may be shown: secrets, and the password inside a URL, are replaced."""
    if isinstance(value, SecretStr) and "://" in (url := value.get_secret_value()):
        return masked_url(url)
    if isinstance(value, SecretStr | SecretBytes):
        return MASK
    if isinstance(value, str) and value and path.endswith(_SECRET_NAMES):
        return MASK
    return masked_url(value) if isinstance(value, str) and "://" in value else value


def masked_url(url: str) -> str:
    """The URL without its password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return MASK  # no URL that anybody could read, so nobody knows where its password is
    if parts.password is None:
        return url
    user_info, _, host = parts.netloc.rpartition("@")
    user = user_info.partition(":")[0]
    return urlunsplit(parts._replace(netloc=f"{user}:{MASK}@{host}"))


def text_of(value: Any) -> str:
    """A value as people write it in TOML or the environment."""
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case Enum():
            return str(value.value)
        case tuple() | list() | set() | frozenset():
            return "[" + ", ".join(text_of(item) for item in value) + "]"
        case dict():
            return "{" + ", ".join(f"{key} = {text_of(item)}" for key, item in value.items()) + "}"
        case _:
            return str(value)


def _setting(path: str, field: FieldInfo) -> Setting:
    default = "see description" if field.default_factory is not None else text_of(masked(path, field.default))
    if field.default_factory is not None and path != "data_dir":
        default = text_of(field.get_default(call_default_factory=True, validated_data={}))
    return Setting(
        path=path,
        section=path.rpartition(".")[0],
        env=env_name_of(path),
        expected=_expected(field),
        default=default or '""',
        description=field.description or "",
        is_secret="secret" in _expected(field),
    )


def _model_of(field: FieldInfo) -> type[BaseModel] | None:
    annotation = field.annotation
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _expected(field: FieldInfo) -> str:
    words = _type_words(field.annotation)
    bounds = _bounds(field.metadata)
    return f"{words}{bounds}"


def _type_words(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is Literal:
        return "one of " + ", ".join(str(word) for word in get_args(annotation))
    if annotation is SecretStr or annotation is SecretBytes:
        return "a text (secret)"
    if origin in (Union, types.UnionType):
        return " or ".join("none" if part is type(None) else _type_words(part) for part in get_args(annotation))
    if origin in (tuple, list, set, frozenset):
        return f"a list of {_type_words(get_args(annotation)[0]).removeprefix('a ').removeprefix('an ')}s"
    if origin is dict:
        key, value = get_args(annotation)
        return f"a table of {_type_words(key)} to {_type_words(value)}"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return "one of " + ", ".join(str(member.value) for member in annotation)
    return _WORD_OF_TYPE.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _bounds(metadata: Iterable[Any]) -> str:
    low = high = ""
    words: list[str] = []
    for item in metadata:
        low = _low_of(item) or low
        high = _high_of(item) or high
        if isinstance(item, annotated_types.MinLen | annotated_types.MaxLen):
            words.append(_length_of(item))
        elif (pattern := getattr(item, "pattern", None)) is not None:
            words.append(f"matching {pattern}")
    if low and high:
        words.insert(0, f"{low} to {high}")
    elif low:
        words.insert(0, low if low.startswith("above") else f"at least {low}")
    elif high:
        words.insert(0, high if high.startswith("below") else f"at most {high}")
    return "".join(f", {word}" for word in words)


def _low_of(item: Any) -> str:
    if isinstance(item, annotated_types.Ge):
        return str(item.ge)
    return f"above {item.gt}" if isinstance(item, annotated_types.Gt) else ""


def _high_of(item: Any) -> str:
    if isinstance(item, annotated_types.Le):
        return str(item.le)
    return f"below {item.lt}" if isinstance(item, annotated_types.Lt) else ""


def _length_of(item: annotated_types.MinLen | annotated_types.MaxLen) -> str:
    if isinstance(item, annotated_types.MinLen):
        return f"length at least {item.min_length}"
    return f"length at most {item.max_length}"
