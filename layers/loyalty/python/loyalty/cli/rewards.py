"""``loyalty rewards``: what the catalogue shows of rewards."""

from pathlib import Path
from typing import Annotated

import typer

from loyalty.cli.console import AsJson, fail, out, print_json
from loyalty.rewards.pictures import MAX_PICTURE_BYTES, S3Pictures
from loyalty_contract import ENV_PICTURES

app = typer.Typer(no_args_is_help=True)
pictures = typer.Typer(no_args_is_help=True)
app.add_typer(pictures, name="picture", help="Pictures of rewards.")

Bucket = Annotated[
    str, typer.Option("--bucket", envvar=ENV_PICTURES, help="The stage's bucket of pictures.", show_envvar=True)
]


@app.callback()
def rewards() -> None:
    """Rewards of a catalogue."""


@pictures.callback()
def picture() -> None:
    """Pictures of rewards, kept under the hash of their content."""


@pictures.command()
def put(file: Path, *, bucket: Bucket, json: AsJson = False) -> None:
    """Store a picture (PNG, JPEG or WebP, two megabytes at most), and print its key for ``images`` of a reward.

    The same picture again is the same key.
    """
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_PICTURE_BYTES + 1)
    except OSError as error:
        fail(f"'{file}' cannot be read: {error.strerror}.")
    key = S3Pictures(bucket).put(content)
    if json:
        print_json({"key": key})
    else:
        out.print(f"[bold green]✓[/] {key}")
