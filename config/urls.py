"""Every address of the web."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from config import health
from config.observing import pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("metrics", pages.metrics),
    path("carriers/", include("reminders.urls")),
    path("status/", pages.status),
    path("trace/", pages.trace),
    path("trace/<str:trace_id>/", pages.waterfall),
    path("receipt", pages.receipt),
    path("admin/", admin.site.urls),
]
