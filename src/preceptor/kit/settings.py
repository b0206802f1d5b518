"""Settings: read once at start from PRECEPTOR_* variables and passed in. Every default works on a laptop."""

import contextlib
import secrets
from pathlib import Path
from typing import Literal

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

Mode = Literal["normal", "demo", "dev"]


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="PRECEPTOR_", frozen=True, extra="ignore")

    data_dir: Path = Path.home() / ".local" / "share" / "preceptor"
    """Where the embedded database, files and the secret lie. `make` uses `.data` in the clone."""
    database_url: str | None = None
    """Any PostgreSQL >= 15; without it an embedded server runs on `data_dir`."""
    mode: Mode = "normal"
    """`demo` offers one-click sign-in, `dev` shows the outbox as a page: neither is for the open internet."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 8000
    """Port to listen on; 0 takes any free one."""
    public_url: str | None = None
    """How browsers reach this installation; needed for passkeys, links in mail and secure cookies."""
    web_processes: int = 1
    """Web processes on the one port; about one per CPU core."""
    worker_processes: int = 1
    """Processes for background jobs and the sweep; 0 where workers run elsewhere."""
    database_connections_max: int = 12
    """Per process."""

    storage_url: str | None = None
    """`s3://bucket/prefix`; without it files live in `data_dir/files`."""
    smtp_url: SecretStr | None = None
    """`smtp://user:password@host:587`; without it mail stays in the outbox."""
    mail_from: str = "Preceptor <preceptor@localhost>"
    """Sender of all mail."""

    secret_key: SecretStr | None = None
    """Signs forms and file links and makes pseudonyms; the same on all machines of an installation.

    Without it one is made and kept in `data_dir/secret`.
    """
    session_days: int = 30
    """How long a sign-in lasts."""
    argon2_time_cost: int = 3
    """Passes of argon2id over a password."""
    argon2_memory_kib: int = 65536
    """Memory of argon2id for one password."""
    sign_ups_open: bool = True
    """Whether anybody may make an account; else accounts are made by operators and invitations."""

    upload_bytes_max: int = 2 * 1024**3
    """Largest file that an import takes."""
    media_bytes_max: int = 50 * 1024**3
    """Space for the files of one organization."""
    request_bytes_max: int = 4 * 1024**2
    """Largest body of any other request."""
    sandbox_runs_at_once: int = 0
    """Runs of contributors' code that go on at once, over all workers; 0 takes half of the processors."""
    sandbox_runs_per_person: int = 60
    """Runs that one person may ask for within ten minutes."""
    outgoing_reach: Literal["public", "loopback", "private"] = "public"
    """How far requests to model endpoints may reach inwards: `loopback` allows this machine, `private` also private
    networks. Link-local and metadata addresses are never reached."""
    local_model_url: str | None = None
    """Where one local model serves all processes (`preceptor endpoints serve-local` prints it); without it each process
    that asks the local model runs one of its own."""
    local_model_key: SecretStr | None = None
    """The key of that model."""
    sweep_seconds: int = 5
    """How often due claims and decisions are looked for."""

    @property
    def base_url(self) -> str:
        return (self.public_url or f"http://localhost:{self.port}").rstrip("/")

    @property
    def demo(self) -> bool:
        return self.mode == "demo"

    def signing_key(self) -> bytes:
        """The secret that signs cookies and file links; made on first use and kept in `data_dir`."""
        if self.secret_key is not None:
            return self.secret_key.get_secret_value().encode()
        path = self.data_dir / "secret"
        if not path.exists():
            self.data_dir.mkdir(parents=True, exist_ok=True)
            fresh = path.with_suffix(f".{secrets.token_hex(4)}")
            fresh.touch(mode=0o600)
            fresh.write_text(secrets.token_hex(32))
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(fresh)  # keeps the first one when two processes start at once
            fresh.unlink()
        return path.read_text().strip().encode()
