"""Addresses of the ground floor's pages."""

from django.urls import path

from markets.views import detail, health, markets, scope

urlpatterns = [
    path("markets/", markets.market_list, name="markets"),
    path("markets/export.csv", markets.market_export, name="markets_export"),
    path("markets/<path:key>/", detail.market_detail, name="market"),
    path("health/", health.health_page, name="health"),
    path("health/banner/", health.incident_banner, name="incident_banner"),
    path("scope/", scope.scope_page, name="scope"),
]
