"""Generated requests against the deployed API, by its OpenAPI document."""
