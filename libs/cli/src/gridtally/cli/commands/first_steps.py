"""`gridtally env` and `gridtally quickstart`: how programs find an installation, and what for."""

import os

import typer

from gridtally.cli.options import AsJson, DataDir


def env(data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Print the addresses and the key, for programs: eval "$(gridtally env)"."""
    import shlex

    from gridtally.cli.installation import find_installation, settings_of
    from gridtally.cli.report import print_json

    settings = settings_of(find_installation(os.environ, data_dir))
    if as_json:
        print_json(settings)
        return
    for name, value in settings.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


def quickstart(data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Make a first invoice from nothing, in eight calls that are explained one by one."""
    from dataclasses import asdict

    from gridtally.cli.errors import CommandError
    from gridtally.cli.installation import find_installation, settings_of
    from gridtally.cli.quickstart import run_quickstart
    from gridtally.cli.report import print_json
    from gridtally.client import Client, ClientError

    settings = settings_of(find_installation(os.environ, data_dir))
    steps = []
    try:
        with Client.from_environment(settings) as gridtally:
            for step in run_quickstart(gridtally):
                steps.append(step)
                if not as_json:
                    typer.echo(f"{len(steps)}. {step.purpose}")
                    typer.echo(f"   {step.call}")
                    typer.echo(f"   → {step.outcome}\n")
    except ClientError as failure:
        raise CommandError(f"after {len(steps)} of 8 calls: {failure}") from failure
    if as_json:
        print_json([asdict(step) for step in steps])
    else:
        typer.echo("The same as a program of your own: docs/quickstart.md")
