"""The HTTP API (contract, section 10): routes, what they take and give, and its OpenAPI document."""
