"""What it meant: exports now; movers, studies and backtests stand here later."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "analytics"
    verbose_name = "Analytics"
