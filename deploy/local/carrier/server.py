"""The HTTP server: REST, control interface and page on one port."""

from __future__ import annotations

from aiohttp import web

from deploy.local.carrier import bins, control
from deploy.local.carrier.engine import Engine
from deploy.local.carrier.phones import Page
from deploy.local.carrier.rest import Rest

BODY_BYTES_MAX = 1024 * 1024


def application(engine: Engine) -> web.Application:
    """The carrier's routes on an engine that has been or will be started."""
    app = web.Application(client_max_size=BODY_BYTES_MAX)
    rest, page = Rest(engine), Page(engine)
    app.router.add_route("*", "/2010-04-01/Accounts/{rest:.+}", rest.handle)
    app.add_routes(control.routes(engine))
    app.add_routes(page.routes())
    app.add_routes(bins.routes())
    app.on_shutdown.append(page.stop)
    return app
