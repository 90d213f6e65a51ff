"""Locust against a CSMS: `locust -f loadtests/locustfile.py --headless -u 1000 -r 100 -t 60s`. See docs/locust.md.

Stations of OCPP 1.6, 2.0.1 and 2.1 and REST operators. Each OCPP action is a row of Locust's statistics.
"""

import logging
import sys
from typing import Any

from locust import events
from locust.env import Environment
from locust.rpc import Message
from locust.runners import MasterRunner, WorkerRunner

from loadtests.swarm.greenlets import spawn_later
from loadtests.swarm.operators import Operator
from loadtests.swarm.options import OptionError, Options, Parser, add_arguments, options_of
from loadtests.swarm.preflight import Unready, check_rest, check_stations_door
from loadtests.swarm.scenarios import happening_of
from loadtests.swarm.setting import settle, swarm_of
from loadtests.swarm.shapes import HAPPENING, SHAPE_OF_NAME, name_of
from loadtests.swarm.users import Station16, Station21, Station201

__all__ = ["Operator", "Station16", "Station21", "Station201"]

WRONG_OPTION = 2
NO_SERVER = 1
STORM = "storm"
STOP_AFTER_S = 0.5
"""Locust is about to start users when it tells us of a test; it can be stopped once it has."""

log = logging.getLogger(__name__)


def on_parser(parser: Parser) -> None:
    """Our options beside Locust's."""
    add_arguments(parser)


def on_init(environment: Environment, **_: Any) -> None:
    """Checks what was asked for and whether the CSMS is there; ends with a sentence when not.

    A worker checks nothing: it gets its options from the master, when the test starts.
    """
    runner = environment.runner
    if runner is not None and not isinstance(runner, MasterRunner):
        runner.register_message(HAPPENING, on_happening)
    try:
        settle(environment)
        if isinstance(runner, WorkerRunner):
            return
        options = options_of(environment.parsed_options, environment.host)
        _choose_users(environment, options)
        _choose_tags(environment)
        _check_servers(environment, options)
    except OptionError as error:
        _end(str(error), WRONG_OPTION)
    except Unready as error:
        _end(str(error), NO_SERVER)
    _choose_shape(environment)


def on_test_start(environment: Environment, **_: Any) -> None:
    """A test begins: its options may be others than at the start of the process (web form, worker).

    Where they make no sense the test is stopped at once and Locust stays: somebody mistyped in the form.
    """
    parsed = environment.parsed_options
    if parsed is not None and not isinstance(environment.runner, WorkerRunner):
        parsed.shape = name_of(environment.shape_class)  # the web form chooses a class; workers get the option
    try:
        settle(environment)
    except OptionError as error:
        log.error("%s", error)  # noqa: TRY400 (the sentence says it all)
        assert environment.runner is not None
        spawn_later(STOP_AFTER_S, environment.runner.stop)


def on_happening(environment: Environment, msg: Message, **_: Any) -> None:
    """The scenario lets something happen."""
    swarm_of(environment).happen(happening_of(msg.data))


def _choose_users(environment: Environment, options: Options) -> None:
    """Without a key there are no operators."""
    if options.api_key is not None or Operator not in environment.user_classes:
        return
    asked_for = environment.parsed_options is not None and environment.parsed_options.user_classes
    if asked_for:
        raise OptionError("Operator needs a key: give --api-key or NARKE_API_KEY")
    log.warning("no --api-key and no NARKE_API_KEY: stations only, no REST operators")
    environment.user_classes = [one for one in environment.user_classes if one is not Operator]


def _choose_tags(environment: Environment) -> None:
    """Stations that lose their connection all the time are for those who ask for them."""
    parsed = environment.parsed_options
    if parsed is not None and STORM not in (parsed.tags or ()):
        parsed.exclude_tags = [*(parsed.exclude_tags or ()), STORM]


def _check_servers(environment: Environment, options: Options) -> None:
    if options.ocpp_url.startswith("wss:") or options.rest_url.startswith("https:"):
        options.tls()
    if any(one is not Operator for one in environment.user_classes):
        check_stations_door(options)
    if Operator in environment.user_classes:
        check_rest(options)


def _choose_shape(environment: Environment) -> None:
    """Locust would take the first shape class of this file; here `--shape` chooses, or the web form's class picker."""
    shapes = {name: shape() for name, shape in SHAPE_OF_NAME.items()}
    for shape in shapes.values():
        shape.runner = environment.runner
    environment.available_shape_classes = {**shapes}
    wanted = environment.parsed_options.shape if environment.parsed_options is not None else ""
    environment.shape_class = shapes[wanted] if wanted else None


def _end(message: str, code: int) -> None:
    sys.stderr.write(f"{message}\n")
    sys.exit(code)


def _listen() -> None:
    listeners = (
        (events.init_command_line_parser, on_parser),
        (events.init, on_init),
        (events.test_start, on_test_start),
    )
    for hook, listener in listeners:
        hook.add_listener(listener)  # type: ignore[no-untyped-call]  # Locust's hooks are not typed


_listen()
