"""The house rules as tests: sizes, words, and habits that no linter knows."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

REPOSITORY: Final = Path(__file__).resolve().parents[2]
FILE_LINES_MAX: Final = 500
FUNCTION_LINES_MAX: Final = 70
POLL_SECONDS_MAX: Final = 0.3
CODE: Final = (".py", ".sql", ".sh", ".js", ".css", ".html")
SERVES_PEOPLE: Final = ("billing/", "config/", "reminders/")
# The stages, and what speaks for billing: their public functions take keywords only.
KEYWORDS_ONLY: Final = (
    *(f"reminders/{n}.py" for n in ("intake", "delivery", "dispatch", "outcomes", "recovery", "reconcile", "queries")),
    *(f"billing/{n}.py" for n in ("charges", "breaks", "queries", "seals", "statements", "reconcile")),
)
NOT_A_NOUN_OF_THE_DOMAIN: Final = {"utils", "helpers", "common", "services", "managers", "misc"}
# Written in pieces, so that this file does not name them.
ELSEWHERE: Final = re.compile(
    "|".join(
        (
            "/" + "work/",
            "/" + "root/",
            "/tmp/" + "work",
            "pypi" + r"\.org",
            "pythonhosted" + r"\.org",
            "registry" + r"\.",
        )
    )
)
LATER: Final = re.compile(r"\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")) + r")\b")
# One word per thing (docs/glossary.md). The word on the right is ours.
SYNONYMS: Final = {
    r"dead[- ]letter queue|\bDLQ\b": "dead letter",
    r"\binvoices?\b": "statement",
    r"\bfence token|\block token|\blease token": "fencing token",
    r"\bcron ?job|\bbackground job": "timer",
    r"\bSMS gateway|\btelephony provider|\bsms provider": "carrier",
    r"\bwallet\b": "account",
    r"\bphone bill\b": "statement",
    r"\bcircuit[- ]breaker": "breaker",
}
TOLD_OF_NO_PERSON: Final = {"number", "phone", "sender", "body", "text", "subject", "to", "recipient"}


@cache
def tracked() -> tuple[str, ...]:
    """Every file of the repository, as git knows it, relative to its root."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True)
    names = listed.stdout.decode().split("\0")
    return tuple(name for name in names if name and (REPOSITORY / name).is_file())


@cache
def text_of(name: str) -> str:
    return (REPOSITORY / name).read_text("utf-8", "replace")


@cache
def tree_of(name: str) -> ast.Module:
    return ast.parse(text_of(name), name)


def files(*endings: str, under: tuple[str, ...] = ("",)) -> Iterator[str]:
    return (name for name in tracked() if name.endswith(endings) and name.startswith(under))


def nodes(kind: type[ast.AST], *, under: tuple[str, ...] = ("",)) -> Iterator[tuple[str, ast.AST]]:
    for name in files(".py", under=under):
        for node in ast.walk(tree_of(name)):
            if isinstance(node, kind):
                yield name, node


def spot(name: str, node: ast.AST) -> str:
    return f"{name}:{getattr(node, 'lineno', 0)}"


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a name or an attribute; empty for anything else."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def calls(*, under: tuple[str, ...] = ("",)) -> Iterator[tuple[str, ast.Call, str]]:
    for name, node in nodes(ast.Call, under=under):
        assert isinstance(node, ast.Call)
        yield name, node, dotted(node.func)


def test_no_file_is_longer_than_a_sitting() -> None:
    long = {name: len(text_of(name).splitlines()) for name in files(*CODE)}
    assert {name: lines for name, lines in long.items() if lines > FILE_LINES_MAX} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    long = []
    for kind in (ast.FunctionDef, ast.AsyncFunctionDef):
        for name, node in nodes(kind):
            assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES_MAX:
                long.append(f"{spot(name, node)} {node.name}")
    assert long == []


def test_every_module_is_a_stage_or_a_noun_of_the_domain() -> None:
    assert [name for name in files(".py") if NOT_A_NOUN_OF_THE_DOMAIN & set(Path(name).with_suffix("").parts)] == []


def test_nothing_names_a_place_of_one_machine_or_a_registry() -> None:
    found = [name for name in tracked() if not name.endswith((".png", ".ico")) and ELSEWHERE.search(text_of(name))]
    assert found == []


def test_nothing_is_left_for_later() -> None:
    assert [name for name in tracked() if not name.endswith(".lock") and LATER.search(text_of(name))] == []


