"""Twilio's own OpenAPI document, cut down and repaired so that Prism can judge with it.

The faults of the raw document, met with prism-cli 5.14: array fields of a form have no encoding and are
refused; paths in list replies are declared as absolute URIs.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
PACKAGES = ("@stoplight/prism-cli@5.14.2", "@twilio/cli-core@8.3.2")
PRISM = ROOT / "node_modules" / ".bin" / "prism"
DOCUMENT = ROOT / "node_modules/@twilio/cli-core/src/services/twilio-api/twilio_api_v2010.json"
BASE = "/2010-04-01/Accounts/{AccountSid}/"
PATHS = ("Calls.json", "Calls/{Sid}.json", "Messages.json", "Messages/{Sid}.json")
FORM = "application/x-www-form-urlencoded"
INSTALL_SECONDS = 240


def install() -> str | None:
    """Have Prism and the document in node_modules; why not, where that failed."""
    if PRISM.exists() and DOCUMENT.exists():
        return None
    if shutil.which("npm") is None:
        return "npm is not installed: the OpenAPI judge needs it (apt-get install npm)"
    command = ["npm", "install", "--no-save", "--no-package-lock", "--silent", "--prefix", str(ROOT), *PACKAGES]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"npm install took longer than {INSTALL_SECONDS} s"
    return None if done.returncode == 0 else f"npm install failed: {done.stderr.strip()[-300:]}"


def repaired(server: str) -> dict[str, Any]:
    """The four paths that a carrier serves, on this server, with what they refer to."""
    whole = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    paths = {BASE + name: _path(whole["paths"][BASE + name]) for name in PATHS}
    spec = {
        "openapi": whole["openapi"],
        "info": whole["info"],
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": _reached(paths, whole["components"]["schemas"]),
            "securitySchemes": whole["components"]["securitySchemes"],
        },
    }
    _drop_uris(spec)
    return spec


def form_fields(name: str) -> set[str]:
    """The fields that the document knows in the form of a create: Prism lets unknown ones pass."""
    whole = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    schema = whole["paths"][BASE + name]["post"]["requestBody"]["content"][FORM]["schema"]
    return set(schema["properties"])


def _path(item: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in item.items() if name != "servers"}
    for operation in (value for value in kept.values() if isinstance(value, dict)):
        form = operation.get("requestBody", {}).get("content", {}).get(FORM)
        if form:
            properties = form["schema"]["properties"]
            arrays = [name for name, value in properties.items() if value.get("type") == "array"]
            form["encoding"] = {name: {"style": "form", "explode": True} for name in arrays}
    return kept


def _reached(paths: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    reached: dict[str, Any] = {}
    waiting = [json.dumps(paths)]
    while waiting:
        for name in re.findall(r"#/components/schemas/([\w.\-]+)", waiting.pop()):
            if name not in reached:
                reached[name] = schemas[name]
                waiting.append(json.dumps(schemas[name]))
    return reached


def _drop_uris(node: Any) -> None:
    """Replies carry paths where the document says absolute URIs; a form's URLs stay checked."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name != "requestBody":
                _drop_uris(value)
        if node.get("format") == "uri":
            del node["format"]
    elif isinstance(node, list):
        for value in node:
            _drop_uris(value)
