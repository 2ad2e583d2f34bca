"""The carriers' webhooks under /carriers/."""

from django.urls import path

from reminders import views

urlpatterns = [
    path("twilio/sms", views.sms),
    path("twilio/words", views.words),
    path("twilio/keys", views.keys),
    path("twilio/call-status", views.call_status),
    path("twilio/message-status", views.message_status),
    path("twilio/voice-in", views.voice_in),
]
