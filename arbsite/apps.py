"""The project as an installed app: it stands above the four and holds what spans them."""

from django.apps import AppConfig


class ArbsiteConfig(AppConfig):
    name = "arbsite"
    verbose_name = "arbsite"
