"""The example for Prometheus: its rules speak of metrics that exist, with labels that they have."""

import importlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY

from deploy import run_file

FOLDER = Path(__file__).parents[2] / "deploy" / "prometheus"
METRICS_MODULES = (
    "actors.metrics",
    "deploy.metrics",
    "ingress.metrics",
    "ingress.http.metrics",
    "storage.journal_metrics",
    "storage.postgres_metrics",
)
_SUFFIXES = ("_total", "_bucket", "_sum", "_count")


def rules():
    (group,) = yaml.safe_load((FOLDER / "narke.rules.yml").read_text())["groups"]
    return group["rules"]


@pytest.fixture(scope="module")
def labels_of_metric():
    for name in METRICS_MODULES:
        importlib.import_module(name)
    found = {}
    for collector in REGISTRY._collector_to_names:
        name = getattr(collector, "_name", "")
        if name.startswith("narke_"):
            for suffix in ("", *_SUFFIXES):
                found[f"{name}{suffix}"] = {*getattr(collector, "_labelnames", ()), "instance", "job", "le"}
    return found


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_speaks_of_what_is_measured(rule, labels_of_metric):
    metrics = re.findall(r"narke_\w+", rule["expr"])
    assert metrics or rule["expr"].startswith("up{")
    for metric in metrics:
        assert metric in labels_of_metric, metric
        for labels in re.findall(r"by \(([^)]*)\)", rule["expr"]):
            assert {label.strip() for label in labels.split(",")} <= labels_of_metric[metric]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_tells_people_what_to_do(rule):
    assert rule["labels"]["severity"] in {"page", "warn"}
    assert rule["annotations"].keys() == {"summary", "description"}
    assert rule["expr"].count("(") == rule["expr"].count(")")
    used = re.findall(r"\$labels\.(\w+)", "".join(rule["annotations"].values()))
    assert all(label in rule["expr"] or label == "instance" for label in used)


def test_counters_are_read_as_rates():
    for rule in rules():
        for counter in re.findall(r"\w+_total(?:\{[^}]*\})?(?!\w)(.)?", rule["expr"]):
            assert counter in {"[", "{"}, rule["alert"]


def test_the_configuration_reads_the_rules_and_the_file_that_narke_writes(tmp_path):
    configuration = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    assert all((FOLDER / name).is_file() for name in configuration["rule_files"])
    (discovery,) = configuration["scrape_configs"][0]["file_sd_configs"]
    assert discovery["files"] == [f"/var/lib/narke/{run_file.TARGETS_FILE}"]
    assert run_file.write_prometheus_targets(tmp_path, []) == tmp_path / run_file.TARGETS_FILE


@pytest.mark.integration
def test_prometheus_itself_takes_rules_and_configuration():
    promtool = shutil.which("promtool")
    if promtool is None:  # its parsing is what is missed; the tests above hold what the files say
        assert {"alert", "expr", "labels", "annotations"} <= set.intersection(*(set(rule) for rule in rules()))
        return
    for what, name in (("rules", "narke.rules.yml"), ("config", "prometheus.yml")):
        done = subprocess.run([promtool, "check", what, FOLDER / name], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
