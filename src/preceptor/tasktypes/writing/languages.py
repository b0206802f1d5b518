"""In which language a text is: a rough guess that is good enough to notice an answer in the wrong one.

European languages by their commonest words, others by their script. Languages of one script are not told apart
(Russian and Ukrainian, say), and texts under `JUDGED_WORDS_MIN` words are not judged at all.
"""

from collections.abc import Mapping
from typing import Final

JUDGED_WORDS_MIN: Final = 20
LEAD_MIN: Final = 1.5
"""How many times as many common words another language must have before a text is called foreign."""

NAMES: Final[Mapping[str, str]] = {
    "ar": "Arabic", "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "fr": "French", "he": "Hebrew",
    "hi": "Hindi", "it": "Italian", "ja": "Japanese", "ko": "Korean", "nl": "Dutch", "pl": "Polish",
    "pt": "Portuguese", "ru": "Russian", "sv": "Swedish", "th": "Thai", "tr": "Turkish", "zh": "Chinese",
}  # fmt: skip

COMMON_WORDS: Final[Mapping[str, str]] = {
    "de": "der die das und ist nicht ein eine zu mit von sich auf für den dem im auch es als wird sind wie oder aber",
    "en": "the of and to in is that it for was as with be on not are this by from at or an have which you",
    "es": "el la de que y en los se del las un por con una para es no lo como más pero sus este su",
    "fr": "le la les de des et en un une du que est pour qui dans par sur pas plus au ne ce avec il",
    "it": "il di che e la un per in una non è sono si da con del della le dei gli nel come più anche",
    "nl": "de het een en van in is dat op te voor met zijn niet aan er om ook als maar door bij wordt naar",
    "pl": "w i na z do się nie że jest to o jak po co tak za od przez dla oraz ale który są być",
    "pt": "o de que e do da em um para com não uma os no se na por mais as dos como mas ao é",
    "sv": "och att det i en som på är av för med till den har inte om ett de var från men så kan vid",
    "tr": "ve bir bu da de için ile olarak daha çok en gibi olan ne kadar sonra ama var ya her olduğu değil mi",
}  # fmt: skip
"""The commonest words of each, parted by spaces."""

SCRIPTS: Final[Mapping[str, str]] = {
    "ar": r"\u0600-\u06ff\u0750-\u077f",
    "el": r"\u0370-\u03ff\u1f00-\u1fff",
    "he": r"\u0590-\u05ff",
    "hi": r"\u0900-\u097f",
    "ja": r"\u3040-\u30ff\u4e00-\u9fff",
    "ko": r"\uac00-\ud7af",
    "ru": r"\u0400-\u04ff",
    "th": r"\u0e00-\u0e7f",
    "zh": r"\u3400-\u4dbf\u4e00-\u9fff",
}
"""Ranges of characters, in the notation that regular expressions of Python and JavaScript share."""
