"""Who changed what on a page: the same log that the admin keeps."""

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model

__all__ = ["ADDITION", "CHANGE", "DELETION", "note"]


def note(user: AbstractBaseUser, row: Model, flag: int, says: str) -> None:
    """Keep the author of a change; call it in the transaction that makes the change."""
    LogEntry.objects.create(
        user_id=user.pk,
        content_type=ContentType.objects.get_for_model(row),
        object_id=str(row.pk),
        object_repr=str(row)[:200],
        action_flag=flag,
        change_message=says,
    )
