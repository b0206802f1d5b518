"""README and manual name only what there is: links, pictures, commands, make targets, settings, states, packages."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from preceptor.cli.application import CONTENT_SECURITY_POLICY
from preceptor.cli.main import app
from preceptor.kit.settings import Settings
from preceptor.people.identify import SCOPES
from preceptor.tasktypes.comparison.columns import WAYS
from preceptor.tasktypes.comparison.release import CONSENSUS_SCHEMA, JUDGMENT_SCHEMA
from preceptor.web import manual

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
TOP = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")]
PAGES = [*TOP, *sorted(DOCS.rglob("*.md"))]

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"")
SETTING = re.compile(r"\bPRECEPTOR_[A-Z_]+\b")
TESTS_ONLY = {"PRECEPTOR_TEST_DATABASE_URL"}
MADE = {"states.md", "settings.md"}
WIDTH_MAX = 120
"""As in the code. Tables, pictures and pages made by scripts are let off."""


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def links(page: Path) -> Iterator[str]:
    """Targets of links and pictures, outside code blocks."""
    prose = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for found in LINK.finditer(prose):
        yield found.group(1) or found.group(2)


def anchors(page: Path) -> set[str]:
    """Addresses of headings, as the manual and code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^a-z0-9]+", "-", words.replace("`", "").lower()).strip("-") for words in headings}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_relative_links_and_pictures_lead_somewhere(page: Path) -> None:
    for link in links(page):
        target, _, anchor = link.partition("#")
        if "://" in target:
            continue
        found = (page.parent / target).resolve() if target else page
        assert found.exists(), f"{named(page)} links to {link}, which is not there"
        assert not anchor or anchor in anchors(found), f"{named(page)}: {link} has no such heading"


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=named)
def test_the_manual_links_only_within_itself(page: Path) -> None:
    # The application serves the docs folder alone: a link that leaves it would be dead there.
    for link in links(page):
        if "://" not in link and not link.startswith("#"):
            assert (page.parent / link.partition("#")[0]).resolve().is_relative_to(DOCS), f"{named(page)}: {link}"


def test_every_page_of_the_manual_can_be_shown_and_is_reached_from_the_index() -> None:
    reached, waiting = set[Path](), [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        waiting += [(page.parent / link.partition("#")[0]).resolve() for link in links(page) if ".md" in link]
    assert reached == set(DOCS.rglob("*.md"))
    for page in reached:
        slug = page.relative_to(DOCS).with_suffix("").as_posix()
        assert manual.read(slug).html
        assert slug not in {"api", "errors"}, "the application has pages of its own there"


def test_every_picture_of_the_manual_is_used() -> None:
    used = {(page.parent / link).resolve() for page in PAGES for link in links(page)}
    # The figures that plots are drawn from lie beside them, for whoever draws them anew.
    assert {path for path in (DOCS / "images").glob("*") if path.suffix != ".json"} <= used


# --- Commands


def spans(page: Path) -> Iterator[str]:
    """Code in a page: inline, fenced and indented lines."""
    text = page.read_text()
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    yield from (" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose))
    yield from re.findall(r"^    (\S.*)$", text, re.MULTILINE)
    for block in re.findall(r"^```(?:bash|sh)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield from block.splitlines()


def commands(page: Path) -> Iterator[list[str]]:
    """The words after each `preceptor`, up to the end of that command."""
    for code in spans(page):
        for found in re.finditer(r"(?:^|[\s(;|&])preceptor ([^|;&)#\n]*)", code):
            yield found.group(1).split()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_and_their_options_exist(page: Path) -> None:
    for words in commands(page):
        command, rest = typer.main.get_command(app), list(words)
        while rest and isinstance(command, TyperGroup) and not rest[0].startswith("-"):
            assert rest[0] in command.commands, f"{named(page)} names `preceptor {' '.join(words)}`"
            command = command.commands[rest.pop(0)]
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        asked = {word.partition("=")[0] for word in rest if word.startswith("--")}
        assert asked <= known | {"--help"}, f"{named(page)}: `preceptor {' '.join(words)}`"


