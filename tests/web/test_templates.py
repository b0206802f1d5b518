"""The page parts: they render with every argument they document, and keep to the strict content security policy."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from preceptor.kit.money import Money
from preceptor.web import assets

TEMPLATES = Path(assets.__file__).parent / "templates"
SHELL = {
    "person_name": "Ada <script>alert(1)</script>",
    "person_email": "ada@example.org",
    "csrf_token": "token",
    "home_url": "/",
    "nav": [{"href": "/board", "label": "Board", "icon": "layout-list", "active": True, "count": 7}],
    "roles": [
        {"key": "contributor", "label": "Contributor", "detail": None, "active": True},
        {"key": "client", "label": "Client", "detail": "Northlight", "active": False},
    ],
    "role_url": "/role",
    "account_nav": [{"href": "/profile", "label": "Profile", "icon": "user-round"}],
    "sign_out_url": "/sign-out",
    "search_url": "/search.json",
    "unread": 1,
    "inbox_url": "/inbox",
    "demo_mode": True,
    "flash": [{"kind": "success", "text": "Saved.", "href": None, "link_label": None}],
    "version": "0.1.0",
}


class Markup(HTMLParser):
    """Collects what a strict policy would refuse, labels and ids."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.refused: list[str] = []
        self.ids: list[str] = []
        self.labelled: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style" or "style" in given or any(name.startswith("on") for name in given):
            self.refused.append(f"{tag} {given}")
        if tag == "script" and "src" not in given and given.get("type") != "application/json":
            self.refused.append(f"{tag} {given}")
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "label" and given.get("for"):
            self.labelled.append(str(given["for"]))


@pytest.fixture
def pages() -> Environment:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    environment.globals["asset"] = lambda name: f"/static/dist/{name}"
    environment.globals["brought_elements"] = dict
    return environment


def test_the_style_page_keeps_to_the_strict_policy(pages: Environment) -> None:
    text = pages.get_template("styleguide.html").render(shell=SHELL, now=datetime(2026, 1, 2, 10, 42, tzinfo=UTC))
    markup = Markup(text)
    assert markup.refused == []
    assert "<script>alert" not in text
    assert len(markup.ids) == len(set(markup.ids))
    assert set(markup.labelled) <= set(markup.ids)


def test_money_is_shown_the_same_way_everywhere(pages: Environment) -> None:
    template = pages.from_string('{% from "components/ui.html" import money %}{{ money(m) }}')

    def shown(amount: Money) -> str:
        return re.sub(r"<[^>]+>", "", template.render(m=amount))

    assert shown(Money(42, "USD")) == "$0.42"
    assert shown(Money(-123456789, "EUR")) == "−€1,234,567.89"
    assert shown(Money(5000, "JPY")) == "¥5,000"
    assert shown(Money(300, "CHF")) == "3.00 CHF"


def test_an_unknown_estimate_says_so_instead_of_zero(pages: Environment) -> None:
    template = pages.from_string('{% from "components/plots.html" import interval %}{{ interval(e, 0.2, 0.4) }}')
    assert "Not enough answers yet" in template.render(e=None)
    assert "0.30" in template.render(e=0.3)


def test_a_missing_build_names_the_mend(tmp_path: Path) -> None:
    with pytest.raises(assets.AssetsNotBuilt, match="make build"):
        assets.manifest(tmp_path)


def test_no_colour_is_named_outside_the_theme_file() -> None:
    frontend = TEMPLATES.parents[3] / "frontend" / "src"
    sources = [*frontend.rglob("*.css"), *frontend.rglob("*.ts"), *TEMPLATES.rglob("*.html")]
    colour = re.compile(
        r"[:\s\"'(]#[0-9a-fA-F]{6}\b|\brgba?\(\d|\b(?:bg|text|border)-(?:red|green|blue|gray|slate|amber)-\d"
    )
    named = [
        f"{path.name}: {hit}"
        for path in sources
        if path.name != "theme.css"
        for hit in colour.findall(path.read_text())
    ]
    assert sources
    assert named == []