def test_only_the_words_of_the_glossary_are_used() -> None:
    places = [name for name in files(".py", ".sql", ".md", ".html", ".toml") if "test_tidy" not in name]
    found = [
        f"{name}: {hit[0]!r}, our word is {ours!r}"
        for name in places
        for theirs, ours in SYNONYMS.items()
        if (hit := re.search(theirs, text_of(name), re.IGNORECASE)) and not name.endswith("glossary.md")
    ]
    assert found == []


def test_stages_take_keywords_only() -> None:
    found = []
    for name in files(*KEYWORDS_ONLY):
        for node in tree_of(name).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                positional = len(node.args.posonlyargs) + len(node.args.args)
                if positional > 1 or (positional == 1 and node.args.kwonlyargs):
                    found.append(f"{spot(name, node)} {node.name}")
    assert found == []


def test_no_task_waits_in_the_broker() -> None:
    """A due time stands in Postgres; a message with a delay is lost with its broker, or done twice."""
    found = [
        spot(name, call)
        for name, call, _ in calls(under=SERVES_PEOPLE)
        if {word.arg for word in call.keywords} & {"eta", "countdown"}
    ]
    assert found == []


def test_asserts_only_narrow_types() -> None:
    """`python -O` drops asserts: what money or delivery relies on is raised."""

    def narrows(node: ast.expr) -> bool:
        if isinstance(node, ast.BoolOp):
            return all(narrows(value) for value in node.values)
        if isinstance(node, ast.Compare):
            return isinstance(node.ops[0], ast.IsNot) and isinstance(node.comparators[0], ast.Constant)
        return isinstance(node, ast.Call) and dotted(node.func) == "isinstance"

    found = [
        spot(name, node)
        for name, node in nodes(ast.Assert, under=SERVES_PEOPLE)
        if isinstance(node, ast.Assert) and not narrows(node.test)
    ]
    assert found == []


def test_no_except_is_bare() -> None:
    found = [
        spot(name, node)
        for name, node in nodes(ast.ExceptHandler)
        if isinstance(node, ast.ExceptHandler) and node.type is None
    ]
    assert found == []


def test_no_log_event_tells_of_a_person() -> None:
    found = [
        spot(name, call)
        for name, call, function in calls(under=SERVES_PEOPLE)
        if function.startswith("log.") and {word.arg for word in call.keywords} & TOLD_OF_NO_PERSON
    ]
    assert found == []


def test_tests_wait_for_a_signal_and_never_for_a_time() -> None:
    """A short sleep in a loop polls what cannot signal (another process); any other sleep is a guess."""
    found = []
    for name in files(".py", under=("tests/",)):
        looped = {
            id(inner) for node in ast.walk(tree_of(name)) if isinstance(node, ast.While) for inner in ast.walk(node)
        }
        for node in ast.walk(tree_of(name)):
            if isinstance(node, ast.Call) and dotted(node.func) == "time.sleep":
                seconds = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
                short = isinstance(seconds, int | float) and seconds <= POLL_SECONDS_MAX
                slow_on_purpose = dotted(node.args[0]).endswith(".wait_seconds")  # a server that a test holds back
                if not slow_on_purpose and not (short and id(node) in looped):
                    found.append(spot(name, node))
    assert found == []


@pytest.mark.parametrize("name", list(files(".py", under=("tests/races/test_",))))
def test_every_race_has_its_negative_control(name: str) -> None:
    tests = [
        node.name for node in tree_of(name).body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    assert any("negative_control" in test for test in tests), f"{name}: no test shows that its guard is needed"


def test_whatever_is_skipped_says_why() -> None:
    found = [
        spot(name, call)
        for name, call, function in calls(under=("tests/",))
        if function.split(".")[-1] in {"skip", "xfail", "skipif"} and "pytest" in function
        if not any(word.arg == "reason" for word in call.keywords) and not (function == "pytest.skip" and call.args)
    ]
    bare = [
        spot(name, node)
        for name, node in nodes(ast.Attribute, under=("tests/",))
        if dotted(node) in {"pytest.mark.skip", "pytest.mark.xfail"}
        and not any(call.func is node for _, call, _ in calls(under=(name,)))
    ]
    assert found + bare == []


@pytest.mark.parametrize("name", list(files(".sql", under=SERVES_PEOPLE)))
def test_every_statement_says_what_it_does_and_what_it_locks(name: str) -> None:
    """Reads that lock nothing need not say so; what writes or locks does."""
    lines = text_of(name).splitlines()
    head = [line for line in lines if line.startswith("--")]
    body = "\n".join(line for line in lines if not line.startswith("--"))
    assert lines[0].startswith("-- "), "it says nothing"
    if re.search(r"\b(?:INSERT|UPDATE|DELETE|FOR SHARE)\b", body):
        assert re.search(r"\block", "\n".join(head), re.IGNORECASE), "it does not say what it locks"
