"""Decisions about people, pure."""

import ipaddress
import math
import re
from datetime import datetime, timedelta

from preceptor.people.errors import BadEmail, BadName, ReasonNeeded, WeakPassword
from preceptor.people.models import OrgRole

PASSWORD_CHARACTERS_MIN = 10
PASSWORD_CHARACTERS_MAX = 200
"""Long enough for any passphrase; a limit keeps hashing from being used to burn time."""
NAME_CHARACTERS_MAX = 100
EMAIL_CHARACTERS_MAX = 254
REASON_CHARACTERS_MIN = 10
KEYS_PER_PERSON_MAX = 50
PASSKEYS_PER_PERSON_MAX = 20

CONFIRM_WITHIN = timedelta(days=3)
RESET_WITHIN = timedelta(hours=1)
INVITATION_LASTS = timedelta(days=14)
CHALLENGE_LASTS = timedelta(minutes=5)

_EMAIL = re.compile(
    r"[^\s@<>,;:\"()\[\]\\\x00-\x1f]+@(?:[^\s@.<>,;:\"()\[\]\\\x00-\x1f]+\.)*[^\s@.<>,;:\"()\[\]\\\x00-\x1f]+"
)

# The most used passwords of ten and more characters in public leak statistics, and the stems that people pad
# to reach ten. Shorter ones are refused by length.
COMMON_PASSWORDS = frozenset(
    """
    1234567890 0123456789 12345678910 123456789a a123456789 0987654321 1111111111 0000000000 1212121212 1122334455
    1q2w3e4r5t 1qaz2wsx3edc 1q2w3e4r5t6y q1w2e3r4t5 q1w2e3r4t5y6 zaq12wsxcde3 qwertyuiop qwerty1234 qwerty12345
    qwerty123456 qwertyuiop123 asdfghjkl1 asdfghjkl; zxcvbnm123 1234567890q qwertzuiop azertyuiop password12
    password123 password1234 password12345 password1! password123! passw0rd123 p@ssw0rd123 p@ssword123 mypassword
    mypassword1 passwordpassword iloveyou12 iloveyou123 iloveyou1234 iloveyouforever letmein123 letmein1234
    welcome123 welcome1234 welcome12345 administrator admin12345 admin123456 admin1234567 changeme123 changemenow
    princess123 sunshine123 sunshine12 football123 baseball123 superman123 batman12345 dragon12345 monkey12345
    liverpool1 liverpool123 manchester michael123 jordan23456 charlie123 jennifer123 jessica123 ashley1234
    abcdefghij abcdefghijk abcd123456 abc1234567 abc12345678 abcde12345 aaaaaaaaaa zzzzzzzzzz 9876543210
    computer123 internet123 trustno1trustno1 starwars123 whatever123 basketball blink182182 christopher
    spiderman1 spiderman123 tinkerbell butterfly1 chocolate1 chocolate123 iloveyou!! summer2024! winter2024!
    summer2025! winter2025! spring2025! autumn2025! summer2026! winter2026! spring2026! autumn2026! secret12345
    testtesttest test123456 test1234567 test12345678 demo123456 preceptor1 preceptor123 preceptor12
    correcthorsebatterystaple
    """.split()  # noqa: SIM905  (a list of a hundred quoted words reads worse)
)


def clean_email(text: str) -> str:
    """An address as it is stored: trimmed. Upper and lower case are kept but never tell two people apart."""
    email = text.strip()
    if len(email) > EMAIL_CHARACTERS_MAX or not _EMAIL.fullmatch(email):
        raise BadEmail(problems=[{"path": "email", "message": "Enter an address such as name@example.org."}])
    return email


def clean_name(text: str, *, path: str = "name") -> str:
    """A name on one line, never empty."""
    name = " ".join(text.split())
    if not 1 <= len(name) <= NAME_CHARACTERS_MAX:
        message = f"Enter a name of 1 to {NAME_CHARACTERS_MAX} characters."
        raise BadName(message, [{"path": path, "message": message}])
    return name


def check_password(password: str, *, email: str, name: str) -> None:
    """Refuse passwords that guessing programs try first: short, common, one repeated sign, or the person's own name.

    After NIST SP 800-63B, section 5.1.1.2: a minimum length and a list, no rules about kinds of characters.
    """
    plain = password.casefold()
    own = {email.casefold(), email.casefold().partition("@")[0], name.casefold().replace(" ", ""), name.casefold()}
    if len(password) < PASSWORD_CHARACTERS_MIN:
        problem = f"Use at least {PASSWORD_CHARACTERS_MIN} characters. Three or four unrelated words are good."
    elif len(password) > PASSWORD_CHARACTERS_MAX:
        problem = f"Use at most {PASSWORD_CHARACTERS_MAX} characters."
    elif plain in COMMON_PASSWORDS or len(set(plain)) < 4:
        problem = "This is one of the passwords that are tried first. Three or four unrelated words are better."
    elif plain in own:
        problem = "Do not use your own name or address as the password."
    else:
        return
    raise WeakPassword(problem, [{"path": "password", "message": problem}])


def clean_reason(reason: str) -> str:
    """A reason that the person concerned can understand, not a placeholder."""
    text = reason.strip()
    if len(text) < REASON_CHARACTERS_MIN:
        message = f"Say why in at least {REASON_CHARACTERS_MIN} characters. The person is told this reason."
        raise ReasonNeeded(message, [{"path": "reason", "message": message}])
    return text


def may_manage(own: OrgRole, *roles: OrgRole) -> bool:
    """Owners manage everybody; managers manage viewers and managers; viewers nobody."""
    if own is OrgRole.OWNER:
        return True
    return own is OrgRole.MANAGER and OrgRole.OWNER not in roles


def network_of(address: str | None) -> str:
    """What counts as one place on the network: an IPv4 address, or the /64 that one IPv6 customer gets."""
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return address or "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrom", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def device_name(user_agent: str | None) -> str:
    """A browser in words that its owner recognizes: "Firefox on Linux"."""
    text = user_agent or ""
    # The order matters: most browsers also name those whose engine they share.
    browser = next((name for mark, name in _BROWSERS if mark in text), None)
    system = next((name for mark, name in _SYSTEMS if mark in text), None)
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or "Unknown device"


def window_start(now: datetime, length: timedelta) -> datetime:
    """Windows of one length follow each other without gaps since 1970."""
    seconds = length.total_seconds()
    return datetime.fromtimestamp(now.timestamp() // seconds * seconds, tz=now.tzinfo)


def sliding_count(previous: int, current: int, *, now: datetime, length: timedelta) -> float:
    """About how often something happened in the last `length`, from two fixed windows.

    Assumes that the previous window's events were spread evenly.
    """
    into = (now - window_start(now, length)) / length
    return previous * (1 - into) + current


def retry_after_seconds(previous: int, current: int, maximum: int, *, now: datetime, length: timedelta) -> int:
    """Whole seconds until the sliding count falls below `maximum`, at least 1."""
    into = (now - window_start(now, length)) / length
    if current < maximum:
        # previous * (1 - x) + current < maximum, solved for x.
        wait = 1 - (maximum - current) / max(previous, 1) - into
    else:
        # Not in this window: in the next one `current` is the previous count.
        wait = (1 - into) + max(0.0, 1 - maximum / current)
    # One second more, since exactly at the limit is still refused.
    return max(1, math.floor(round(wait * length.total_seconds(), 6)) + 1)
