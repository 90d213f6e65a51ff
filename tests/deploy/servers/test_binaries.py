"""Which programs may touch which data."""

from pathlib import Path

import pytest

from deploy.servers.binaries import (
    Program,
    choose_postgres,
    choose_redis,
    postgres_programs,
    redis_programs,
)
from deploy.servers.errors import BinariesMissing


def program(flavour, *version):
    return Program(flavour, version, Path(f"/opt/{flavour}-{version[0]}"), Path("/opt"))


def postgres_tree(root, version, *, initdb=True):
    folder = root / version.split(".")[0] / "bin"
    folder.mkdir(parents=True)
    (folder / "postgres").write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version} (Debian {version}-1)'\n")
    (folder / "postgres").chmod(0o755)
    if initdb:
        (folder / "initdb").touch()


def test_debians_newest_comes_first_then_the_package(tmp_path):
    for version in ("15.18", "9.6.24", "17.2", "16.4", "14.9"):
        postgres_tree(tmp_path, version)
    versions = [found.version for found in postgres_programs(tmp_path)]
    assert versions[:3] == [(17, 2), (16, 4), (15, 18)]
    assert versions[3] == (18, 6)
    assert len(versions) == 4


def test_an_installation_that_is_not_whole_is_passed_over(tmp_path):
    postgres_tree(tmp_path, "17.2", initdb=False)
    (tmp_path / "16" / "bin").mkdir(parents=True)
    (tmp_path / "16" / "bin" / "postgres").write_bytes(b"\x7fELF broken")
    (tmp_path / "16" / "bin" / "postgres").chmod(0o755)
    assert [found.version[0] for found in postgres_programs(tmp_path)] == [18]


def test_new_data_takes_the_best_old_data_its_own():
    programs = [program("postgres", 17, 2), program("postgres", 15, 18)]
    assert choose_postgres(programs, None).version == (17, 2)
    assert choose_postgres(programs, 15).version == (15, 18)


def test_data_of_a_major_that_is_not_here_says_what_is_and_what_to_install():
    with pytest.raises(BinariesMissing, match=r"written by PostgreSQL 16.*postgres 17\.2.*postgresql-16"):
        choose_postgres([program("postgres", 17, 2)], 16)
    with pytest.raises(BinariesMissing, match=r"no PostgreSQL 15 or later.*--postgres-url"):
        choose_postgres([], None)


def test_redis_on_the_path_wins_over_the_package(tmp_path, monkeypatch):
    (tmp_path / "redis-server").write_text(
        "#!/bin/sh\necho 'Redis server v=7.0.15 sha=00000000:0 malloc=libc bits=64'\n"
    )
    (tmp_path / "redis-server").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = redis_programs()
    assert (found[0].flavour, found[0].version) == ("redis", (7, 0, 15))
    assert found[1].version[:2] == (6, 2)


@pytest.mark.parametrize("version", ["5.0.14", "6.0.16"])
def test_redis_that_is_too_old_is_passed_over(tmp_path, monkeypatch, version):
    (tmp_path / "redis-server").write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=0'\n")
    (tmp_path / "redis-server").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [found.version[:2] for found in redis_programs()] == [(6, 2)]


def test_valkey_tells_its_own_name(tmp_path, monkeypatch):
    (tmp_path / "redis-server").write_text("#!/bin/sh\necho 'Valkey server v=8.0.1 sha=0'\n")
    (tmp_path / "redis-server").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (redis_programs()[0].flavour, redis_programs()[0].version) == ("valkey", (8, 0, 1))


@pytest.mark.parametrize(
    ("candidate", "wrote", "fits"),
    [
        (("redis", 6, 2, 14), ("redis", (6, 2, 0)), True),
        (("redis", 7, 0, 15), ("redis", (6, 2, 14)), True),
        (("redis", 6, 2, 14), ("redis", (7, 0, 15)), False),
        (("valkey", 9, 1, 0), ("redis", (7, 2, 4)), True),
        (("valkey", 9, 1, 0), ("redis", (7, 4, 0)), False),
        (("redis", 8, 0, 0), ("valkey", (8, 0, 0)), False),
    ],
)
def test_no_redis_gets_data_of_a_later_one(candidate, wrote, fits):
    programs = [program(*candidate)]
    if fits:
        assert choose_redis(programs, *wrote) is programs[0]
    else:
        with pytest.raises(BinariesMissing, match=f"written by {wrote[0]}.*older one cannot read it"):
            choose_redis(programs, *wrote)


def test_an_older_redis_in_front_does_not_hide_the_one_that_fits():
    programs = [program("redis", 6, 2, 14), program("redis", 7, 2, 0)]
    assert choose_redis(programs, "redis", (7, 0, 0)).version == (7, 2, 0)
    assert choose_redis(programs, "", ()).version == (6, 2, 14)


def test_no_redis_at_all_says_what_to_install():
    with pytest.raises(BinariesMissing, match=r"no Redis 6\.2 or later.*--redis-url"):
        choose_redis([], "", ())
