"""JSON read strictly: what two readers could read in two ways is refused."""

import json
import math
from typing import NoReturn, cast

from pydantic import JsonValue


class BadJson(ValueError):
    """The text is not JSON as it is wanted. `field` is the key where it went wrong, where one is known."""

    def __init__(self, problem: str, field: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.field = field


def _without_duplicates(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadJson("The key stands twice in one object. Keep one of them.", twice)
    return found


def _no_constant(name: str) -> NoReturn:
    raise BadJson(f"{name} is not JSON. Write null, or leave the key out.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise BadJson(f"The number {text[:30]} is too large. Write it as text or leave it out.")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_constant=_no_constant, parse_float=_finite)


def parse_json(text: str) -> JsonValue:
    """One JSON value, strictly: no duplicate keys, no NaN or Infinity. BadJson says what is wrong."""
    try:
        return cast("JsonValue", _DECODER.decode(text))
    except json.JSONDecodeError as error:
        raise BadJson(f"Not valid JSON at character {error.pos + 1}: {error.msg}.") from error
    except RecursionError:
        raise BadJson("The JSON is nested too deeply.") from None
    except BadJson:
        raise
    except ValueError:
        # int() refuses numbers of thousands of digits.
        raise BadJson("A number has too many digits. Write it as text.") from None
