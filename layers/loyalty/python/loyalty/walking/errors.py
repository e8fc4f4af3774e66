"""What a run over many members meets. ``core.errors`` says what the kind means."""

from loyalty.core.errors import RunRefused


class RunDiffers(RunRefused):
    """Under the run's name something else was done, or to others."""

    code = "run_differs"


class RunStopped(RunRefused):
    """Too many members of a page failed."""

    code = "run_stopped"
