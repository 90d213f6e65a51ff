"""Locust against a whole Narke: stations of all versions and operators at once, and nothing fails."""

import pytest

from tests.loadtests.swarm.swarming import Rows, locust

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(240)]

TOKEN = "SWARM-TOKEN"


async def test_all_versions_and_operators_work_for_a_while_without_a_failure(narke, tmp_path):
    assert narke.api("PUT", f"/tokens/{TOKEN}", json={}).status_code in {200, 201}
    key = (narke.data_dir / "api-key").read_text().strip()
    rows_file = tmp_path / "rows"
    code, said = await locust(
        *("--headless", "-u", 24, "-r", 24, "-t", "15s", "--json-file", rows_file, "--csv", rows_file),
        *("--ocpp-url", narke.ocpp_url, "--host", narke.http_url, "--tokens", TOKEN, "--prefix", "LOCUST"),
        *("--pause", 0.5, "--charge-time", 2, "--meter-interval", 0.3),
        NARKE_API_KEY=key,
    )
    rows = Rows(f"{rows_file}.json")
    assert code == 0, said + (tmp_path / "rows_failures.csv").read_text()
    assert rows.failed == {}
    assert {"StartTransaction", "MeterValues", "StopTransaction"} <= rows.names("OCPP1.6")
    assert {"TransactionEvent", "Authorize"} <= rows.names("OCPP2.0.1") & rows.names("OCPP2.1")
    assert "/api/v1/stations" in rows.names("GET")
    assert any(name.startswith("/api/v1/stations/{station}/") for name in rows.names("POST"))
    assert rows.names("CSMS-command")
    told = rows.count("OCPP1.6", "StartTransaction")
    query = "SELECT 1 FROM transactions WHERE station LIKE %s"
    assert len(narke.wait_for_rows(query, "LOCUST-16-%", count=told)) == told
