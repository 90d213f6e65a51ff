"""What every client command has: the options that name a Narke, a way to it, and failures told without a traceback."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli.client import Api
from deploy.cli.connection import Named, address_of
from deploy.cli.errors import CliError

_PANEL = "Which Narke"

DataDir = Annotated[
    Path | None,
    typer.Option(help="Data directory of the Narke to speak to.", rich_help_panel=_PANEL, show_default=False),
]
Url = Annotated[str | None, typer.Option(help="Its HTTP address instead.", rich_help_panel=_PANEL, show_default=False)]
Key = Annotated[str | None, typer.Option(help="API key.", rich_help_panel=_PANEL, show_default=False)]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Station = Annotated[str, typer.Argument(help="OCPP identity of the station; case matters.", show_default=False)]
Limit = Annotated[int, typer.Option(min=0, help="Rows at most; 0: all.")]
Evse = Annotated[int | None, typer.Option(min=0, help="EVSE, from 1 (OCPP 1.6: connectorId).", show_default=False)]
Connector = Annotated[int | None, typer.Option(min=0, help="Connector of the EVSE, from 1.", show_default=False)]
Deadline = Annotated[
    float | None, typer.Option(min=0.1, help="Seconds that the station has to answer.", show_default="as Narke is set")
]


class Reach:
    """The way to Narke, gone when first needed."""

    def __init__(self, named: Named) -> None:
        self.named = named

    def api(self) -> Api:
        """A connection. Raises CliError."""
        return Api(address_of(self.named))


def client_command(app: typer.Typer, name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Registers a function as a command. Its first parameter is a `Reach`; the others are typer's."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(function).parameters.values())[1:]
        common = [
            _keyword("data_dir", DataDir),
            _keyword("url", Url),
            _keyword("key", Key),
        ]

        @functools.wraps(function)
        def run(ctx: typer.Context, data_dir: Path | None, url: str | None, key: str | None, **values: Any) -> None:
            before = ctx.find_object(Named) or Named()
            try:
                function(Reach(Named(data_dir, url, key).over(before)), **values)
            except CliError as error:
                error.tell()
                raise typer.Exit(error.code) from None

        context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
        parameters = [context, *own, *common]
        parameters.sort(key=lambda parameter: parameter.kind)
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # inspect reads it from there
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        app.command(name)(run)
        return function

    return register


def _keyword(name: str, annotation: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
