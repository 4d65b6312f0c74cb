"""Addresses of the ground floor's pages."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
