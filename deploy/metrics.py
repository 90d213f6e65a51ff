"""What the supervisor counts."""

from prometheus_client import Counter

restarts = Counter("narke_restarts", "Processes that came back as another after their end", ["name"])
