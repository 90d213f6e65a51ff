"""Where users find their swarm: one for each Locust environment, made anew when a test starts."""

from weakref import WeakKeyDictionary

from locust.env import Environment
from locust.runners import WorkerRunner

from loadtests.swarm.options import options_of
from loadtests.swarm.samples import Sample
from loadtests.swarm.scenarios import PLANS
from loadtests.swarm.swarm import Swarm

_SWARMS: WeakKeyDictionary[Environment, Swarm] = WeakKeyDictionary()


def swarm_of(environment: Environment) -> Swarm:
    """The swarm of this process."""
    return _SWARMS[environment]


def settle(environment: Environment) -> Swarm:
    """Makes the swarm of a new test, with the options as they are now.

    Raises:
        OptionError: They make no sense.
    """
    options = options_of(environment.parsed_options, environment.host)
    runner = environment.runner
    worker = runner.worker_index if isinstance(runner, WorkerRunner) else 0
    request = environment.events.request

    def report(sample: Sample) -> None:
        request.fire(  # type: ignore[no-untyped-call]  # Locust's hooks are not typed
            request_type=sample.kind,
            name=sample.name,
            response_time=sample.took_ms,
            response_length=sample.reply_bytes,
            exception=sample.error,
            context={},
        )

    swarm = _SWARMS[environment] = Swarm(options, worker, report, _first_demand(environment))
    return swarm


def _first_demand(environment: Environment) -> float:
    """As the scenario has it at its beginning: the first stations are there before the shape can say anything."""
    plan = PLANS.get(getattr(environment.parsed_options, "shape", ""))
    return 1.0 if plan is None else plan.demand(0.0)
