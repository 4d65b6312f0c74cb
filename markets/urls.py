"""Addresses of the ground floor's pages."""

from django.urls import path

from markets import api
from markets.views import detail, health, markets, scope

urlpatterns = [
    path("markets/", markets.market_list, name="markets"),
    path("markets/export.csv", markets.market_export, name="markets_export"),
    path("markets/<path:key>/chart.json", detail.market_chart, name="market_chart"),
    path("markets/<path:key>/", detail.market_detail, name="market"),
    path("health/", health.health_page, name="health"),
    path("health/banner/", health.incident_banner, name="incident_banner"),
    path(
        "health/incidents/<int:pk>/acknowledge/",
        health.incident_acknowledge,
        name="incident_acknowledge",
    ),
    path("health/incidents/<int:pk>/resolve/", health.incident_resolve, name="incident_resolve"),
    path("health/venues/<slug:slug>/switch/", health.venue_switch, name="venue_switch"),
    path("scope/", scope.scope_page, name="scope"),
    path("scope/lines/", scope.scope_lines, name="scope_lines"),
    path("scope/preview/", scope.scope_preview, name="scope_preview"),
    path("scope/add/", scope.scope_add, name="scope_add"),
    path("scope/preset/", scope.scope_preset, name="scope_preset"),
    path("scope/<int:pk>/switch/", scope.scope_switch, name="scope_switch"),
    path("scope/<int:pk>/remove/", scope.scope_remove, name="scope_remove"),
    path("api/markets/", api.MarketsApi.as_view(), name="api_markets"),
    path("api/markets/<path:key>/", api.MarketApi.as_view(), name="api_market"),
]
