"""What the doors count. Label children are resolved once; what every message adds is summed up and written in steps."""

from bisect import bisect_left
from collections import defaultdict

from prometheus_client import Counter, Gauge, Histogram

_FAST_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)

connections = Gauge(
    "narke_ingress_connections", "Stations connected, by OCPP version", ["version"], multiprocess_mode="livesum"
)
connections_by_profile = Gauge(
    "narke_ingress_connections_by_security_profile",
    "Stations connected, by the OCPP security profile they came with",
    ["profile"],
    multiprocess_mode="livesum",
)
connections_paused = Gauge(
    "narke_ingress_connections_paused", "Connections that are not read from now", multiprocess_mode="livesum"
)
handshakes_open = Gauge("narke_ingress_handshakes_open", "Handshakes under way", multiprocess_mode="livesum")
handshakes_refused = Counter("narke_ingress_handshakes_refused", "Handshakes refused, by reason", ["reason"])
security_events = Counter(
    "narke_ingress_security_events", "Attempts that a security officer wants to see, by OCPP 2.1 name", ["event"]
)
tls_handshakes = Counter("narke_ingress_tls_handshakes", "TLS handshakes, by what came of them", ["outcome"])
tls_handshakes_open = Gauge(
    "narke_ingress_tls_handshakes_open", "TLS handshakes and PROXY headers under way", multiprocess_mode="livesum"
)
tls_reloads = Counter("narke_ingress_tls_reloads", "Changed files of TLS, by whether they could be used", ["outcome"])
tls_certificate_expires = Gauge(
    "narke_ingress_tls_certificate_expires_timestamp_seconds",
    "When the TLS port's certificate expires, by kind of key",
    ["key"],
    multiprocess_mode="livemin",
)
tls_crl_expires = Gauge(
    "narke_ingress_tls_crl_expires_timestamp_seconds",
    "When the first list of revoked certificates is out of date",
    multiprocess_mode="livemin",
)
closes = Counter("narke_ingress_closes", "Connections ended, by WebSocket close code", ["code"])
messages = Counter(
    "narke_ingress_messages", "Messages of stations, by what came of them", ["version", "action", "outcome"]
)
commands = Counter("narke_ingress_commands", "Commands to stations, by result", ["result"])
latency = Histogram(
    "narke_ingress_latency_seconds",
    "Time by stage: whole (a frame to its reply), actor (one delivery call), handshake",
    ["stage"],
    buckets=_FAST_S,
)
batch_deliveries = Histogram("narke_ingress_batch_deliveries", "Events in one delivery call", buckets=_SIZES)
queue_deliveries = Gauge(
    "narke_ingress_queue_deliveries", "Events waiting for station actors", multiprocess_mode="livesum"
)
retries = Counter("narke_ingress_retries", "Events delivered again, by reason", ["reason"])
door_closed = Counter("narke_ingress_door_closed", "Times the queue was full and reading stopped everywhere")
consultations = Counter(
    "narke_ingress_consultations",
    "Reports that the outside world was asked about (certificates), by what came of it",
    ["report", "outcome"],
)
throttled = Counter("narke_ingress_throttled", "Times a station was slowed down for sending too fast")


class Observations:
    """What a histogram with the buckets of `latency` observed, added up in plain numbers and written by `flush`.

    An observation costs 0.3 us; through prometheus_client with several processes it costs 3.
    """

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram
        self._counts = [0] * (len(_FAST_S) + 1)
        self._sum_s = 0.0

    def observe(self, seconds: float) -> None:
        """One more."""
        self._counts[bisect_left(_FAST_S, seconds)] += 1
        self._sum_s += seconds

    def flush(self) -> None:
        """Writes what was observed since the last time."""
        counts, self._counts = self._counts, [0] * (len(_FAST_S) + 1)
        sum_s, self._sum_s = self._sum_s, 0.0
        for bucket, count in zip(self._histogram._buckets, counts, strict=True):  # noqa: SLF001 (no public way for many)
            if count:
                bucket.inc(count)
        if sum_s:
            self._histogram._sum.inc(sum_s)  # noqa: SLF001 (likewise)


WHOLE = Observations(latency.labels("whole"))
ACTOR = latency.labels("actor")
HANDSHAKE = latency.labels("handshake")


class MessageCounts:
    """Counts of messages, added up in plain integers and written to the counter by `flush`."""

    def __init__(self) -> None:
        self._pending: defaultdict[tuple[str, str, str], int] = defaultdict(int)
        self._children: dict[tuple[str, str, str], Counter] = {}

    def add(self, version: str, action: str, outcome: str) -> None:
        """One message. `action` must be a name of the catalogue or `unknown`: stations must not invent labels."""
        self._pending[version, action, outcome] += 1

    def flush(self) -> None:
        """Writes what was added since the last time."""
        pending, self._pending = self._pending, defaultdict(int)
        for key, count in pending.items():
            child = self._children.get(key)
            if child is None:
                child = self._children[key] = messages.labels(*key)
            child.inc(count)
