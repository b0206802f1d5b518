"""Settings: read once at start from PRECEPTOR_* variables and passed in. Every default works on a laptop."""

import contextlib
import secrets
from pathlib import Path
from typing import Literal

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="PRECEPTOR_", frozen=True, extra="ignore")

    data_dir: Path = Path.home() / ".local" / "share" / "preceptor"
    database_url: str | None = None
    """Any PostgreSQL >= 15; without it an embedded server runs on `data_dir`."""
    mode: Literal["normal", "demo", "dev"] = "normal"
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str | None = None
    """How browsers reach this installation; needed for passkeys, links in mail and secure cookies."""
    web_processes: int = 1
    worker_processes: int = 1
    database_connections_max: int = 12
    """Per process."""

    storage_url: str | None = None
    """`s3://bucket/prefix`; without it files live in `data_dir/files`."""
    smtp_url: SecretStr | None = None
    """`smtp://user:password@host:587`; without it mail stays in the outbox."""
    mail_from: str = "Preceptor <preceptor@localhost>"

    secret_key: SecretStr | None = None
    session_days: int = 30
    argon2_time_cost: int = 3
    argon2_memory_kib: int = 65536
    sign_ups_open: bool = True

    upload_bytes_max: int = 2 * 1024**3
    request_bytes_max: int = 4 * 1024**2
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
