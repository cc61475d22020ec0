"""What all generated models have in common."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Fields are given by their names in Python, or by those of the API where these differ
    (`from_`, `from`)."""

    # built when first used: a program uses few of them, and begins in a tenth of the time
    model_config = ConfigDict(populate_by_name=True, protected_namespaces=(), defer_build=True)
