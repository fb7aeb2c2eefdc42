"""Judge every request by the part of GitHub's OpenAPI description that we call."""

import json
import re
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import jsonschema_rs

SPEC = Path(__file__).parents[1] / "samples" / "github" / "github-slim.openapi.json"
BEYOND_THE_SLIM_SPEC = {
    ("GET", "/repos/{owner}/{repo}/compare/{basehead}"): {"per_page", "page"},
    ("GET", "/repos/{owner}/{repo}/collaborators/{username}/permission"): set(),
}


@cache
def spec():
    return json.loads(SPEC.read_text())


def complaint(method, target, headers, body):
    """What GitHub would not understand about a request; None when all is well."""
    parts = urlsplit(target)
    found = operation(method, parts.path)
    if found is None:
        return f"GitHub has no {method} {parts.path}"
    template, allowed = found
    unknown = {name for name, _ in parse_qsl(parts.query)} - allowed
    if unknown:
        return f"{method} {template} takes no {sorted(unknown)}"
    for header in ("authorization", "user-agent", "accept", "x-github-api-version"):
        if not headers.get(header):
            return f"{method} {template} without {header}"
    return body_complaint(method, template, body)


def operation(method, path):
    if method == "GET":
        for (verb, template), allowed in BEYOND_THE_SLIM_SPEC.items():
            if verb == method and pattern(template).fullmatch(path):
                return template, allowed
    # A template without parameters is more exact than one with.
    for template in sorted(spec()["paths"], key=lambda one: one.count("{")):
        if method.lower() in spec()["paths"][template] and pattern(template).fullmatch(path):
            return template, query_names(template, method)
    return None


@cache
def pattern(template):
    return re.compile(re.sub(r"\\{(\w+)\\}", r"[^/]+", re.escape(template)))


def query_names(template, method):
    found = set()
    for parameter in spec()["paths"][template][method.lower()].get("parameters", []):
        name = parameter.get("$ref", "").rpartition("/")[2]
        resolved = spec()["components"]["parameters"][name] if name else parameter
        if resolved["in"] == "query":
            found.add(resolved["name"])
    return found


def body_complaint(method, template, body):
    operation = spec()["paths"].get(template, {}).get(method.lower(), {})
    if "requestBody" not in operation:
        return f"{method} {template} takes no body" if body else None
    if not body:
        return None
    try:
        data = json.loads(body)
    except ValueError:
        return f"{method} {template}: the body is not JSON"
    error = next(iter(validator(template, method).iter_errors(data)), None)
    if error is not None:
        return f"{method} {template}: {list(error.instance_path)} {error.message[:300]}"
    if data.get("status") == "completed" and not data.get("conclusion"):
        return f"{method} {template}: a completed check run needs a conclusion"
    return None


@cache
def validator(template, method):
    schema = spec()["paths"][template][method.lower()]["requestBody"]["content"]["application/json"]["schema"]
    whole = {**schema, "components": spec()["components"]}
    return jsonschema_rs.Draft4Validator(nullable_to_type(whole))


def nullable_to_type(node):
    """OpenAPI 3.0's `nullable` in the words of JSON Schema."""
    if isinstance(node, list):
        return [nullable_to_type(one) for one in node]
    if not isinstance(node, dict):
        return node
    plain = {key: nullable_to_type(value) for key, value in node.items() if key != "nullable"}
    if node.get("nullable") and isinstance(plain.get("type"), str):
        plain["type"] = [plain["type"], "null"]
    return plain
