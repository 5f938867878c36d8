"""A GitHub on loopback: real git repositories, App authentication, REST, GraphQL, signed deliveries, pages."""
