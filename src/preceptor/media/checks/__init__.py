"""What a file really is and whether it may stay: pure functions over a file on local disk, without database or web."""

from preceptor.media.checks.examining import Examined, examine, first_look

__all__ = ["Examined", "examine", "first_look"]
