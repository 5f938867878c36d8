"""Logs and metrics."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from kubeci.model.app_needs import EVENTS
from kubeci.redaction import Redaction


def configure_logging(
    log_format: Literal["json", "console"],
    *,
    level: int = logging.INFO,
    redaction: Redaction | None = None,
) -> None:
    """Write logs to stderr, one event a line: as JSON for machines, or readable for people; `redaction` masks secrets."""
    masked = redaction or Redaction()

    def mask(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        return {key: _visible(masked.value(value)) for key, value in event.items()}

    renderer = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        # The other formatters show local variables, and with them tokens.
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,  # before secrets are masked: an exception's words may hold some
        mask,
    ]
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _visible(value: object) -> object:
    """Write out what commands a terminal or turns text around; ends of lines stay, where a traceback has them."""
    if not isinstance(value, str) or value.isprintable():
        return value
    return "".join(
        each if each.isprintable() or each in "\n\t" else each.encode("unicode_escape").decode()
        for each in value
    )


class Adopted(logging.Handler):
    """Writes what libraries log through Python's own logging as we write ours: in our format, and masked."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        log = structlog.get_logger()
        log.log(record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info)


GITHUB_ROUTE = "/webhooks/github"
FAILURES = ("500", "503")
"""The statuses of webhooks that were not kept."""


class Metrics:
    """The figures that `/metrics` shows.

    What alerts look for is there from the start with 0: Prometheus' `increase` does not see a series that begins with 1.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.http_requests = Histogram(
            "http_request_duration_seconds",
            "Time to answer a request.",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self.deliveries = Counter(
            "kubeci_deliveries_total",
            "Webhook deliveries by event and what was done.",
            ["event", "outcome"],
            registry=self.registry,
        )
        self.github_requests = Histogram(
            "kubeci_github_request_duration_seconds",
            "Time of a request to GitHub.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.github_budget_remaining = Gauge(
            "kubeci_github_budget_remaining",
            "Requests that GitHub answers until its limit is renewed, as of its last answer.",
            ["installation", "api"],
            registry=self.registry,
        )
        self.github_budget_limit = Gauge(
            "kubeci_github_budget_limit",
            "Requests that GitHub answers in an hour.",
            ["installation", "api"],
            registry=self.registry,
        )
        self.github_limited_until = Gauge(
            "kubeci_github_limited_until_timestamp_seconds",
            "Until when GitHub wants no requests, in seconds since 1970; 0: it never said so.",
            ["installation", "api"],
            registry=self.registry,
        )
        self.deliveries_deferred = Gauge(
            "kubeci_deliveries_deferred",
            "Deliveries that are put off since GitHub fails, or wants no requests.",
            registry=self.registry,
        )
        self.deliveries_waiting = Gauge(
            "kubeci_deliveries_waiting",
            "Deliveries whose builds the cluster cannot take yet.",
            registry=self.registry,
        )
        self.deliveries_parked = Gauge(
            "kubeci_deliveries_parked",
            "Deliveries that were set aside.",
            registry=self.registry,
        )
        self.builds_lost = Counter(
            "kubeci_builds_lost_total",
            "Builds that were told to be lost before they had a workflow.",
            registry=self.registry,
        )
        self.leader = Gauge(
            "kubeci_leader",
            "1 while this replica leads: it alone follows workflows and reports them.",
            registry=self.registry,
        )
        self.cluster_watch = Gauge(
            "kubeci_cluster_watch",
            "1 while the changes of workflows reach the server.",
            registry=self.registry,
        )
        self.cluster_watch_since = Gauge(
            "kubeci_cluster_watch_since_timestamp_seconds",
            "When kubeci_cluster_watch took its value, in seconds since 1970.",
            registry=self.registry,
        )
        self.missed_deliveries = Counter(
            "kubeci_missed_deliveries_total",
            "Deliveries that did not come by themselves, by how they were got.",
            ["how"],
            registry=self.registry,
        )
        self.uncompared_repositories = Counter(
            "kubeci_uncompared_repositories_total",
            "Repositories in which nothing missed could be found by comparing, as GitHub failed for them.",
            registry=self.registry,
        )
        self.sweep_completed = Gauge(
            "kubeci_sweep_completed_timestamp_seconds",
            "When the last sweep was complete, in seconds since 1970; 0 where none is made.",
            registry=self.registry,
        )
        self.reports_waiting = Gauge(
            "kubeci_reports_waiting", "Workflows whose state is still to be reported.", registry=self.registry
        )
        for status in FAILURES:
            self.http_requests.labels(GITHUB_ROUTE, "POST", status)
        for subscription in EVENTS:
            self.deliveries.labels(subscription.event, "stored")
