"""Generates the modules of `gridtally.client.generated` from docs/openapi.

python scripts/python_client <target folder> <openapi document>…
"""

import json
import subprocess
import sys
from pathlib import Path

from models import closure, referred, write_models
from operations import name_inline_models, operations_of, sent_schemas, written

HEALTH = "/health/"


def main(target: str, *documents: str) -> None:
    """Write two modules for each service: its models and its operations."""
    folder = Path(target)
    folder.mkdir(parents=True, exist_ok=True)
    made = [folder / "__init__.py"]
    made[0].write_text('"""Generated from docs/openapi by `make docs`; not to be edited."""\n')
    for path in map(Path, documents):
        service, document = path.stem, json.loads(path.read_text())
        document["paths"] = {
            path: item for path, item in document["paths"].items() if not path.startswith(HEALTH)
        }
        name_inline_models(document)
        operations = operations_of(document)
        schemas = document["components"]["schemas"]
        used = closure(schemas, referred(document["paths"]) & schemas.keys())
        sent = closure(schemas, sent_schemas(document))
        models, module = folder / f"{service}_models.py", folder / f"{service}.py"
        kept = {name: schemas[name] for name in used}
        write_models(service, kept, sent, models)
        module.write_text(written(service, operations))
        made += [models, module]
    ruff = [sys.executable, "-m", "ruff"]
    subprocess.run(
        [*ruff, "check", "--quiet", "--fix-only", "--select", "I,F401", *made], check=True
    )
    subprocess.run([*ruff, "format", "--quiet", *made], check=True)


main(*sys.argv[1:])
