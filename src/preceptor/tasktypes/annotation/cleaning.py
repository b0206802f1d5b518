"""Foreign CSS and HTML made harmless: what remains cannot load, run, cover the page or leave it."""

import re
from functools import lru_cache
from html import unescape
from html.parser import HTMLParser

import nh3

HTML_CHARACTERS_MAX = 2_000_000
CSS_CHARACTERS_MAX = 50_000
SCOPE = "preceptor-annotation"

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_SELECTOR = re.compile(r"[\w\s.#>+~*:()\-\[\]=\"'^$|]+\Z")
_PROPERTY = re.compile(r"-{0,2}[a-zA-Z][a-zA-Z0-9-]{0,60}\Z")
_HARMFUL = re.compile(
    r"url\s*\(|image-set|expression|javascript|@|<|\\|behavior|element\s*\(|-moz-binding|paint\s*\(", re.I
)
_ALLOWED_PROPERTY = re.compile(
    r"(?:--|align-|background(?:-color)?\Z|border|box-|break-|clear\Z|color\Z|column|cursor\Z|direction\Z|display\Z|"
    r"flex|float\Z|font|gap\Z|grid|height\Z|hyphens\Z|justify-|letter-spacing\Z|line-height\Z|list-style|margin|max-|"
    r"min-|object-fit\Z|opacity\Z|order\Z|outline|overflow|padding|place-|position\Z|row-gap\Z|text-|top\Z|bottom\Z|"
    r"left\Z|right\Z|transform\Z|transition|vertical-align\Z|visibility\Z|white-space\Z|width\Z|word-|z-index\Z|"
    r"-webkit-box|-webkit-line-clamp|aspect-ratio\Z|inset|content\Z|tab-size\Z|user-select\Z|resize\Z|filter\Z|zoom\Z)"
)
# The task may scroll and stick inside itself, but never lies over the platform's own page.
_FIXED = re.compile(r"\bfixed\b", re.I)

_HTML_TAG_NAMES = (
    "a abbr article aside b bdi bdo blockquote br caption cite code col colgroup dd del details dfn div "
    "dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hgroup hr i img ins kbd li main mark nav ol p "
    "pre q rp rt ruby s samp section small span strong sub summary sup table tbody td tfoot th thead time "
    "tr tt u ul var wbr center font"
)
HTML_TAGS = frozenset(_HTML_TAG_NAMES.split())
_HTML_ATTRIBUTES = {
    "*": {"title", "lang", "dir"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align", "scope"},
    "ol": {"start", "type"},
    "li": {"value"},
    "col": {"span"},
    "colgroup": {"span"},
    "details": {"open"},
    "time": {"datetime"},
}


def _declarations(body: str) -> list[tuple[str, str]]:
    pairs = (part.split(":", 1) for part in body.split(";") if ":" in part)
    return [(name.strip().lower(), value.strip()) for name, value in pairs]


def _harmless(name: str, value: str) -> bool:
    return bool(
        _PROPERTY.match(name)
        and _ALLOWED_PROPERTY.match(name)
        and not _HARMFUL.search(value)
        and len(value) <= 500
        and not (name == "position" and _FIXED.search(value))
    )


def inline_style(style: str) -> dict[str, str]:
    """The harmless declarations of a style attribute, by property."""
    kept = {name: value for name, value in _declarations(_COMMENT.sub("", style)) if _harmless(name, value)}
    return {name: value.replace("!important", "").strip() for name, value in kept.items()}


@lru_cache(maxsize=64)
def scoped_css(css: str) -> str:
    """The harmless rules of a style sheet, every selector inside the task's element."""
    kept = []
    for selectors, body in _RULE.findall(_COMMENT.sub("", css[:CSS_CHARACTERS_MAX])):
        names = [name.strip() for name in selectors.split(",")]
        good = [name for name in names if name and _SELECTOR.match(name)]
        rules = "; ".join(f"{name}: {value}" for name, value in _declarations(body) if _harmless(name, value))
        if good and rules:
            kept.append(", ".join(f"{SCOPE} {_inside(name)}" for name in good) + f" {{ {rules} }}")
    return "\n".join(kept)


def _inside(selector: str) -> str:
    # html, body and :root would otherwise match nothing: the task's element is the root of a config's world.
    return re.sub(r"^(?:html|body|:root)\b\s*", "", selector) or "*"


def dropped_css(css: str) -> list[str]:
    """Parts of a style sheet that `scoped_css` or `inline_style` leaves out."""
    text = _COMMENT.sub("", css)
    dropped = [found.strip() for found in re.findall(r"@[^{};]+", text)]
    for selectors, body in _RULE.findall(text):
        dropped += [name.strip() for name in selectors.split(",") if not _SELECTOR.match(name.strip() or "x")]
        dropped += [f"{name}: {value}" for name, value in _declarations(body) if not _harmless(name, value)]
    return dropped


def clean_html(html: str) -> str:
    """HTML of an allow-list: text, lists, tables, pictures at https: addresses. Links lead nowhere.

    Scripts and styles go with their content; other tags go and leave theirs.
    """
    return nh3.clean(
        html[:HTML_CHARACTERS_MAX],
        tags=set(HTML_TAGS),
        attributes={tag: set(names) for tag, names in _HTML_ATTRIBUTES.items()},
        clean_content_tags={"script", "style", "noscript", "template", "iframe", "object", "svg", "math", "title"},
        url_schemes={"https", "data"},
        link_rel=None,
    )


def inner_text(html: str) -> str:
    """What the browser's `textContent` of cleaned HTML is: what offsets count in."""
    parts: list[str] = []

    class _Text(HTMLParser):
        def handle_data(self, data: str) -> None:
            parts.append(data)

    reader = _Text(convert_charrefs=True)
    reader.feed(html)
    reader.close()
    return "".join(parts)


_IMAGE = re.compile(r"<img\b[^>]*?\bsrc\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))", re.I)


def first_image(html: str) -> str | None:
    """The address of the first image in HTML."""
    found = _IMAGE.search(html)
    return unescape(next(filter(None, found.groups()), "")) or None if found else None
