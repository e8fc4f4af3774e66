"""Rights of members over their personal data: consents, an export, erasure, restriction."""
