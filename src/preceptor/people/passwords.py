"""Passwords as argon2id hashes (RFC 9106)."""

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from preceptor.kit.settings import Settings

HASHES_AT_ONCE = 4
"""Per process. One hash takes 64 MiB, so a flood of sign-ins must queue up instead of eating the memory."""

_turn = threading.BoundedSemaphore(HASHES_AT_ONCE)


class Passwords:
    """Hashes and checks with one cost; old hashes of another cost are still understood."""

    def __init__(self, *, time_cost: int, memory_kib: int) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)
        self._nobody = self.hash("the password of nobody")

    def hash(self, password: str) -> str:
        with _turn:
            return self._hasher.hash(password)

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password fits. Without a stored hash the same work is done and the answer is no,
        so that time does not tell which e-mail addresses have an account."""
        with _turn:
            try:
                self._hasher.verify(stored or self._nobody, password)
            except (VerificationError, InvalidHashError):
                return False
        return stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with another cost than today's."""
        return self._hasher.check_needs_rehash(stored)


@cache
def passwords_of(settings_cost: tuple[int, int]) -> Passwords:
    return Passwords(time_cost=settings_cost[0], memory_kib=settings_cost[1])


def passwords_for(settings: Settings) -> Passwords:
    """The hasher with the settings' cost, made once per process."""
    return passwords_of((settings.argon2_time_cost, settings.argon2_memory_kib))


def standard_passwords() -> Passwords:
    """The hasher with the cost that settings have when nobody changed them."""
    fields = Settings.model_fields
    return passwords_of((int(fields["argon2_time_cost"].default), int(fields["argon2_memory_kib"].default)))
