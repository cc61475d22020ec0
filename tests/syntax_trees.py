"""Python sources as trees, parsed and walked once for all rules that look at them."""

import ast
from collections import defaultdict
from functools import cache


def nodes(source, *kinds):
    """The nodes of these kinds in a module, kind by kind."""
    by_kind = _nodes(source)
    return [node for kind in kinds for node in by_kind.get(kind, ())]


# `ast.walk` asks each node for its fields by name, and spends most of its time in doing so.
@cache
def _nodes(source):
    by_kind = defaultdict(list)
    walked = [ast.parse(source)]
    for node in walked:  # which grows meanwhile
        by_kind[type(node)].append(node)
        for value in vars(node).values():
            if isinstance(value, ast.AST):
                walked.append(value)
            elif isinstance(value, list):
                walked.extend(part for part in value if isinstance(part, ast.AST))
    return by_kind
