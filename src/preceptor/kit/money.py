"""Amounts of money: whole minor units and a currency, never a float."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from fractions import Fraction

from preceptor.kit.errors import Invalid

# ISO 4217 exponents other than 2; currencies not listed in CURRENCIES are refused.
MINOR_DIGITS = {"JPY": 0, "KRW": 0, "KWD": 3, "BHD": 3, "TND": 3}
CURRENCIES = frozenset(
    {
        *("AUD", "BHD", "BRL", "CAD", "CHF", "CZK", "DKK", "EUR", "GBP", "HKD", "INR", "JPY"),
        *("KRW", "KWD", "MXN", "NOK", "NZD", "PLN", "SEK", "SGD", "TND", "USD", "ZAR"),
    }
)
AMOUNT_MAJOR_MAX = 10**12


class CurrencyMismatch(ValueError):
    """Amounts of different currencies cannot be added or compared."""


def minor_digits(currency: str) -> int:
    """Digits after the point in this currency (ISO 4217)."""
    if currency not in CURRENCIES:
        raise Invalid(f"{currency!r} is not a currency Preceptor knows. Use one of {', '.join(sorted(CURRENCIES))}.")
    return MINOR_DIGITS.get(currency, 2)


@dataclass(frozen=True, slots=True)
class Money:
    """`minor` units (cents, yen ...) of `currency` (ISO 4217 letters)."""

    minor: int
    currency: str

    @classmethod
    def parse(cls, text: str, currency: str) -> "Money":
        """Read "12.50". More digits than the currency has, or not a number, is `Invalid`."""
        digits = minor_digits(currency)
        try:
            amount = Decimal(text.strip().replace(",", ""))
        except InvalidOperation:
            raise Invalid(f"{text!r} is not an amount. Write it like 12.50.") from None
        if not amount.is_finite() or amount.copy_abs() > AMOUNT_MAJOR_MAX:
            raise Invalid(f"{text!r} is not an amount that can be paid.")
        scaled = amount.scaleb(digits)
        if scaled != scaled.to_integral_value():
            raise Invalid(f"{currency} has {digits} digits after the point; {text!r} has more.")
        return cls(int(scaled), currency)

    @property
    def amount(self) -> str:
        """The plain decimal, such as "12.50"."""
        digits = minor_digits(self.currency)
        return f"{Decimal(self.minor).scaleb(-digits):.{digits}f}"

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other).minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other).minor

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other).minor

    def times(self, factor: Fraction | int) -> "Money":
        """Multiply exactly, then round half to even to a whole minor unit."""
        exact = Fraction(self.minor) * factor
        rounded = (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(Decimal(1), ROUND_HALF_EVEN)
        return Money(int(rounded), self.currency)

    def allocate(self, weights: Sequence[int]) -> tuple["Money", ...]:
        """Split by whole weights without losing a cent; leftover cents go to the first shares."""
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise ValueError("weights must not be negative, and at least one must be positive")
        shares = [self.minor * weight // total for weight in weights]
        for index in range(self.minor - sum(shares)):
            shares[index] += 1
        return tuple(Money(share, self.currency) for share in shares)

    def _same(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self} and {other}")
        return other
