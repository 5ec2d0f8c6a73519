"""The shape of the code, measured: short functions, short files, no hiding places. The direction of imports is import-linter's business."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = sorted((ROOT / "src").rglob("*.py"))
EVERYTHING = sorted(path for place in ("src", "tests", "bench", "docs") for path in (ROOT / place).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))

FUNCTION_LINES, USUAL_FUNCTION_LINES, LONG_FUNCTION_LINES = 60, 10, 30
FILE_LINES, LONG_FILE_LINES = 600, 400
NAMES_WITHOUT_A_CONCEPT = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc", "core", "base_utils"}

SUPPRESSION = re.compile(r"#\s*(?:noqa\b:?(?: [A-Z]+\d+,?)*|type:\s*ignore(?:\[[a-z, -]+\])?)(?P<reason>.*)")
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|NotImplementedError)\b")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_functions_are_short() -> None:
    """Half of them fit in ten lines, nine in ten in thirty, all on one screen."""
    lengths = {f"{place(path)}:{node.lineno} {node.name}": length(node) for path, node in functions(PRODUCT)}

    assert {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES} == {}
    assert median(lengths.values()) <= USUAL_FUNCTION_LINES
    assert quantiles(lengths.values(), n=10)[-1] <= LONG_FUNCTION_LINES


def test_files_are_short() -> None:
    lengths = {place(path): len(path.read_text().splitlines()) for path in EVERYTHING}

    assert {name: lines for name, lines in lengths.items() if lines > FILE_LINES} == {}
    assert quantiles(lengths.values(), n=10)[-1] <= LONG_FILE_LINES


def test_modules_are_named_for_a_concept() -> None:
    assert [place(path) for path in EVERYTHING if path.stem in NAMES_WITHOUT_A_CONCEPT or path.parent.name in NAMES_WITHOUT_A_CONCEPT] == []


def test_imports_stand_at_the_top() -> None:
    """Only commands import inside a function: it keeps `clipcast --help` quick."""
    inner = [
        f"{place(path)}:{node.lineno}"
        for path, function in functions(PRODUCT)
        if "cli" not in path.parts
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]

    assert inner == []


def test_the_core_is_synchronous() -> None:
    """Only what HTTP itself wants so (streams, the log context of a request) and what serves asyncio programs is `async` (0001)."""
    asynchronous = {
        place(path)
        for path, function in functions(PRODUCT)
        if isinstance(function, ast.AsyncFunctionDef) and path.is_relative_to(ROOT / "src" / "clipcast")
    }

    allowed = re.compile(r"src/clipcast/(api/\w+|\w+/(\w+_)?routes|people/admission|turnstiles|aio)\.py")
    assert {name for name in asynchronous if not allowed.fullmatch(name)} == set()


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        place(path)
        for path in PRODUCT
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv"}
    }

    assert readers <= {"src/clipcast/settings.py"}


def test_every_suppression_says_why() -> None:
    assert [line for line in lines_with(SUPPRESSION, EVERYTHING) if is_bare(line)] == []


@pytest.mark.parametrize(
    ("comment", "bare"),
    [
        ("x = 1  # noqa", True),
        ("x = 1  # noqa: S311", True),
        ("x = 1  # noqa: S311, S106", True),
        ("x = 1  # noqa: S311 - a picture, not a secret", False),
        ("x = 1  # noqa: S311, S106  # a picture", False),
        ("x = 1  # type: ignore", True),
        ("x = 1  # type: ignore[arg-type]", True),
        ("x = 1  # type: ignore[arg-type]  # its stub is wrong", False),
    ],
)
def test_bare_suppressions_are_recognised(comment: str, *, bare: bool) -> None:
    assert is_bare(comment) is bare


def test_nothing_is_left_for_later() -> None:
    assert list(lines_with(UNFINISHED, EVERYTHING)) == []


def test_tests_neither_sleep_nor_patch_our_own_functions() -> None:
    """The clock and the wire are passed in; what would need a patch is missing a seam."""
    found = [
        f"{place(path)}:{node.lineno}"
        for path in TESTS
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Attribute) and ast.unparse(node) in {"time.sleep", "asyncio.sleep"})
        or (isinstance(node, ast.ImportFrom) and node.module in {"unittest.mock", "mock"})
    ]

    assert found == []


def functions(paths: list[Path]) -> Iterator[tuple[Path, Function]]:
    for path in paths:
        for node in ast.walk(tree(path)):
            if isinstance(node, Function):
                yield path, node


def length(node: Function) -> int:
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def is_bare(line: str) -> bool:
    """Whether a suppression names its rule at most, and no reason."""
    found = SUPPRESSION.search(line)
    return found is not None and not re.search("[a-z]{2}", found["reason"])


def lines_with(pattern: re.Pattern[str], paths: list[Path]) -> Iterator[str]:
    for path in paths:
        if path == Path(__file__):
            continue  # it has to name what it looks for
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if pattern.search(line):
                yield f"{place(path)}:{number}: {line.strip()}"


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
