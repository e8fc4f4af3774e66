"""What becomes of a resource that holds data when its stack is deleted or replaces it."""

from aws_cdk import RemovalPolicy

from infra.settings import StageSettings


def removal_policy(settings: StageSettings) -> RemovalPolicy:
    """Kept where the stage retains its data, but for one case: a creation that is rolled back has held nothing yet.

    Were it kept then too, its name would block every further attempt.
    """
    return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if settings.retain else RemovalPolicy.DESTROY
