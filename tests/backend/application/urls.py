"""Every route has a name: by it calls are counted, held back and spoilt."""

from django.urls import path, re_path
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from application import views

urlpatterns = [
    path("", views.front_page, name="front"),
    path("api/token/", TokenObtainPairView.as_view(), name="token"),
    path("api/token/refresh/", TokenRefreshView.as_view(), name="refresh"),
    path("api/users/me/", views.me, name="me"),
    path("api/projects/my-projects/", views.my_projects, name="my-projects"),
    path("api/projects/paged/", views.paged_projects, name="paged"),
    path("api/projects/as/<str:role>/", views.projects_with_role, name="projects-as"),
    path("api/projects/<int:project_id>/", views.project, name="project"),
    path("api/projects/<int:project_id>/old-history/", views.old_history, name="old-history"),
    path("api/odd/<str:way>/<int:project_id>/", views.odd, name="odd"),
    path("api/chat/start-quote/<int:quote_id>/", views.start_quote, name="start-quote"),
    path("api/uploads/", views.upload, name="upload"),
    path("api/export/", views.export, name="export"),
    path("compressed/", views.compressed, name="compressed"),
    path("old/", views.old_page, name="old"),
    path("sign-in/", views.sign_in_elsewhere, name="sign-in"),
    re_path(r"^(?:api/chat/)?echo/.*$", views.echo, name="echo"),
]
