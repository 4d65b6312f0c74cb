"""The admin as a page of the desk: every role may read it, permissions decide the rest."""

from django.contrib import admin
from django.http import HttpRequest


class DeskAdminSite(admin.AdminSite):
    """Open to whoever holds a permission: roles are groups, so `is_staff` says nothing more."""

    site_header = site_title = "arbsite"
    index_title = "Administration"
    site_url = "/"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """A signed-in, active user with at least one permission (a superuser has all)."""
        user = request.user
        return user.is_active and (user.is_superuser or bool(user.get_all_permissions()))
