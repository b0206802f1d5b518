r"""Markdown that strangers wrote, as HTML that is safe to put on a page.

Three walls stand behind one another: the parser never passes raw HTML on, formulas and code are built by us
as escaped elements, and an allowlist sanitiser has the last word over the whole. The page's own content
security policy is a fourth. The result needs no inline style and no script.

Understood: CommonMark, tables, ~~strikethrough~~, fenced code with highlighting, math as `$…$`, `$$…$$`,
`\(…\)`, `\[…\]` and AMS environments (shown as MathML). A single line end is kept as a line break, because
people judge texts as they were written.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from html import escape, unescape
from types import ModuleType
from typing import Any, Final, TypedDict
from urllib.parse import urlsplit
from xml.etree import ElementTree

import latex2mathml.exceptions
import nh3
from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES, _TokenType
from pygments.token import Token as CodeToken
from pygments.util import ClassNotFound

from preceptor.tasktypes.messages import (
    AudioPart,
    FilePart,
    ImagePart,
    InputAudioPart,
    Message,
    Part,
    TextPart,
    VideoPart,
    plain_content,
)

Sign = Callable[[str], str]
"""From a `media:` address to one that opens; other addresses pass unchanged."""

MATH_CHARACTERS_MAX = 5_000
# Highlighters are made of backtracking expressions; longer code is shown plain.
HIGHLIGHT_CHARACTERS_MAX = 20_000
CACHED_CHARACTERS_MAX = 20_000
CACHE_ENTRIES = 512
HEADING_LEVEL_MAX = 6

_LONE_SURROGATES = re.compile("[\ud800-\udfff]")
_IMAGE_URL = re.compile(
    r"(?:https://|data:image/(?:png|jpeg|gif|webp);base64,|media:med_[0-9a-f]{32}\Z)", re.IGNORECASE
)
_LINK_URL = re.compile(r"(?:https?://|mailto:|media:med_[0-9a-f]{32}\Z)", re.IGNORECASE)
# Real attributes of real tags only: in rendered HTML no text holds a bare "<" and no attribute a bare quote.
_MEDIA_IN_TAG = re.compile(
    r"""(<(?:img|audio|video|a)(?:\s+[\w-]+(?:="[^"]*")?)*?\s+(?:src|href)=")(media:med_[0-9a-f]{32})(?=")"""
)


class RenderedMessage(TypedDict):
    """A chat message ready for a page: who speaks, and safe HTML."""

    role: str
    html: str


def render_markdown(text: str, *, first_heading: int = 3, breaks: bool = False) -> str:
    """Safe HTML of a Markdown text. With `breaks` a line break in the text is one on the page.

    `first_heading` is the level that `#` gets on the page, so that a text never disturbs the outline
    around it. Links open in a new tab and pass nothing on. Images are shown from https: addresses and as
    embedded PNG, JPEG, GIF or WebP; of any other only the description remains. Formulas that cannot be
    understood are shown as code.
    """
    if len(text) > CACHED_CHARACTERS_MAX:
        return _render(text, first_heading, breaks)
    return _render_cached(text, first_heading, breaks)


def render_messages(
    messages: Sequence[Message], *, first_heading: int = 3, sign: Sign | None = None
) -> list[RenderedMessage]:
    """Each message with its content (text, images, recordings, films, files) as safe HTML.

    People and models set lines where they mean them, so that a message keeps its line breaks. `sign` makes addresses
    that open out of `media:` addresses (`media.service.signer`); without it the caller signs the HTML by `signed`.
    """
    rendered: list[RenderedMessage] = [
        {"role": message.role, "html": _message(message, first_heading)} for message in messages
    ]
    if sign is None:
        return rendered
    return [{"role": each["role"], "html": signed(each["html"], sign)} for each in rendered]


def signed(html: str, sign: Sign) -> str:
    """Rendered HTML with every `media:` address of an image, recording, film or link made one that opens."""
    if "media:med_" not in html:
        return html
    return _MEDIA_IN_TAG.sub(lambda found: found.group(1) + escape(sign(found.group(2))), html)


def _message(message: Message, first_heading: int) -> str:
    """Text and images as one Markdown document, as long as nothing else stands between them."""
    if isinstance(message.content, str):
        return render_markdown(message.content, first_heading=first_heading, breaks=True)
    done, run = list[str](), list[Part]()
    for part in message.content:
        if isinstance(part, TextPart | ImagePart):
            run.append(part)
            continue
        done += [_run(run, first_heading), _played(part)]
        run = []
    return "".join([*done, _run(run, first_heading)])


def _run(parts: list[Part], first_heading: int) -> str:
    if not parts:
        return ""
    text = plain_content(Message(role="user", content=parts))
    return render_markdown(text, first_heading=first_heading, breaks=True)


def _played(part: Part) -> str:
    match part:
        case AudioPart(audio_url=found):
            return _figure("audio", found.url, found.title, "Recording")
        case InputAudioPart(input_audio=sound):
            return _figure("audio", sound.data, sound.title, "Recording")
        case VideoPart(video_url=found):
            return _figure("video", found.url, found.title, "Film")
        case FilePart(file=file):
            return _file_card(file.file_url, file.filename)
        case _:
            return ""


def _figure(tag: str, url: str, title: str | None, otherwise: str) -> str:
    inline = " playsinline" if tag == "video" else ""
    caption = f"<figcaption>{escape(title)}</figcaption>" if title else ""
    player = (
        f'<{tag} src="{escape(url)}" controls preload="metadata"{inline} aria-label="{escape(title or otherwise)}">'
    )
    return f'<figure class="media-{tag}">{player}</{tag}>{caption}</figure>\n'


def _file_card(url: str, filename: str | None) -> str:
    where = "" if url.startswith("media:") else f" · {escape(urlsplit(url).netloc)}"
    link = f'<a class="file-card" href="{escape(url)}" target="_blank" rel="noopener noreferrer nofollow">'
    return f"<p>{link}<b>{escape(filename or 'File')}</b><span>Open the file{where}</span></a></p>\n"


def _render(text: str, first_heading: int, breaks: bool) -> str:
    storable = _LONE_SURROGATES.sub("\ufffd", text)
    html: str = _PARSER.render(storable, {"first_heading": first_heading, "breaks": breaks})
    return _CLEANER.clean(html)


_render_cached = lru_cache(maxsize=CACHE_ENTRIES)(_render)


# --- Math


def _own_errors(module: ModuleType) -> tuple[type[Exception], ...]:
    return tuple(error for error in vars(module).values() if isinstance(error, type) and issubclass(error, Exception))


# latex2mathml has no common base of its errors, and stumbles over unfinished input in these ways besides.
_LATEX_ERRORS: Final[tuple[type[Exception], ...]] = (
    *_own_errors(latex2mathml.exceptions),
    AttributeError,
    IndexError,
    KeyError,
    RecursionError,
    StopIteration,
    TypeError,
    ValueError,
)


def _mathml(latex: str, *, block: bool) -> str:
    """A formula as MathML, or as code where it cannot be understood."""
    if len(latex) > MATH_CHARACTERS_MAX:
        return _unread_math(latex)
    try:
        element = ElementTree.Element("div")
        convert_to_element(latex, display="block" if block else "inline", parent=element)
        # Their own text form leaves < and & unescaped, so the tree is written out here.
        for part in element.iter():
            part.text = unescape(part.text) if part.text else part.text
            part.attrib.pop("xmlns", None)
        return "".join(ElementTree.tostring(child, encoding="unicode") for child in element)
    except _LATEX_ERRORS:
        return _unread_math(latex)


def _unread_math(latex: str) -> str:
    return f'<code class="math-unread">{escape(latex)}</code>'


# --- The parser


def _highlighted(code: str, language: str, _attributes: str) -> str:
    name = re.sub(r"[^A-Za-z0-9+#_.-]", "", language)[:30].lower()
    inner = escape(code)
    if name and len(code) <= HIGHLIGHT_CHARACTERS_MAX:
        with suppress(ClassNotFound):
            inner = highlight(code, get_lexer_by_name(name, stripnl=False), HtmlFormatter(nowrap=True))
    return f'<pre class="code"><code>{inner}</code></pre>'


def _render_math(tokens: Sequence[Token], index: int, _options: OptionsDict, _env: Mapping[str, Any]) -> str:
    token = tokens[index]
    block = token.type != "math_inline"
    math = _mathml(token.content.strip(), block=block)
    return f'<div class="math">{math}</div>\n' if block and token.block else math


_BRACKETS: Final = {r"\(": (r"\)", "math_inline"), r"\[": (r"\]", "math_inline_double")}


def _bracket_math(state: StateInline, silent: bool) -> bool:
    r"""Inline rule for `\(…\)` and `\[…\]`, which language models write as often as dollars."""
    closing, kind = _BRACKETS.get(state.src[state.pos : state.pos + 2], ("", ""))
    if not closing:
        return False
    # The search is bounded, so that many openings without an end stay cheap.
    start = state.pos + 2
    end = state.src.find(closing, start, min(state.posMax, start + MATH_CHARACTERS_MAX))
    if end < 0 or not state.src[start:end].strip():
        return False
    if not silent:
        state.push(kind, "math", 0).content = state.src[start:end]
    state.pos = end + 2
    return True


class _Renderer(RendererHTML):
    """What differs from plain CommonMark output."""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        token = tokens[idx]
        description = self.renderInlineAsText(token.children, options, env) if token.children else ""
        source = str(token.attrGet("src") or "")
        if not _IMAGE_URL.match(source):
            return f"<em>[image not shown: {escape(description or 'without description')}]</em>"
        return f'<img src="{escape(source)}" alt="{escape(description)}">'

    def heading_open(self, tokens: Sequence[Token], idx: int, _options: OptionsDict, env: Any) -> str:
        return f"<h{_shifted(tokens[idx].tag, env)}>"

    def heading_close(self, tokens: Sequence[Token], idx: int, _options: OptionsDict, env: Any) -> str:
        return f"</h{_shifted(tokens[idx].tag, env)}>\n"

    def td_open(self, tokens: Sequence[Token], idx: int, _options: OptionsDict, _env: Any) -> str:
        return _cell(tokens[idx])

    def th_open(self, tokens: Sequence[Token], idx: int, _options: OptionsDict, _env: Any) -> str:
        return _cell(tokens[idx])

    def table_open(self, _tokens: Sequence[Token], _idx: int, _options: OptionsDict, _env: Any) -> str:
        # Wide tables scroll by themselves; with a tab stop also by keyboard.
        return '<div class="table-scroll" tabindex="0"><table>\n'

    def softbreak(self, _tokens: Sequence[Token], _idx: int, _options: OptionsDict, env: Any) -> str:
        return "<br>\n" if env["breaks"] else "\n"

    def table_close(self, _tokens: Sequence[Token], _idx: int, _options: OptionsDict, _env: Any) -> str:
        return "</table></div>\n"


def _shifted(tag: str, env: Mapping[str, Any]) -> int:
    return min(HEADING_LEVEL_MAX, int(tag[1]) + int(env["first_heading"]) - 1)


def _cell(token: Token) -> str:
    # The parser aligns by inline style, which a strict content security policy forbids.
    found = re.search(r"text-align:(left|center|right)", str(token.attrGet("style") or ""))
    return f'<{token.tag} class="align-{found.group(1)}">' if found else f"<{token.tag}>"


def _parser() -> MarkdownIt:
    parser = MarkdownIt(
        "commonmark",
        {"html": False, "linkify": False, "highlight": _highlighted},
        renderer_cls=_Renderer,
    ).enable(["table", "strikethrough"])
    # Before `escape`, which would take the backslash of the opening bracket away.
    parser.inline.ruler.before("escape", "math_bracket", _bracket_math)
    dollarmath_plugin(parser, allow_labels=False, allow_space=False, allow_digits=False, double_inline=True)
    amsmath_plugin(parser)
    for kind in ("math_inline", "math_inline_double", "math_block", "math_block_eqno", "amsmath"):
        parser.renderer.rules[kind] = _render_math  # type: ignore[attr-defined]  # the protocol lacks it, the class has it
    return parser


# --- The sanitiser


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HTML_TAGS: Final = _words("""
    a blockquote br code del div em h1 h2 h3 h4 h5 h6 hr img li ol p pre s span strong
    table tbody td th thead tr ul
""")
# MathML Core without what can hold or load other things (annotation-xml, mglyph, maction, semantics).
_MATH_TAGS: Final = _words("""
    math menclose mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms mspace
    msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover none
""")
_MATH_ATTRIBUTES: Final = _words("""
    accent accentunder columnalign columnlines columnspacing depth display displaystyle fence form height
    largeop linebreak linethickness lspace mathvariant maxsize minsize movablelimits notation rowlines
    rowspacing rspace scriptlevel separator stretchy symmetric voffset width
""")
_CODE_CLASSES: Final = frozenset(name for name in STANDARD_TYPES.values() if name)


def _kept_attribute(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "src":
        return value if _IMAGE_URL.match(value) else None
    if attribute == "href":
        return value if _LINK_URL.match(value) else None
    if tag in _MATH_TAGS and attribute != "display" and not re.fullmatch(r"[\w .%+-]{0,100}", value):
        return None
    return value


_CLEANER: Final = nh3.Cleaner(
    tags=set(_HTML_TAGS | _MATH_TAGS),
    clean_content_tags={"script", "style"},
    attributes={
        "a": {"href", "title"},
        "img": {"src", "alt", "title"},
        "ol": {"start"},
        **{tag: set(_MATH_ATTRIBUTES) for tag in _MATH_TAGS},
    },
    attribute_filter=_kept_attribute,
    allowed_classes={
        "span": set(_CODE_CLASSES),
        "pre": {"code"},
        "code": {"math-unread"},
        "div": {"math", "table-scroll"},
        "td": {"align-left", "align-center", "align-right"},
        "th": {"align-left", "align-center", "align-right"},
    },
    tag_attribute_values={"div": {"tabindex": {"0"}}},
    set_tag_attribute_values={
        # Long lines of code scroll by themselves; with a tab stop also by keyboard.
        "pre": {"tabindex": "0"},
        "a": {"target": "_blank"},
        "img": {"loading": "lazy", "referrerpolicy": "no-referrer"},
    },
    link_rel="noopener noreferrer nofollow",
    url_schemes={"http", "https", "mailto", "data", "media"},
    url_relative="deny",
    strip_comments=True,
)

_PARSER: Final = _parser()


# --- Colours of code


class _Ink(TypedDict):
    light: str
    dark: str
    kinds: tuple[_TokenType, ...]


# Each colour reaches 4.5:1 on its ground. A kind covers its sub-kinds; the first that fits wins.
_INKS: Final[dict[str, _Ink]] = {
    "comment": {"light": "#5B6470", "dark": "#98A2AE", "kinds": (CodeToken.Comment,)},
    "keyword": {"light": "#7A2E8E", "dark": "#D2A8F0", "kinds": (CodeToken.Keyword, CodeToken.Operator.Word)},
    "string": {"light": "#17624F", "dark": "#7FD1B4", "kinds": (CodeToken.Literal.String,)},
    "number": {"light": "#8A4B08", "dark": "#E8B06B", "kinds": (CodeToken.Literal.Number,)},
    "name": {
        "light": "#1F4E8C",
        "dark": "#8FB3DE",
        "kinds": (
            CodeToken.Name.Function,
            CodeToken.Name.Class,
            CodeToken.Name.Builtin,
            CodeToken.Name.Tag,
            CodeToken.Name.Decorator,
            CodeToken.Name.Exception,
        ),
    },
    "removed": {"light": "#A63A2B", "dark": "#F0988B", "kinds": (CodeToken.Generic.Deleted, CodeToken.Error)},
    "added": {"light": "#17624F", "dark": "#7FD1B4", "kinds": (CodeToken.Generic.Inserted,)},
    "heading": {"light": "#1B1F24", "dark": "#E8E6E1", "kinds": (CodeToken.Generic.Heading,)},
}
_GROUND: Final = {"light": "#F3F1EB", "dark": "#12161B"}


def markdown_css(dark_theme: str = "night", light_theme: str = "paper") -> str:
    """Style sheet for code, math and tables in rendered Markdown, for both themes.

    Colours are CSS variables (`--code-ground`, `--code-keyword`, ...). Dark holds under `[data-theme]` of the
    given name, and by the system's wish where no theme is chosen.
    """
    light, dark = _variables("light"), _variables("dark")
    rules = [
        f':root, [data-theme="{light_theme}"] {{ {light} }}',
        f"@media (prefers-color-scheme: dark) {{ :root:not([data-theme]) {{ {dark} }} }}",
        f'[data-theme="{dark_theme}"] {{ {dark} }}',
        "pre.code { background: var(--code-ground); overflow-x: auto; padding: 0.75rem 1rem; }",
        ".table-scroll { overflow-x: auto; }",
        ".math { overflow-x: auto; overflow-y: hidden; }",
        *(f".align-{side} {{ text-align: {side}; }}" for side in ("left", "center", "right")),
        *(f"{_selector(ink['kinds'])} {{ color: var(--code-{name}); }}" for name, ink in _INKS.items()),
    ]
    return "\n".join(rules) + "\n"


def _variables(theme: str) -> str:
    inks = {name: ink["dark" if theme == "dark" else "light"] for name, ink in _INKS.items()}
    return " ".join(f"--code-{name}: {colour};" for name, colour in {"ground": _GROUND[theme], **inks}.items())


def _selector(kinds: Sequence[_TokenType]) -> str:
    names = [name for kind, name in STANDARD_TYPES.items() if name and any(_is_a(kind, wanted) for wanted in kinds)]
    return ", ".join(f"pre.code .{name}" for name in names)


def _is_a(kind: _TokenType, wanted: _TokenType) -> bool:
    return tuple(kind[: len(wanted)]) == tuple(wanted)
