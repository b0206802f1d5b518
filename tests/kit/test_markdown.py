"""Rendered Markdown: readable for people, harmless for pages."""

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preceptor.kit.markdown import MATH_CHARACTERS_MAX, markdown_css, render_markdown, render_messages
from preceptor.tasktypes.messages import Message

ALLOWED_URL = re.compile(r"(https?://|mailto:|data:image/(png|jpeg|gif|webp);base64,)", re.IGNORECASE)


class Found(HTMLParser):
    """What a browser would see as elements and attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.comments: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


FORBIDDEN_TAGS = {
    "script",
    "style",
    "iframe",
    "object",
    "embed",
    "svg",
    "form",
    "input",
    "link",
    "meta",
    "base",
    "template",
    "noscript",
    "annotation",
    "annotation-xml",
    "semantics",
    "mglyph",
    "maction",
    "foreignobject",
    "title",
    "video",
}


def assert_harmless(html: str) -> None:
    found = Found(html)
    assert not FORBIDDEN_TAGS & set(found.tags), html
    assert not found.comments, html
    for tag, name, value in found.attributes:
        assert not name.startswith("on"), html
        assert name not in {"style", "srcset", "srcdoc", "action", "formaction", "id", "name", "xlink:href"}, html
        if name in {"href", "src"}:
            assert tag in {"a", "img"}, html
            assert ALLOWED_URL.match(value), html


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><script>1</script></svg>",
    "<style>@import 'http://e.org'</style>",
    "<!-- --><img title='--><script>alert(1)</script>'>",
    "<!--><script>alert(1)</script>-->",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt&colon;alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](  javascript:alert(1))",
    "[x](vbscript:x)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](data:image/svg+xml;base64,PHN2Zz4=)",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    '![x](https://e.org/a.png" onerror="alert(1))',
    '![x" onerror="alert(1)](https://e.org/a.png)',
    '[x](https://e.org "t\\" onclick=\\"alert(1)")',
    "[x](//e.org/a)",
    "[x](/admin?delete=1)",
    r"$\text{<script>alert(1)</script>}$",
    r"$\text{</mtext></math><img src=x onerror=alert(1)>}$",
    r"$\href{javascript:alert(1)}{x}$",
    r"$\style{background:url(javascript:1)}{x}$",
    r"$\class{btn btn-primary}{x}$",
    r"$\includegraphics{javascript:alert(1)}$",
    r"$$\text{<annotation-xml encoding='text/html'><script>1</script></annotation-xml>}$$",
    r"\begin{align}\text{<style><img src=x onerror=1>}\end{align}",
    r"\[\unicode{<script>}\]",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "```html\n<script>alert(1)</script>\n```",
    '```"><script>alert(1)</script>\ncode\n```',
    '```python" onclick="alert(1)\nx = 1\n```',
    "`<script>`",
    "|<script>|\n|-|\n|<img src=x onerror=1>|",
    "# <script>x</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<a href='java&#10;script:alert(1)'>x</a>",
    "[a]: javascript:alert(1)\n\n[a]",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_become_text(attack: str) -> None:
    assert_harmless(render_markdown(attack))


PIECES = (
    "script",
    "onerror=",
    "javascript:",
    "\\text{",
    "\\frac",
    "\\begin{align}",
    "<math>",
    "<style>",
    "\\href{",
    "data:image/svg+xml,",
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [*"$<>\"'[)`|-x{}^_&\\ #\n\0\ud800", "$$", "\\(", "\\)", "\\[", "](", "![", "```", "<!--", "-->", *PIECES]
        ),
        max_size=25,
    ).map("".join)
)
def test_any_mixture_is_rendered_harmless(text: str) -> None:
    assert_harmless(render_markdown(text))


def test_the_three_formats_of_math_become_mathml() -> None:
    for text in ("$a < b$", r"\(a < b\)", "$$a < b$$", "\\[a < b\\]"):
        html = render_markdown(text)
        assert "<mi>a</mi><mo>&lt;</mo><mi>b</mi>" in html, text
    assert 'display="block"' in render_markdown("see\n\\[\na\n\\]\nthere")
    assert "<mtable" in render_markdown(r"\begin{align}a&=b\\c&=d\end{align}")


@pytest.mark.parametrize(
    "latex", ["x^", r"\left(", r"x_1_2", r"\frac", "{" * 400, r"\sqrt[", "x" * (MATH_CHARACTERS_MAX + 1)]
)
def test_a_formula_that_cannot_be_read_is_shown_as_code(latex: str) -> None:
    assert f'<code class="math-unread">{latex}</code>' in render_markdown(f"$${latex}$$")


def test_prices_are_not_formulas() -> None:
    assert render_markdown("It costs $5 and then $10.") == "<p>It costs $5 and then $10.</p>\n"


def test_code_is_coloured_by_class_and_never_by_style() -> None:
    html = render_markdown("```python\ndef f(): pass\n```")
    assert '<span class="k">def</span>' in html
    assert "style=" not in html
    assert render_markdown("```nolanguage\na<b\n```") == '<pre class="code" tabindex="0"><code>a&lt;b\n</code></pre>\n'


def test_tables_are_aligned_by_class() -> None:
    html = render_markdown("|a|b|\n|:-|-:|\n|1|2|")
    assert '<td class="align-right">2</td>' in html
    assert "style" not in html


def test_links_leave_alone_and_open_elsewhere() -> None:
    (link,) = re.findall("<a [^>]*>", render_markdown("[x](https://e.org)"))
    assert 'rel="noopener noreferrer nofollow"' in link
    assert 'target="_blank"' in link
    assert "<a" not in render_markdown("plain https://e.org stays text")


def test_pictures_from_elsewhere_leave_their_description() -> None:
    assert "[image not shown: a cat]" in render_markdown("![a cat](http://e.org/a.png)")
    assert '<img src="data:image/png;base64,AAAA"' in render_markdown("![x](data:image/png;base64,AAAA)")


def test_headings_fit_below_those_of_the_page() -> None:
    assert render_markdown("# a\n\n##### b") == "<h3>a</h3>\n<h6>b</h6>\n"
    assert render_markdown("# a", first_heading=2) == "<h2>a</h2>\n"


def test_line_ends_are_kept_in_messages_and_flow_in_documents() -> None:
    assert render_markdown("one\ntwo", breaks=True) == "<p>one<br>\ntwo</p>\n"
    assert render_markdown("one\ntwo") == "<p>one\ntwo</p>\n"
    assert render_messages([Message(role="user", content="one\ntwo")])[0]["html"] == "<p>one<br>\ntwo</p>\n"


def test_messages_keep_their_roles_and_images() -> None:
    parts = [
        {"type": "text", "text": "**See**"},
        {"type": "image_url", "image_url": {"url": "https://e.org/a_(1).png"}},
    ]
    rendered = render_messages([Message.model_validate({"role": "user", "content": parts})])
    assert rendered[0]["role"] == "user"
    assert "<strong>See</strong>" in rendered[0]["html"]
    assert '<img src="https://e.org/a_(1).png"' in rendered[0]["html"]


@pytest.mark.parametrize(
    "unit", ["[", "*a ", "a$b ", "\\(", "\\[", "![](", "<", "_a__b", "\\begin{align}", "|a", "`a", "> ", "- "]
)
def test_hostile_repetition_stays_fast(unit: str) -> None:
    text = (unit * (100_000 // len(unit)))[:100_000]
    began = time.process_time()
    render_markdown(text)
    assert time.process_time() - began < 10


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", ["paper", "night"])
def test_code_colours_can_be_read_in_both_themes(theme: str) -> None:
    (block,) = re.findall(rf'\[data-theme="{theme}"\] {{ ([^}}]*)}}', markdown_css())
    colours = dict(re.findall(r"--code-(\w+): (#\w{6})", block))
    ground = _luminance(colours.pop("ground"))
    for name, colour in colours.items():
        light, dark = sorted((ground, _luminance(colour)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, name


MEDIA = "media:med_" + "0a" * 16


def _shown(*parts: dict[str, object]) -> str:
    message = Message.model_validate({"role": "user", "content": list(parts)})
    return render_messages([message], sign=lambda url: f"/media/{url[6:]}/file?a=1&b=2")[0]["html"]


def test_files_of_a_message_are_played_and_opened_by_signed_addresses() -> None:
    html = _shown(
        {"type": "text", "text": "Listen, *then* look."},
        {"type": "image_url", "image_url": {"url": MEDIA, "alt": "A [red] car"}},
        {"type": "input_audio", "input_audio": {"data": MEDIA, "format": "wav", "title": 'He says "no"'}},
        {"type": "video_url", "video_url": {"url": "https://e.org/a.mp4"}},
        {"type": "file", "file": {"file_url": MEDIA, "filename": "<report>.pdf"}},
    )
    address = f"/media/{MEDIA[6:]}/file?a=1&amp;b=2"
    assert f'<img src="{address}" alt="A (red) car"' in html
    assert f'<audio src="{address}" controls preload="metadata" aria-label="He says &quot;no&quot;"></audio>' in html
    assert '<video src="https://e.org/a.mp4" controls' in html
    assert f'<a class="file-card" href="{address}"' in html
    assert "&lt;report&gt;.pdf" in html
    assert "media:" not in html


def test_only_addresses_are_signed_and_no_text_that_looks_like_one() -> None:
    html = _shown({"type": "text", "text": f'`<img src="{MEDIA}">` and src="{MEDIA}" ![x](<{MEDIA}>) [y]({MEDIA})'})
    assert html.count("/media/med_") == 2
    assert html.count("media:med_") == 2


def test_other_media_addresses_are_not_shown() -> None:
    assert "<img" not in render_markdown("![x](media:evil)")
    assert "href" not in render_markdown("[x](media:med_12)")
