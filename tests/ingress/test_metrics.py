"""What is added up in plain numbers shows in the library's metrics as if it had been observed one by one."""

from prometheus_client import CollectorRegistry, Histogram

from ingress import metrics
from ingress.metrics import Observations

SECONDS = (0.0, 0.0005, 0.00051, 0.03, 30.0, 31.0)


def samples(histogram):
    (family,) = histogram.collect()
    return [
        (sample.name, sample.labels, sample.value) for sample in family.samples if not sample.name.endswith("_created")
    ]


def test_observations_end_in_the_buckets_of_the_library():
    buckets = metrics._FAST_S
    direct = Histogram("seconds", "s", buckets=buckets, registry=CollectorRegistry())
    summed = Histogram("seconds", "s", buckets=buckets, registry=CollectorRegistry())
    observations = Observations(summed)
    for seconds in SECONDS:
        direct.observe(seconds)
        observations.observe(seconds)
    observations.flush()
    assert samples(summed) == samples(direct)
    observations.flush()
    assert samples(summed) == samples(direct), "nothing is written twice"
