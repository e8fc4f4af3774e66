"""What a stage of the gateway writes down and lets through, and why it is as it is."""

import json
from typing import Final

from aws_cdk import aws_apigateway as apigateway

from infra.constructs.nag import acknowledge
from infra.settings import Throttle

ACCESS_LOG: Final = json.dumps(
    {
        "request_id": "$context.requestId",
        "time": "$context.requestTimeEpoch",
        "client_id": "$context.authorizer.client_id",
        "method": "$context.httpMethod",
        "route": "$context.resourcePath",  # the pattern, not the path: no member's id in the log
        "status": "$context.status",
        "latency_ms": "$context.responseLatency",
        "integration_latency_ms": "$context.integrationLatency",
        "response_bytes": "$context.responseLength",
        "error": "$context.error.responseType",
        "tls": "$context.tlsVersion",
    }
)


def acknowledge_stage(stage: apigateway.Stage) -> None:
    """Accept what a stage of ours has not, each with its reason."""
    acknowledge(
        stage,
        "Answers are a member's own and of this moment: one from a cache would be another member's, or an old balance.",
        "NIST.800.53.R5-APIGWCacheEnabledAndEncrypted",
        "CKV_AWS_120",
    )
    acknowledge(
        stage,
        "Behind it are functions, invoked by IAM and no HTTP server that would ask for the gateway's certificate.",
        "NIST.800.53.R5-APIGWSSLEnabled",
    )
    acknowledge(
        stage,
        "Functions are not traced, since a tracer costs each cold start: a trace would end here. The access log has each "
        "request's id and times.",
        "CKV_AWS_73",
    )


def limited(throttle: Throttle) -> apigateway.MethodDeploymentOptions:
    """What a method may take, and what is written down of it: said whole, since nobody documents that it inherits the rest."""
    return apigateway.MethodDeploymentOptions(
        logging_level=apigateway.MethodLoggingLevel.ERROR,
        data_trace_enabled=False,  # bodies hold personal data
        metrics_enabled=True,
        throttling_rate_limit=throttle.rate,
        throttling_burst_limit=throttle.burst,
    )
