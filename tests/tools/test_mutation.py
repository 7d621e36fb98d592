"""The changes that `make mutate` tries."""

import ast

import pytest

from tools.mutation import mutants


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("a < b <= c", ["a <= b <= c", "a < b < c"]),
        ("a in b and c is None", ["a in b or c is None", "a not in b and c is None", "a in b and c is not None"]),
        ("LIMIT: float = 0.05", ["LIMIT: float = 1.05"]),
        ("ON = True", ["ON = False"]),
        ("KEY = 'phone'", ["KEY = 'phonex'"]),
        ("SAID = 'is the export complete?'", []),
        (
            "def f(a: 'int' = 3) -> 'str': return a",
            ["def f(a: 'int'=4) -> 'str':\n    return a", "def f(a: 'int'=3) -> 'str':\n    return None"],
        ),
        ("@dataclass(frozen=True)\nclass A:\n    'Prose.'\n    n: int", []),
        ("type A = int | str", []),
        ("__all__ = ['a']", []),
        ("if a: go(b)", ["if not a:\n    go(b)", "if a:\n    pass"]),
        ("raise Error", ["pass"]),
        ("for a in b: break", ["for a in b:\n    continue"]),
        ("[a for a in b if a.c]", ["[a for a in b if not a.c]"]),
        ("not a", ["a"]),
        ("a - min(b)", ["a + min(b)", "a - max(b)"]),
    ],
)
def test_each_change_is_made_once_and_by_itself(source: str, changed: list[str]) -> None:
    found = list(mutants(source))
    assert [ast.unparse(each.tree) for each in found] == changed
    for each in found:
        compile(each.tree, "mutant", "exec")
