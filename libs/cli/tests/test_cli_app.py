"""The command as a whole: its version, its completion, and JSON from every command."""

import json
from importlib.metadata import version

import pytest
import typer
from typer.testing import CliRunner

from gridtally.cli import app as cli

RUNNER = CliRunner()


def leaves(command, words=()):
    """Every command with its words, groups that do something themselves too."""
    subcommands = getattr(command, "commands", {})
    if words and (not subcommands or command.invoke_without_command):
        yield words, command
    for name, subcommand in subcommands.items():
        yield from leaves(subcommand, (*words, name))


COMMANDS = dict(leaves(typer.main.get_command(cli.app)))
PRINTS_A_TARIFF = (("import-urdb",), ("import-tariff",))


def test_the_version_is_that_of_the_package():
    shown = RUNNER.invoke(cli.app, ["--version"])
    assert (shown.exit_code, shown.stdout) == (0, f"gridtally {version('gridtally')}\n")


def test_completion_can_be_installed():
    assert (
        "--install-completion" in RUNNER.invoke(cli.app, ["--help"], env={"COLUMNS": "200"}).stdout
    )


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_prints_json(words):
    """The imports of tariffs do so anyway: what they print is the tariff."""
    options = {option for parameter in COMMANDS[words].params for option in parameter.opts}
    assert words in PRINTS_A_TARIFF or "--json" in options


def test_a_status_is_json(tmp_path):
    shown = RUNNER.invoke(cli.app, ["status", "--json", "--data-dir", str(tmp_path)])
    assert json.loads(shown.stdout) == {"state": "not running", "processes": [], "servers": []}
    assert shown.exit_code == 1


def test_without_the_local_stack_its_commands_say_what_to_install(monkeypatch):
    monkeypatch.setattr(cli, "entry_points", lambda **_: [])
    bare, following = (typer.Typer(rich_markup_mode=cli.app.rich_markup_mode) for _ in range(2))
    bare.add_typer(following, name="follow")
    monkeypatch.setattr(cli, "app", bare)
    monkeypatch.setattr(cli.follow, "app", following)
    cli._add_what_is_installed()
    for words in (*([name] for name in cli.LOCAL_COMMANDS), ["follow", "events"]):
        asked = RUNNER.invoke(bare, [*words, "--homes", "5"])
        assert "pip install 'gridtally[local]'" in str(asked.exception)
        described = " ".join(RUNNER.invoke(bare, [*words, "--help"]).output.split())
        assert "pip install 'gridtally[local]'" in described
