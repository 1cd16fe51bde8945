"""`treering demo`: the main job on real data."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    s3: Annotated[bool, typer.Option("--s3", help="Run on a local S3 server that ends with the demo.")] = False,  # noqa: FBT002
    store: Annotated[Path | None, typer.Option(help="Folder to leave the store in; demo-store if left out.", show_default=False)] = None,
    project: Annotated[
        Path | None, typer.Option(help="Run nothing: write the same job into this new folder, as a project for `treering run`.", show_default=False)
    ] = None,
) -> None:
    """Run the main job on real flights: raw CSV files, feature groups, training sets, two models, and what a leak would have done."""
    from rich.console import Console

    from treering.demo.raw_zone import find_data
    from treering.demo.run import leave_project, run_in_folder, run_on_s3
    from treering.demo.screen import Screen

    if (s3, store is not None, project is not None).count(True) > 1:
        raise typer.BadParameter("--s3 leaves no folder, and --project runs nothing: give one of --s3, --store and --project.")
    data, screen = find_data(), Screen(Console(highlight=False))
    if project is not None:
        leave_project(project, data, screen)
    elif s3:
        run_on_s3(data, screen)
    else:
        run_in_folder(store or Path("demo-store"), data, screen)
