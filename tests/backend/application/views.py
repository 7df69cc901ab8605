"""The calls of the application: those that the chat asks, and others at the same address."""

import gzip
import hashlib

from django.http import HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt
from rest_framework.decorators import api_view
from rest_framework.exceptions import PermissionDenied
from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response

from application.gate import gate
from application.models import Project


def of_member(project, user):
    membership = project.memberships.filter(user=user).first()
    if membership is None:
        raise PermissionDenied("You are not a member of this project.")
    return membership


@api_view(["GET"])
def project(request, project_id):
    found = get_object_or_404(Project, pk=project_id)
    own = of_member(found, request.user)
    members = found.memberships.select_related("user").order_by("user_id")
    return Response(
        {
            **found.summary(),
            "role": own.role,
            "members": [{**member.user.profile(), "role": member.role} for member in members],
        }
    )


@api_view(["GET"])
def old_history(request, project_id):
    """A call that an application without one for projects has: its body is a list, and says nothing of the project."""
    of_member(get_object_or_404(Project, pk=project_id), request.user)
    return Response([])


def odd(request, project_id, way):
    """What some backends say where a project is asked for; who asks is the same to this one."""
    if way == "redirect":
        return HttpResponseRedirect("/")
    if way == "empty":
        return HttpResponse(status=204)
    if way == "page":
        return HttpResponse("<!doctype html><title>Yes</title>")
    if way == "viewer":
        return JsonResponse({"role": "viewer"})
    ids = {"other": project_id + 1, "text": str(project_id), "none": None}
    return JsonResponse({"id": ids[way], "name": 7, "role": "emperor", "members": "many"})


@api_view(["GET"])
def me(request):
    return Response(request.user.profile())


@api_view(["GET"])
def my_projects(request):
    return Response([project.summary() for project in request.user.projects.order_by("id")])


@api_view(["GET"])
def projects_with_role(request, role):
    """Some applications have one list for owners and another for helpers."""
    mine = Project.objects.filter(memberships__user=request.user, memberships__role=role)
    return Response([project.summary() for project in mine.order_by("id")])


class TwoAPage(PageNumberPagination):
    page_size = 2


@api_view(["GET"])
def paged_projects(request):
    pages = TwoAPage()
    page = pages.paginate_queryset(request.user.projects.order_by("id"), request)
    return pages.get_paginated_response([project.summary() for project in page])


@api_view(["POST"])
def start_quote(request, quote_id):
    return Response({"quote": quote_id, "by": request.user.id, "body": request.data}, status=201)


@csrf_exempt
def upload(request):
    file = request.FILES.get("file") or request
    digest, length = hashlib.sha256(), 0
    while chunk := file.read(1 << 16):
        digest.update(chunk)
        length += len(chunk)
    return JsonResponse({"sha256": digest.hexdigest(), "length": length}, status=201)


@csrf_exempt
def echo(request):
    """What arrived here, as it arrived; answered with the status that is asked for."""
    status = int(request.GET.get("status", 200))
    if status in (204, 304):
        return HttpResponse(status=status)
    scope = request.scope
    answer = JsonResponse(
        {
            "method": request.method,
            "target": target(scope),
            "headers": [[name.decode(), value.decode("latin-1")] for name, value in scope["headers"]],
            "absolute": request.build_absolute_uri("/here/"),
            "body": request.body.decode("utf-8", "replace"),
        },
        status=status,
    )
    answer.set_cookie("one", "1")
    answer.set_cookie("two", "2", httponly=True)
    return answer


def target(scope):
    query = scope["query_string"].decode("latin-1")
    return scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")


def front_page(request):
    return HttpResponse("<!doctype html><title>The application</title>")


def old_page(request):
    return HttpResponseRedirect("/front/?from=old")


def sign_in_elsewhere(request):
    answer = HttpResponseRedirect("https://accounts.example.com/sign-in?next=%2Fhome%3Fa%3D1")
    answer.status_code = 307
    return answer


def compressed(request):
    text = "compressed by the application\n" * 100
    return HttpResponse(gzip.compress(text.encode()), content_type="text/plain", headers={"Content-Encoding": "gzip"})


async def export(request):
    """A first part at once; the second when the test lets it go."""

    async def parts():
        yield b"first\n"
        await gate.passes("export.rest")
        yield b"second\n"

    return StreamingHttpResponse(parts(), content_type="text/csv")
