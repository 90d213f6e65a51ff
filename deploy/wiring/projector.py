"""The process that carries the journal to PostgreSQL."""

from actors.postgres_projection import PostgresProjection
from actors.projector import ProjectorActor
from deploy.settings import Settings
from deploy.wiring.parts import SystemClock, postgres_url, prepare
from storage.journal_reader import JournalReader
from storage.keys import MESSAGES, fact_streams
from storage.redis_client import redis_client


def projector(settings: Settings) -> ProjectorActor:
    """The projector's process."""
    prepare(settings, "projector")
    streams = (*fact_streams(settings.actors.shards), MESSAGES)
    source = JournalReader(redis_client(settings.redis), settings.redis)
    return ProjectorActor(
        source, PostgresProjection(postgres_url(settings), settings.postgres, settings.tenant), streams, SystemClock()
    )
