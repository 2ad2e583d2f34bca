"""Where the carrier finds it: the addresses of the fixed interface."""

from django.urls import path

from deploy.naive import views

urlpatterns = [
    path("livez", views.livez),
    path("carriers/twilio/sms", views.sms),
    path("carriers/twilio/words", views.words),
    path("carriers/twilio/keys", views.keys),
    path("carriers/twilio/call-status", views.call_status),
]
