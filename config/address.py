"""A database's address: `postgresql://user:password@host:port,host:port/name?option=value`, as libpq reads it."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from config.environment import SettingInvalid


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Its parts; hosts and ports are lists with commas where there are several servers."""

    name: str
    user: str
    password: str
    hosts: str
    ports: str
    options: dict[str, str]


def parse(setting: str, url: str) -> Address:
    """The parts of an address. Raises SettingInvalid, which names the setting."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise SettingInvalid(f"{setting} must start with postgresql://, since Ringback runs on Postgres only.")
    who, _, where = parts.netloc.rpartition("@")
    user, _, password = who.partition(":")
    servers = [_server(setting, one) for one in where.split(",")]
    options = dict(parse_qsl(parts.query))
    if len(servers) > 1:
        options.setdefault("target_session_attrs", "read-write")
    return Address(
        name=unquote(parts.path.lstrip("/")),
        user=unquote(user),
        password=unquote(password),
        hosts=",".join(host for host, _ in servers),
        ports=",".join(port for _, port in servers) if any(port for _, port in servers) else "",
        options=options,
    )


def _server(setting: str, text: str) -> tuple[str, str]:
    """`host`, `host:port` or `[v6]:port`."""
    host, colon, port = text.rpartition(":")
    if not colon or host.endswith(":") or text.endswith("]"):
        host, port = text, ""
    if port and not port.isdigit():
        raise SettingInvalid(f"{setting} names the port {port!r}, which is no number.")
    return unquote(host.strip("[]")), port
