"""The process that carries the journal to PostgreSQL."""

from actors.planner_feed import KEPT_S
from actors.postgres_projection import PostgresProjection
from actors.projector import ProjectorActor
from deploy.settings import Settings
from deploy.wiring.parts import SystemClock, postgres_url, prepare
from storage.journal_reader import JournalReader
from storage.keys import MESSAGES, PLANS, fact_streams
from storage.redis_client import redis_client


def projector(settings: Settings) -> ProjectorActor:
    """The projector's process."""
    prepare(settings, "projector")
    streams = (*fact_streams(settings.actors.shards), PLANS, MESSAGES)
    source = JournalReader(redis_client(settings.redis), settings.redis)
    projection = PostgresProjection(postgres_url(settings), settings.postgres, settings.tenant)
    kept_s = KEPT_S if settings.planner.enabled else 0.0
    return ProjectorActor(source, projection, streams, SystemClock(), kept_s=kept_s)
