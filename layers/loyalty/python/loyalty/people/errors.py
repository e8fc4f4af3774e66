"""What is refused about people, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Missing


class PersonNotFound(Missing):
    code = "person_not_found"
