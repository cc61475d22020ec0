"""What the stack's own tests share: folders that PostgreSQL can use, whoever runs the tests."""

import shutil
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def open_dir():
    """A fresh folder that every user can enter; pytest's own are closed to all but us."""
    folder = Path(tempfile.mkdtemp(prefix="gridtally-stack-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)
