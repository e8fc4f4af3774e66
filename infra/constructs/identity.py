"""Who may call the API, and who may sign in: a user pool of clients and scopes, and another one of people."""

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_cognito as cognito
from constructs import Construct

import loyalty_contract as contract
from infra.constructs.nag import acknowledge
from infra.settings import StageSettings


class Identity(Construct):
    """OAuth2 client credentials: resource server ``loyalty`` and its scopes.

    It stands with the data: were it replaced, every partner's credentials would be void. Clients are made by the
    operator, each with its own scopes; the local cloud alone has one from the start, with all of them.
    """

    def __init__(self, scope: Construct, name: str, *, settings: StageSettings, removal: RemovalPolicy) -> None:
        super().__init__(scope, name)
        self.pool = cognito.UserPool(
            self,
            "Pool",
            user_pool_name=f"loyalty-{settings.name}",
            self_sign_up_enabled=False,
            feature_plan=cognito.FeaturePlan.ESSENTIALS,
            account_recovery=cognito.AccountRecovery.NONE,
            mfa=cognito.Mfa.REQUIRED,
            mfa_second_factor=cognito.MfaSecondFactor(sms=False, otp=True),
            password_policy=cognito.PasswordPolicy(
                min_length=16, require_digits=True, require_lowercase=True, require_symbols=True, require_uppercase=True
            ),
            deletion_protection=settings.retain,
            removal_policy=removal,
        )
        acknowledge(
            self.pool,
            "No person signs in here: the pool issues client-credentials tokens only, which threat protection does not look at.",
            "AwsSolutions-COG3",
            "AwsSolutions-COG8",
        )
        scopes = {
            name: cognito.ResourceServerScope(scope_name=name, scope_description=text)
            for name, text in contract.SCOPES.items()
        }
        server = self.pool.add_resource_server("Server", identifier=contract.SCOPE_SERVER, scopes=list(scopes.values()))
        account = Stack.of(self).account
        domain = self.pool.add_domain(
            "Domain", cognito_domain=cognito.CognitoDomainOptions(domain_prefix=f"loyalty-{settings.name}-{account}")
        )
        if settings.target == "local":
            self._partner([cognito.OAuthScope.resource_server(server, scope) for scope in scopes.values()])
        stack = Stack.of(self)
        CfnOutput(stack, "UserPoolId", value=self.pool.user_pool_id)
        CfnOutput(stack, "TokenUrl", value=f"{domain.base_url()}/oauth2/token")

    def _partner(self, scopes: list[cognito.OAuthScope]) -> None:
        """The client that the sample day and the tests speak as."""
        self.pool.add_client(
            "Partner",
            user_pool_client_name="partner",
            generate_secret=True,
            auth_flows=cognito.AuthFlow(),
            o_auth=cognito.OAuthSettings(flows=cognito.OAuthFlows(client_credentials=True), scopes=scopes),
            access_token_validity=Duration.hours(1),
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
        )


class People(Construct):
    """People of the business who sign in to the console, by the pool's own pages, with a second factor.

    A pool of their own: what is right for people (recovery, threat protection, a second factor) has no meaning for
    clients, and no token of theirs opens the API. What a person may see is in the table, not in groups of the pool.
    """

    def __init__(self, scope: Construct, name: str, *, settings: StageSettings, removal: RemovalPolicy) -> None:
        super().__init__(scope, name)
        self.pool = cognito.UserPool(
            self,
            "Pool",
            user_pool_name=f"loyalty-{settings.name}-people",
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(username=True, email=True),
            auto_verify=cognito.AutoVerifiedAttrs(email=True),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            mfa=cognito.Mfa.REQUIRED,
            mfa_second_factor=cognito.MfaSecondFactor(sms=False, otp=True),
            feature_plan=cognito.FeaturePlan.PLUS,
            standard_threat_protection_mode=cognito.StandardThreatProtectionMode.FULL_FUNCTION,
            password_policy=cognito.PasswordPolicy(
                min_length=14,
                require_digits=True,
                require_lowercase=True,
                require_symbols=True,
                require_uppercase=True,
                temp_password_validity=Duration.days(3),
            ),
            deletion_protection=settings.retain,
            removal_policy=removal,
        )
        stack = Stack.of(self)
        self._domain = self.pool.add_domain(
            "Domain",
            cognito_domain=cognito.CognitoDomainOptions(
                domain_prefix=f"loyalty-{settings.name}-people-{stack.account}"
            ),
        )
        CfnOutput(stack, "PeoplePoolId", value=self.pool.user_pool_id)

    @property
    def sign_in_url(self) -> str:
        """Base URL of the pages on which people sign in."""
        return self._domain.base_url()


def console_client(scope: Construct, people: cognito.IUserPool, console_url: str) -> cognito.UserPoolClient:
    """The console as a client of the people's pool: authorization code and PKCE, no secret, no other way in."""
    client = cognito.UserPoolClient(
        scope,
        "ConsoleClient",
        user_pool=people,
        user_pool_client_name="console",
        generate_secret=False,
        auth_flows=cognito.AuthFlow(),
        o_auth=cognito.OAuthSettings(
            flows=cognito.OAuthFlows(authorization_code_grant=True),
            scopes=[cognito.OAuthScope.OPENID, cognito.OAuthScope.EMAIL],
            callback_urls=[f"{console_url}/signed-in"],
            logout_urls=[console_url],
        ),
        supported_identity_providers=[cognito.UserPoolClientIdentityProvider.COGNITO],
        id_token_validity=Duration.minutes(5),
        access_token_validity=Duration.minutes(5),
        refresh_token_validity=Duration.hours(1),
        prevent_user_existence_errors=True,
        enable_token_revocation=True,
    )
    # Where nothing is said, Cognito lets a client send passwords through its API too, past the pool's pages.
    resource = client.node.default_child
    if not isinstance(resource, cognito.CfnUserPoolClient):
        raise TypeError("a user pool client has a resource of its own kind")
    resource.explicit_auth_flows = ["ALLOW_REFRESH_TOKEN_AUTH"]
    return client
