"""TwiML is read into steps."""

from __future__ import annotations

import pytest
from twilio.twiml.messaging_response import MessagingResponse
from twilio.twiml.voice_response import Gather as TheirGather
from twilio.twiml.voice_response import VoiceResponse

from deploy.local.carrier.twiml import Gather, Hangup, Pause, Play, Redirect, Reply, Say, TwimlError, read


def test_it_reads_what_twilios_own_package_writes() -> None:
    response = VoiceResponse()
    gather = TheirGather(num_digits=1, timeout=7, action="/keys?a=1&b=2", action_on_empty_result=True)
    gather.say("Tea & cake", voice="alice", language="en-GB", loop=2)
    gather.pause(length=2)
    response.append(gather)
    response.play("http://127.0.0.1/x.mp3")
    response.redirect("/again", method="GET")
    response.hangup()
    assert read(str(response)) == (
        Gather(
            prompts=(Say(text="Tea & cake", loop=2, language="en-GB", voice="alice"), Pause(seconds=2.0)),
            num_digits=1,
            timeout=7.0,
            action="/keys?a=1&b=2",
            action_on_empty=True,
        ),
        Play(url="http://127.0.0.1/x.mp3"),
        Redirect(url="/again", method="GET"),
        Hangup(),
    )


def test_it_reads_replies_of_every_form() -> None:
    response = MessagingResponse()
    response.message("One", action="/sent", to="+12025550124")
    response.message().body("Two")
    written = str(response).replace("</Response>", '<Sms statusCallback="/s">Three</Sms></Response>')
    assert read(written) == (
        Reply(body="One", to="+12025550124", callbacks=("/sent",)),
        Reply(body="Two"),
        Reply(body="Three", callbacks=("/s",)),
    )


def test_it_leaves_out_verbs_that_it_does_not_know() -> None:
    assert read("<Response><Dial>1</Dial><Say>x<break/>y</Say></Response>") == (Say(text="xy"),)


def test_it_bounds_an_endless_loop() -> None:
    assert read('<Response><Say loop="0">x</Say></Response>') == (Say(text="x", loop=100),)
    assert read('<Response><Say loop="9999">x</Say></Response>') == (Say(text="x", loop=100),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tea",
        "<Response>",
        "<response/>",
        "<Say>x</Say>",
        '<!DOCTYPE x [<!ENTITY a "b">]><Response><Say>&a;</Say></Response>',
        "<Response>" + "<Say>x</Say>" * 501 + "</Response>",
        "<Response><Say>" + "x" * 65_536 + "</Say></Response>",
    ],
)
def test_it_refuses_what_is_no_twiml(text: str) -> None:
    with pytest.raises(TwimlError):
        read(text)
