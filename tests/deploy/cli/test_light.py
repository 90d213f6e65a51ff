"""Client commands are quick: nothing heavy is imported for them."""

import subprocess
import sys

import pytest

HEAVY = ("ray", "fastapi", "starlette", "uvicorn", "psycopg", "redis", "sqlalchemy", "alembic", "numpy")


@pytest.mark.parametrize("arguments", [["--help"], ["version"], ["status"], ["stations", "--json"], ["keys", "list"]])
def test_client_commands_import_nothing_heavy(narke, arguments):
    program = (
        "import sys\nfrom deploy.cli import main\n"
        f"sys.argv = ['narke', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"print('HEAVY', sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    environment = {"NARKE_DATA_DIR": str(narke.data_dir), "HOME": str(narke.data_dir)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "HEAVY []"


def test_a_failure_is_told_on_stderr_without_a_traceback(tmp_path):
    program = "from deploy.cli import main\nimport sys\nsys.argv = ['narke', 'status']\nmain()"
    environment = {"NARKE_DATA_DIR": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 6
    assert done.stdout == ""
    assert f"no Narke is running in {tmp_path}" in done.stderr
    assert "narke up" in done.stderr
    assert "--url" in done.stderr
    assert "Traceback" not in done.stderr
