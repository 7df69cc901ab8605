"""What a test may change in the application's rows while it runs."""

from asgiref.sync import sync_to_async

from application.gate import gate
from application.models import Membership, Project, User


def user(id, password=None, **fields):
    row, _ = User.objects.update_or_create(id=id, defaults=fields)
    if password:
        row.set_password(password)
        row.save()


def project(id, name, members):
    row, _ = Project.objects.update_or_create(id=id, defaults={"name": name})
    for user_id, role in members.items():
        member(id, int(user_id), role)
    return row.created_at.isoformat()


def no_project(id):
    Project.objects.filter(id=id).delete()


def member(project, user, role):
    """`role` None takes the user out."""
    if role is None:
        Membership.objects.filter(project_id=project, user_id=user).delete()
    else:
        Membership.objects.update_or_create(project_id=project, user_id=user, defaults={"role": role})


ROWS = {act.__name__: act for act in (user, project, no_project, member)}
GATE = {
    "hold": gate.hold,
    "release": gate.release,
    "spoil": gate.spoil,
    "mend": gate.mend,
    # Answered after the news of every call that came before it.
    "settle": lambda: None,
}


async def carry_out(order, **given):
    if order in GATE:
        return GATE[order](**given)
    return await sync_to_async(ROWS[order])(**given)
