"""What the papers say is true: generated pages are fresh, links lead somewhere, and every name in them exists."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from typer.core import TyperGroup
from typer.main import get_command

import generate
from clipcast import ledger
from clipcast.cli import app
from clipcast.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "src").rglob("*.md")])
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize("name", generate.PAGES)
def test_generated_pages_are_fresh(name: str) -> None:
    """After a change to the code they come from: `make docs`."""
    assert (DOCS / "reference" / name).read_text() == generate.PAGES[name]()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    broken = [target for target in links(page) if not leads_somewhere(page, target)]

    assert broken == []


def test_every_page_can_be_found_from_the_readme() -> None:
    found, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        found.add(page)
        targets = {(page.parent / link.partition("#")[0]).resolve() for link in links(page) if "://" not in link and link[0] != "#"}
        todo += [target for target in targets if target.suffix == ".md" and target not in found]

    assert [page.relative_to(ROOT).as_posix() for page in PAGES if page.is_relative_to(DOCS) and page not in found] == []


def test_settings_named_in_the_papers_exist() -> None:
    """Also with `_FILE`, and for the tests."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    known |= {f"{PREFIX}TEST_{name}" for name in ("EXAMPLES", "POSTGRES_URL", "REQUIRE")}
    named = {name.removesuffix("_FILE") for page in PAGES for name in re.findall(rf"{PREFIX}[A-Z_]+[A-Z]", page.read_text())}

    assert named - known == set()


def test_make_targets_named_in_the_papers_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name for page in PAGES for name in re.findall(r"(?:`|^)make ([a-z]+)", page.read_text(), re.MULTILINE)}

    assert named - targets == set()


def test_commands_named_in_the_papers_exist() -> None:
    """Those in code: `clipcast word` and, for groups, `clipcast word word`."""
    unknown = {
        command
        for page in PAGES
        for command in re.findall(r"(?:`|^ *|\$ )clipcast ([a-z][a-z-]*(?: [a-z][a-z-]*)?)", page.read_text(), re.MULTILINE)
        if not is_command(command.split())
    }

    assert unknown == set()


def test_every_ledger_event_is_explained() -> None:
    page = (DOCS / "reference" / "ledger.md").read_text().partition("## What happened")[2]
    explained = re.findall(r"^\| `(\w+_\w+)` \|", page, re.MULTILINE)

    assert sorted(explained) == sorted(ledger.EVENTS)


@pytest.mark.parametrize("decision", sorted((DOCS / "decisions").glob("0*.md")), ids=lambda path: path.stem)
def test_decisions_have_their_form(decision: Path) -> None:
    """Context, a decision in a sentence one can quote, consequences, alternatives, and tests that are there."""
    text = decision.read_text()
    sections = re.findall(r"^## (.+)", text, re.MULTILINE)
    enforced_by = text.partition("## Enforced by")[2]
    tests = re.findall(r"`(tests/[\w/.]+)`", enforced_by)

    assert text.startswith(f"# {decision.stem[:4]}: ")
    assert sections == ["Context", "Decision", "Consequences", "Alternatives", "Enforced by"]
    assert text.partition("## Decision")[2].lstrip().startswith("**")
    assert tests or "import contract" in enforced_by
    assert [test for test in tests if not (ROOT / test).exists()] == []
    assert decision.name in (DOCS / "decisions" / "README.md").read_text()


def test_import_contracts_named_in_decisions_exist() -> None:
    names = [contract["name"] for contract in PROJECT["tool"]["importlinter"]["contracts"]]
    texts = [path.read_text().partition("## Enforced by")[2] for path in (DOCS / "decisions").glob("0*.md")]
    named = [" ".join(quoted.split()) for text in texts for quoted in re.findall(r'"([^"]+)"', text)]

    assert named
    assert [quoted for quoted in named if not any(name.startswith(quoted) for name in names)] == []


@pytest.mark.parametrize("name", ["runtime", "dev"])
def test_pins_are_exact_and_hashed_and_name_no_place(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    blocks = [block for block in re.split(r"\n(?=[a-z])", text) if not block.startswith("#")]

    assert [block for block in blocks if not re.match(r"[\w.-]+==\S+( ;[^\\]+)? \\\n    --hash=sha256:", block)] == []
    assert re.findall(r"://|--index|--find-links|/(?:opt|home|work|tmp)/", text) == []


def test_pins_satisfy_what_the_project_asks_for() -> None:
    """After a change to the dependencies in pyproject.toml: `make pins`."""
    project = PROJECT["project"]
    build, dev = PROJECT["dependency-groups"]["build"], PROJECT["dependency-groups"]["dev"]
    runtime = [*project["dependencies"], *project["optional-dependencies"]["postgres"], *build]

    assert list(unsatisfied(runtime, pins("runtime"))) == []
    assert list(unsatisfied([*runtime, *(line for line in dev if isinstance(line, str))], pins("dev"))) == []
    assert pins("runtime").items() <= pins("dev").items()


def pins(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE))


def unsatisfied(requirements: list[str], pinned: dict[str, str]) -> Iterator[str]:
    for requirement in map(Requirement, requirements):
        if not requirement.specifier.contains(pinned.get(requirement.name, "0")):
            yield str(requirement)


def links(page: Path) -> list[str]:
    """The targets of a page's links, code left out."""
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", prose)


def leads_somewhere(page: Path, target: str) -> bool:
    """Relative links only: no test reaches for the outside world."""
    if "://" in target:
        return True
    name, _, anchor = target.partition("#")
    file = (page.parent / name).resolve() if name else page
    return file.exists() and (not anchor or anchor in anchors(file))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as hosting sites make them."""
    headings = re.findall(r"^#+ (.+)", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_command(words: list[str]) -> bool:
    """Whether these words name a command; the second may be an argument where the first takes one."""
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    command = root.commands.get(words[0])
    if len(words) > 1 and isinstance(command, TyperGroup):
        return words[1] in command.commands
    return command is not None
