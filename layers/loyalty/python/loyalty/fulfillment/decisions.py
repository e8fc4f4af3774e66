"""What a person of finance decides about a run."""

from loyalty.fulfillment.runs import Run


class Decisions:
    """Each decision is written down first, conditionally, and then told to the state machine; repeated, it says so again."""

    def approve(self, program: str, redemption_id: str, *, actor: str, note: str | None = None) -> Run:
        """Lets a run that awaits approval order its card."""
        raise NotImplementedError

    def reject(self, program: str, redemption_id: str, *, actor: str, note: str) -> Run:
        """Ends a run that awaits approval: the points go back."""
        raise NotImplementedError

    def retry(self, program: str, redemption_id: str, *, actor: str, note: str | None = None) -> Run:
        """Starts the state machine anew for a run that needs attention."""
        raise NotImplementedError

    def cancel(self, program: str, redemption_id: str, *, actor: str, note: str) -> Run:
        """Gives a run up: what was ordered is cancelled at the supplier, then the points go back."""
        raise NotImplementedError

    def resolve(self, program: str, redemption_id: str, *, actor: str, note: str, give_back: bool = False) -> Run:
        """Closes a run that needs attention and was settled outside of the platform."""
        raise NotImplementedError

    def reissue(self, program: str, redemption_id: str, *, actor: str, note: str) -> Run:
        """Orders a new card in place of one that the supplier took back; the points are not captured again."""
        raise NotImplementedError
