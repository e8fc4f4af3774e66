"""What is refused about clients, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Conflict, Missing, Unacceptable, Unauthenticated


class ClientNotFound(Missing):
    code = "client_not_found"


class ClientDisabled(Unauthenticated):
    """A client that was shut out."""

    code = "client_disabled"


class PlanNotFound(Missing):
    """A stage has no usage plan of that name."""

    code = "plan_not_found"


class ScopeUnknown(Unacceptable):
    code = "scope_unknown"


class LastSecret(Conflict):
    """Without its last secret a client could get no token: it is disabled instead."""

    code = "last_secret"


class TwoSecretsAlready(Conflict):
    """Cognito keeps two secrets of a client, and no third."""

    code = "two_secrets_already"


class SecretNotFound(Missing):
    code = "secret_not_found"
