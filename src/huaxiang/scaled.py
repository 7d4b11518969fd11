"""The first start of the scaled form: its secrets, its folders and the file `.env` that docker-compose.yml reads.

Standard library only, since the machine that runs the containers need not have the environments:
`python3 -m huaxiang.scaled`. What is there already is kept, so a second call changes nothing.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
from pathlib import Path

from huaxiang.secret_files import write_secret

# Who the containers run as when root prepares them: a user that is nobody on the host.
NOBODY_IN_PARTICULAR = 10001
DATABASES = ("airflow", "mlflow")
FOLDERS = ("home", "mlartifacts", "postgres")

_SPARK = """\
spark.authenticate true
spark.authenticate.secret {secret}
spark.network.crypto.enabled true
spark.acls.enable true
spark.master.rest.enabled false
spark.executor.memory 1g
"""


def main(project: Path) -> int:
    """Prepare the checkout at `project`: `.secrets/`, `var/scaled/` and `.env`. Prints paths, never a secret."""
    user = (os.getuid(), os.getgid()) if os.getuid() else (NOBODY_IN_PARTICULAR, NOBODY_IN_PARTICULAR)
    data = project / "var" / "scaled"
    folders = [project / ".secrets", data, *(data / name for name in FOLDERS)]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = make_secrets(project / ".secrets")
    environment = project / ".env"
    if not environment.exists():
        environment.write_text(f"HUAXIANG_UID={user[0]}\nHUAXIANG_GID={user[1]}\nHUAXIANG_DATA={data}\n")
    if os.getuid() == 0:
        for path in [*folders, *(project / ".secrets").iterdir()]:
            os.chown(path, *user)
    print(f"secrets    {len(made)} made in {project / '.secrets'}, each readable by user {user[0]} alone")
    print(f"folders    {data}")
    print(f"settings   {environment}")
    return 0


def make_secrets(folder: Path) -> list[str]:
    """Every secret of the scaled form, a file of mode 600 each; names of those that were not there yet."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    contents = {
        "postgres_password": _password(),
        # The form of libpq's password file: a client that is told of it needs no password in an address.
        **{f"{name}_pgpass": f"*:*:{name}:{name}:{_password()}\n" for name in DATABASES},
        "fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "api_secret_key": _password(),
        "jwt_secret": _password(),
        "web_passwords.json": json.dumps({"admin": _password()}) + "\n",
        "spark-defaults.conf": _SPARK.format(secret=_password()),
    }
    return [name for name, content in contents.items() if write_secret(folder / name, content)]


def _password() -> str:
    """256 random bits in letters and digits, which no shell, address or password file reads as something else."""
    return secrets.token_hex(32)


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parents[2]))
