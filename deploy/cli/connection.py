"""How a command finds Narke: by URL and key, or by the run file of a data directory. Imports nothing heavy."""

from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from deploy.cli.errors import CliError, ExitCode, usage
from ingress.http.keys import KEY_FILE, stored_key

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Named(NamedTuple):
    """What the user named on the command line or in the environment. None: nothing."""

    data_dir: Path | None = None
    url: str | None = None
    key: str | None = None

    def over(self, other: "Named") -> "Named":
        """This, and `other` where this names nothing."""
        return Named(self.data_dir or other.data_dir, self.url or other.url, self.key or other.key)

    @property
    def directory(self) -> Path:
        """The data directory, the default one where none was named."""
        from deploy.settings import default_data_dir  # noqa: PLC0415 (pydantic: not for --help)

        return default_data_dir() if self.data_dir is None else self.data_dir.expanduser().absolute()


class Address(NamedTuple):
    """Where Narke answers, and the key to it. `local`: on this machine, so no proxy is asked."""

    url: str
    key: str
    local: bool


def address_of(named: Named) -> Address:
    """Where to go.

    Raises:
        CliError: No Narke runs there, or there is no key to it.
    """
    if named.url is not None:
        url, local = _checked(named.url)
        return Address(url, named.key or _key_of_directory(named.directory, url, local=local), local)
    return _running(named)


def _checked(url: str) -> tuple[str, bool]:
    """Raises CliError: it is no http address."""
    try:
        parts = urlsplit(url)
        scheme, host, _ = parts.scheme, parts.hostname, parts.port
    except ValueError:
        scheme, host = "", None
    if host is None or scheme not in {"http", "https"}:
        raise usage(f"--url: {url!r} is no address of Narke's API", "write it as http://127.0.0.1:8080")
    return url.rstrip("/").removesuffix("/api/v1"), host in _LOOPBACK


def _key_of_directory(directory: Path, url: str, *, local: bool) -> str:
    """The key on disk, for a Narke on this machine only: it must not travel to whoever a URL names."""
    key = _stored(directory) if local else None
    if key is None:
        raise CliError(f"there is no API key for {url}", "give one with --key or NARKE_API_KEY", ExitCode.USAGE)
    return key


def _running(named: Named) -> Address:
    from deploy import run_file  # noqa: PLC0415 (psutil and msgspec: not for --help)

    directory = named.directory
    try:
        state = run_file.read(directory)
    except run_file.RunFileBroken as error:
        raise CliError(str(error), "or name a Narke with --url", ExitCode.UNREACHABLE) from error
    todo = "start it with `narke up`, name its data directory with --data-dir, or name one with --url"
    if state is None:
        raise CliError(f"no Narke is running in {directory}", todo, ExitCode.UNREACHABLE)
    if not state.running:
        what = f"no Narke is running in {directory}: the process {state.info.pid} of its run file is gone"
        raise CliError(what, todo, ExitCode.UNREACHABLE)
    key = named.key or _stored(directory)
    if key is None:
        raise CliError(
            f"{directory / KEY_FILE} holds no API key", "give one with --key or NARKE_API_KEY", ExitCode.USAGE
        )
    return Address(state.info.http_url.rstrip("/"), key, local=True)


def _stored(directory: Path) -> str | None:
    try:
        return stored_key(directory)
    except OSError as error:
        todo = "be the user that Narke runs as, or give a key with --key or NARKE_API_KEY"
        raise CliError(
            f"{directory / KEY_FILE} cannot be read: {error.strerror}", todo, ExitCode.UNREACHABLE
        ) from error