def test_the_search_for_commands_finds_them() -> None:
    found = [" ".join(words[:2]) for page in PAGES for words in commands(page)]
    assert {"serve", "doctor --ledger", "user create", "user key", "db upgrade"} <= set(found)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for code in spans(page):
        for target in re.findall(r"^make ([a-z-]+)", code):
            assert target in targets, f"{named(page)} names `make {target}`"


def test_the_readme_says_what_it_promises() -> None:
    readme = (ROOT / "README.md").read_text()
    for words in ("make demo", "make test", "pip install .", "preceptor serve", "RESET=1", "Apache-2.0", "simulated"):
        assert words in readme


# --- What is made from the code


@pytest.mark.parametrize(("script", "page"), [("draw-states", "states.md"), ("list-settings", "settings.md")])
def test_pages_made_from_the_code_are_up_to_date(script: str, page: str) -> None:
    made = subprocess.run([sys.executable, ROOT / "scripts" / script], capture_output=True, text=True, check=True)
    assert made.stdout == (DOCS / page).read_text(), f"run scripts/{script} --write"


def test_the_settings_page_has_every_setting() -> None:
    listed = re.findall(r"^\| `(PRECEPTOR_[A-Z_0-9]+)`", (DOCS / "settings.md").read_text(), re.MULTILINE)
    assert listed == [f"PRECEPTOR_{name.upper()}" for name in Settings.model_fields]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_variables_that_pages_name_are_settings(page: Path) -> None:
    known = {f"PRECEPTOR_{name.upper()}" for name in Settings.model_fields} | TESTS_ONLY
    assert {name for name in SETTING.findall(page.read_text()) if not name.endswith("_")} <= known


def test_the_content_security_policy_is_the_one_that_is_sent() -> None:
    page = " ".join((DOCS / "security.md").read_text().split())
    assert CONTENT_SECURITY_POLICY in page


def test_the_layouts_of_imports_are_those_that_are_understood() -> None:
    page = (DOCS / "imports.md").read_text()
    for way in WAYS:
        assert f"| {way.name} |" in page
        assert way.example in page
        assert all(f"`{column}`" in page for column in re.findall(r"[a-z]+(?:_[a-z]+)*", way.columns))


def test_the_scopes_and_files_that_pages_list_are_all_there_are() -> None:
    guide, releases = (DOCS / "api-guide.md").read_text(), (DOCS / "releases.md").read_text()
    assert set(re.findall(r"^\| `([a-z]+)` \|", guide, re.MULTILINE)) == set(SCOPES)
    assert all(f"`{column}`" in releases for column in [*CONSENSUS_SCHEMA.names, *JUDGMENT_SCHEMA.names])


def test_every_package_and_its_range_is_in_the_table_of_libraries() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["bench"], *extras["train"]]
    table = (DOCS / "decisions" / "0009-libraries.md").read_text()
    rows = re.findall(r"^\| ([a-z0-9-]+(?: \[[^\]]+\])?) \| `([^`]+)` \|", table, re.MULTILINE)
    listed = sorted(name.replace(" ", "") + versions for name, versions in rows)
    assert listed == sorted(requirement.partition(";")[0].strip() for requirement in wanted)


def test_every_package_of_the_pages_is_in_the_table_of_libraries() -> None:
    table = (DOCS / "decisions" / "0009-libraries.md").read_text()
    packages = json.loads((ROOT / "frontend" / "package.json").read_text())["dependencies"]
    missing = [name for name in packages if name not in table and not name.startswith("@fontsource-variable/")]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_pages_are_plain_markdown_of_bearable_width(page: Path) -> None:
    for line in page.read_text().splitlines():
        assert "\t" not in line
        assert line == line.rstrip()
        assert len(line) <= WIDTH_MAX or line.startswith(("|", "!")) or page.name in MADE, f"{named(page)}: {line[:80]}"
