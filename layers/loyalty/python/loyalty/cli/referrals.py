"""``loyalty referrals``: members whom others brought."""

import typer

app = typer.Typer(no_args_is_help=True)


@app.callback()
def referrals() -> None:
    """Members whom others brought."""
