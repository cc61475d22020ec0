"""Python sources as trees, parsed once for all rules that look at them."""

import ast
from functools import cache


@cache
def nodes(source: str) -> list[ast.AST]:
    """All nodes of a module, the module first."""
    return list(ast.walk(ast.parse(source)))
