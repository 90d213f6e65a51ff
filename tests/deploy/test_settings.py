"""Settings: who wins, what is refused, and how well the refusal helps."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from deploy.settings import Flag, Settings, SettingsError, default_data_dir, load
from deploy.settings_catalogue import masked, setting_of, settings_of


@pytest.fixture
def environ(tmp_path):
    return {"NARKE_DATA_DIR": str(tmp_path)}


def problems_of(*args, **kwargs):
    with pytest.raises(SettingsError) as caught:
        load(*args, **kwargs)
    return caught.value.problems


def test_defaults_are_complete(environ, tmp_path):
    loaded = load(environ=environ)
    assert loaded.settings.ocpp.port == 9000
    assert loaded.settings.http.port == 8080
    assert loaded.settings.data_dir == tmp_path
    assert loaded.settings.servers.postgres_url is None
    assert loaded.config_file is None


def test_flags_beat_environment_beats_file_beats_defaults(environ, tmp_path):
    (tmp_path / "narke.toml").write_text(
        '[ocpp]\nport = 9001\nbacklog = 500\nconnections_max = 77\n[log]\nlevel = "debug"\n'
    )
    environ |= {"NARKE_OCPP__PORT": "9002", "NARKE_OCPP__BACKLOG": "600"}
    loaded = load({"ocpp.port": Flag("--port", 9003)}, environ=environ)
    ocpp = loaded.settings.ocpp
    assert (ocpp.port, ocpp.backlog, ocpp.connections_max) == (9003, 600, 77)
    assert loaded.origins["ocpp.port"] == "--port"
    assert loaded.origins["ocpp.backlog"] == "NARKE_OCPP__BACKLOG"
    assert loaded.origins["ocpp.connections_max"] == str(tmp_path / "narke.toml")
    assert "ocpp.host" not in loaded.origins


def test_a_named_file_is_read_instead_of_the_implied_one(tmp_path):
    (tmp_path / "narke.toml").write_text("[ocpp]\nport = 9001\n")
    named = tmp_path / "other.toml"
    named.write_text('data_dir = "/srv/narke"\n[http]\nport = 8081\n')
    loaded = load(config=named, environ={})
    assert loaded.settings.ocpp.port == 9000
    assert loaded.settings.http.port == 8081
    assert loaded.settings.data_dir == Path("/srv/narke")
    assert loaded.config_file == named


def test_the_file_is_looked_for_in_the_data_directory_of_the_flag(tmp_path):
    (tmp_path / "narke.toml").write_text("[ocpp]\nport = 9001\n")
    assert load({"data_dir": Flag("--data-dir", str(tmp_path))}, environ={}).settings.ocpp.port == 9001


def test_environment_names_count_in_any_case_and_none_means_none(environ):
    environ |= {"narke_ocpp__port": "9005", "NARKE_ACTORS__STATION_ACTORS": "none"}
    settings = load(environ=environ).settings
    assert settings.ocpp.port == 9005
    assert settings.actors.station_actors is None


def test_lists_in_the_environment_are_json(environ):
    environ["NARKE_ACTORS__DATA_TRANSFER_VENDORS"] = '["com.a", "com.b"]'
    assert load(environ=environ).settings.actors.data_transfer_vendors == ("com.a", "com.b")


def test_nested_sections_are_reached(environ):
    environ["NARKE_POSTGRES__RETENTION__MESSAGES_DAYS"] = "30"
    loaded = load(environ=environ)
    assert loaded.settings.postgres.retention.messages_days == 30
    assert loaded.origins["postgres.retention.messages_days"] == "NARKE_POSTGRES__RETENTION__MESSAGES_DAYS"


@pytest.mark.parametrize(
    "name", ["NARKE_URL", "NARKE_API_KEY", "NARKE_SERVICE_HOST", "NARKE_PORT", "NARKE_PORT_9000_TCP_ADDR", "OTHER"]
)
def test_variables_of_others_are_left_alone(environ, name):
    assert load(environ=environ | {name: "tcp://10.0.0.1:9000"}).origins.keys() == {"data_dir"}


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("[ocpp]\nport = 99999\n", ["port in section [ocpp] of", "'99999'", "0 to 65535", "default (9000)"]),
        ('[ocpp]\nport = "abc"\n', ["port in section [ocpp] of", "an integer"]),
        ("[ocpp]\nprot = 1\n", ["prot in section [ocpp] of", "no such setting", "did you mean ocpp.port"]),
        ("[ocp]\nport = 1\n", ["no such setting"]),
        ("tenat = 'a'\n", ["tenat in", "did you mean tenant"]),
        ("ocpp = 5\n", ["ocpp is a section", "[ocpp]"]),
        ("[log]\nlevel = 'loud'\n", ["one of debug, info, warning, error", "'loud'"]),
        ("[ocpp]\nport = \n", ["is not TOML", "line 2"]),
        ("tenant = 'Not A Tenant'\n", ["tenant in", "Not A Tenant"]),
        ("data_dir = '/x'\n", ["data_dir in", "lies in the data directory itself", "--config"]),
        ("[servers]\nredis_url = 'http://h'\n", ["redis_url in section [servers]", "redis://"]),
        ("[servers]\npostgres_url = 'mysql://h'\n", ["postgres_url in section [servers]", "postgresql://"]),
        ("[redis]\nurl = 'redis://h'\n", ["redis.url", "Set servers.redis_url", "NARKE_SERVERS__REDIS_URL"]),
        ("[ray]\naddress = 'http://head'\n", ["address in section [ray]"]),
        ("[ocpp]\nport = 8080\n", ["ocpp.port and http.port are both 8080"]),
    ],
)
def test_a_wrong_file_is_refused_with_place_value_and_remedy(environ, tmp_path, toml, words):
    (tmp_path / "narke.toml").write_text(toml)
    (problem,) = problems_of(environ=environ)
    for word in words:
        assert word in problem
    assert "Traceback" not in problem


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"NARKE_OCPP__PROT": "1"}, ["NARKE_OCPP__PROT", "no such setting", "did you mean NARKE_OCPP__PORT"]),
        ({"NARKE_OCPP__PORT": "many"}, ["NARKE_OCPP__PORT", "'many'", "an integer, 0 to 65535"]),
        ({"NARKE_OCPP": "1"}, ["NARKE_OCPP", "no such setting"]),
        ({"NARKE_HELLO": "1"}, ["NARKE_HELLO", "no such setting"]),
        ({"NARKE_ACTORS__DATA_TRANSFER_VENDORS": "a,b"}, ["NARKE_ACTORS__DATA_TRANSFER_VENDORS", "as JSON"]),
        ({"NARKE_REDIS__URL": "redis://h"}, ["NARKE_REDIS__URL", "no such setting"]),
    ],
)
def test_a_wrong_variable_is_refused_by_its_name(environ, variables, words):
    (problem,) = problems_of(environ=environ | variables)
    for word in words:
        assert word in problem


def test_a_wrong_flag_is_refused_by_its_name(environ):
    (problem,) = problems_of({"ocpp.port": Flag("--port", "x")}, environ=environ)
    assert problem.startswith("--port (ocpp.port) is 'x'")


def test_every_problem_is_told_at_once(environ, tmp_path):
    (tmp_path / "narke.toml").write_text("[ocpp]\nport = -1\nbacklog = 'x'\n[http]\nhots = 'a'\n")
    assert len(problems_of(environ=environ)) == 3


def test_passwords_do_not_appear_in_problems(environ):
    for url in ("http://:sesame@h", "redis://:sesame@h?timeout=5"):
        assert "sesame" not in problems_of(environ=environ | {"NARKE_SERVERS__REDIS_URL": url})[0]
    assert "sesame" not in problems_of(environ=environ | {"NARKE_SERVERS__POSTGRES_URL": "x://u:sesame@h"})[0]


def test_a_missing_or_unreadable_file_is_told(environ, tmp_path):
    assert "there is no such file" in problems_of(config=tmp_path / "none.toml", environ=environ)[0]
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in problems_of(config=binary, environ=environ)[0]


def test_settings_reads_nothing_from_outside(monkeypatch):
    monkeypatch.setenv("NARKE_OCPP__PORT", "9999")
    assert Settings().ocpp.port == 9000


def test_settings_are_frozen():
    with pytest.raises(ValidationError):
        Settings().tenant = "other"


def test_with_servers_fills_both_in():
    settings = Settings().with_servers(postgres_url="postgresql://p", redis_url="redis://r")
    assert settings.servers.postgres_url == SecretStr("postgresql://p")
    assert settings.redis.url == SecretStr("redis://r")


def test_the_data_directory_follows_the_xdg_specification(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    assert default_data_dir({"NARKE_DATA_DIR": "/a"}) == Path("/a")
    assert default_data_dir({"XDG_DATA_HOME": "/b"}) == Path("/b/narke")
    assert default_data_dir({"XDG_DATA_HOME": "relative"}) == Path("/home/ada/.local/share/narke")
    assert default_data_dir({"XDG_DATA_HOME": ""}) == Path("/home/ada/.local/share/narke")


def test_every_setting_has_words_bounds_and_a_default():
    for setting in settings_of(Settings):
        assert setting.description, setting.path
        assert setting.default, setting.path
        assert "<class" not in setting.expected, setting


def test_the_catalogue_knows_sections_from_settings():
    assert setting_of(Settings, "ocpp.port").expected == "an integer, 0 to 65535"
    assert setting_of(Settings, "ocpp") is None
    assert setting_of(Settings, "postgres.retention.messages_days").env == "NARKE_POSTGRES__RETENTION__MESSAGES_DAYS"
    assert setting_of(Settings, "servers.redis_url").is_secret


def test_secrets_are_masked():
    assert masked("servers.redis_url", SecretStr("redis://:pw@h:1/0")) == "redis://:********@h:1/0"
    assert masked("x.url", "https://user:pw@h/") == "https://user:********@h/"
    assert masked("x.password", "pw") == "********"
    assert masked("ocpp.password_checks", 2) == 2
    assert masked("x.url", "https://[broken") == "********"


def test_reading_settings_loads_nothing_heavy():
    code = (
        "import sys, deploy.settings; deploy.settings.load(environ={}); "
        "print([m for m in ('ray', 'fastapi', 'psycopg', 'redis', 'prometheus_client') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
