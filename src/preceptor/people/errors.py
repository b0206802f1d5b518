"""Refusals about people, in words that say what to do next."""

from preceptor.kit.errors import AppError, Forbidden, Invalid, Kind


class EmailTaken(AppError):
    """Somebody uses this e-mail address already."""

    code = "email_taken"


class BadEmail(Invalid):
    """This is not an e-mail address that mail can be sent to."""

    code = "bad_email"


class BadName(Invalid):
    """A name is missing or too long."""

    code = "bad_name"


class WeakPassword(Invalid):
    """This password is too easy to guess."""

    code = "weak_password"


class WrongPassword(Invalid):
    """The current password is not right. If you have forgotten it, sign out and reset it by e-mail."""

    code = "wrong_password"


class BadLink(AppError):
    """This link has been used, or its time is over. Ask for a new one."""

    code = "bad_link"
    kind: Kind = "gone"


class ReasonNeeded(Invalid):
    """A decision against a person needs its reason, which the person is told."""

    code = "reason_needed"


class LastOperator(AppError):
    """Somebody has to run this installation. Make another person operator first."""

    code = "last_operator"


class LastOwner(AppError):
    """An organization needs an owner. Make another member owner first."""

    code = "last_owner"


class AlreadyMember(AppError):
    """This person is a member already. Change their role in the list instead."""

    code = "already_member"


class NotYourRole(Forbidden):
    """You can give, change or take away only roles below your own. Ask an owner of the organization."""

    code = "not_your_role"


class BrowserNeeded(Forbidden):
    """Ways to sign in are managed in a browser, not with an API key. Open Settings."""

    code = "browser_needed"


class UnknownScope(Invalid):
    """An API key can only have scopes that exist and that its person could use."""

    code = "unknown_scope"


class PasskeyRefused(AppError):
    """This passkey could not be used here. Sign in with your password, or try again."""

    code = "passkey_refused"
    kind: Kind = "invalid"


class NoPasskeysHere(AppError):
    """Passkeys need a host name with https, or localhost. Ask the operator to set PRECEPTOR_PUBLIC_URL."""

    code = "no_passkeys_here"
    kind: Kind = "unavailable"


class LastWayIn(AppError):
    """This is your only way to sign in. Set a password or add another passkey first."""

    code = "last_way_in"


class SignUpsClosed(Forbidden):
    """This installation does not take sign-ups. Ask its operator for an account."""

    code = "sign_ups_closed"


class NotActive(AppError):
    """This account is suspended."""

    code = "not_active"
    kind: Kind = "forbidden"
