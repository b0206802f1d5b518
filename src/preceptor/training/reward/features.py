"""What the embedded reward model sees of a response: a few features of its style, and pieces of its words.

Style features follow Habernal and Gurevych, "Which argument is more convincing?" (ACL 2016; surface, readability
and spelling features). They are few and damped by logarithms, because a release often has only a hundred or so
different responses. They measure the form of a text and the care taken over it, not which common words it uses:
the effect of "I", "you", "because" or a question mark turned round from one debate to the next. Nothing here looks
at the prompt or knows whether a statement is true.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from math import log, log1p, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Floats = NDArray[np.float64]

# Longer texts are judged by their beginning, so that no text can take unbounded time.
TEXT_CHARS_MAX = 50_000

NGRAM_MIN = 2
NGRAM_MAX = 4
WORD_CHARS_MAX = 30

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
# Looking behind keeps a long run of dots from being tried again from each of its dots.
_SENTENCE_END = re.compile(r"(?<![.!?…])[.!?…]+(?=[\s\"'”’)\]]|$)|\n+")
_FIRST_LETTER = re.compile(r"[^\W\d_]")
_STARTS_UPPER = re.compile(r"\W*[A-Z]")
_WRONG_SPACE = re.compile(r"\s[,.!?;]|[,;!?][A-Za-z]|[a-z]\.[A-Z]")
_QUOTATION = re.compile(r"[\"“”]")
_LONG_WORD_CHARS = 7
_VERY_LONG_WORD_CHARS = 10


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CHAT_WORDS = _words(
    "u ur r lol lmao omg wtf btw cuz coz bc idk imo plz pls thx gonna wanna gotta dunno ya yea yeah yep"
    " nope haha hahaha alot n tho thru wat dat dis da em"
)


def style(response: str) -> dict[str, float]:
    """Style features by name. Defined and finite for every text, the empty one included."""
    text = response[:TEXT_CHARS_MAX].strip()
    words = _WORD.findall(text)
    per_word = 1 / max(1, len(words))
    long_words = sum(len(word) >= _LONG_WORD_CHARS for word in words)
    return {
        "log_characters": log1p(len(text)),
        "word_characters": per_word * sum(len(word) for word in words),
        "long_word_share": per_word * long_words,
        "log_long_words": log1p(long_words),
        "log_very_long_words": log1p(sum(len(word) >= _VERY_LONG_WORD_CHARS for word in words)),
        "log_commas": log1p(text.count(",")),
        "log_exclamations": log1p(text.count("!")),
        "log_quotations": log1p(len(_QUOTATION.findall(text))),
        "log_chat_words": log1p(sum(word.lower() in CHAT_WORDS for word in words)),
        "log_wrong_spaces": log1p(len(_WRONG_SPACE.findall(text))),
        "capital_words": per_word * sum(len(word) > 1 and word.isupper() for word in words),
        "starts_upper": float(_STARTS_UPPER.match(text) is not None),
        "lower_sentence_starts": _lower_sentence_starts(text),
    }


def _lower_sentence_starts(text: str) -> float:
    """The share of sentences that begin with a small letter."""
    first_letters = [letter.group() for part in _SENTENCE_END.split(text) if (letter := _FIRST_LETTER.search(part))]
    return sum(letter.islower() for letter in first_letters) / max(1, len(first_letters))


STYLE_NAMES = tuple(style(""))
LENGTH = STYLE_NAMES.index("log_characters")


def style_matrix(responses: Sequence[str]) -> Floats:
    """One line per response, columns as `STYLE_NAMES`."""
    rows = [list(style(response).values()) for response in responses]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(STYLE_NAMES))


def ngrams(text: str) -> Counter[str]:
    """Pieces of 2 to 4 characters inside words, a space marking the word's edges; case is kept.

    Such pieces see endings, misspellings and typing habits across subjects, where whole words mostly see
    the subject.
    """
    counts: Counter[str] = Counter()
    for word in text[:TEXT_CHARS_MAX].split():
        padded = f" {word[:WORD_CHARS_MAX]} "
        for size in range(NGRAM_MIN, NGRAM_MAX + 1):
            counts.update(padded[start : start + size] for start in range(len(padded) - size + 1))
    return counts


def choose_ngrams(texts: Iterable[str], size_max: int, texts_min: int) -> tuple[tuple[str, ...], Floats]:
    """The pieces found in most texts (at least `texts_min`), and the weight of each.

    Weights are smoothed inverse document frequencies, ln((1 + n) / (1 + df)) + 1. Equal frequencies are
    ordered by the alphabet, so that the choice does not depend on the order of texts.
    """
    frequency: Counter[str] = Counter()
    total = 0
    for text in texts:
        frequency.update(ngrams(text).keys())
        total += 1
    often = [(-count, piece) for piece, count in frequency.items() if count >= texts_min]
    chosen = sorted(often)[:size_max]
    weights = [log((1 + total) / (1 - negative)) + 1 for negative, _ in chosen]
    return tuple(piece for _, piece in chosen), np.array(weights, dtype=np.float64)


def ngram_matrix(texts: Sequence[str], pieces: Sequence[str], weights: Floats) -> csr_array:
    """One line of length 1 per text (of length 0 where it has none of the pieces); damped counts."""
    place = {piece: index for index, piece in enumerate(pieces)}
    rows: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    for row, text in enumerate(texts):
        found = sorted((place[piece], count) for piece, count in ngrams(text).items() if piece in place)
        cells = [(1 + log(count)) * float(weights[column]) for column, count in found]
        norm = sqrt(sum(value * value for value in cells)) or 1.0
        rows.extend([row] * len(found))
        columns.extend(column for column, _ in found)
        values.extend(value / norm for value in cells)
    return csr_array((values, (rows, columns)), shape=(len(texts), len(pieces)), dtype=np.float64)
