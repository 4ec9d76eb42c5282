"""Checks every answer that the system tests see against contracts/openapi.yaml: known path, known status, valid body."""

import re
from functools import lru_cache
from pathlib import Path

import jsonschema
import yaml

CONTRACT = Path(__file__).resolve().parents[2] / "contracts" / "openapi.yaml"


@lru_cache
def document():
    return yaml.safe_load(CONTRACT.read_text())


@lru_cache
def templates():
    """[(regular expression, template)], literal segments before parameters."""
    found = []
    for template in document()["paths"]:
        pattern = re.sub(r"\{[^/}]+\}", r"[^/]+", template)
        found.append((template.count("{"), re.compile(f"^{pattern}$"), template))
    return [(pattern, template) for _, pattern, template in sorted(found, key=lambda item: item[0])]


def find(path):
    base = "/api/v1"
    for candidate in (path, path.removeprefix(base)):
        for pattern, template in templates():
            if pattern.match(candidate):
                return template
    return None


def resolve(node):
    while "$ref" in node:
        target = document()
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


@lru_cache
def validator(template, method, status):
    operation = document()["paths"][template].get(method.lower())
    if operation is None:
        return None
    answers = operation["responses"]
    answer = answers.get(str(status)) or answers.get(f"{status // 100}XX") or answers.get("default")
    assert answer is not None, f"{method} {template} answered {status}, which the contract does not name"
    for media, content in resolve(answer).get("content", {}).items():
        if "json" in media and "schema" in content:
            root = {**content["schema"], "components": document().get("components", {})}
            if "$ref" in root:  # siblings of $ref are fine in 2020-12
                pass
            return jsonschema.Draft202012Validator(root, resolver=jsonschema.RefResolver("", {**document(), **root}))
    return None


def check(method, path, answer):
    path = path.split("?")[0]
    if not path.startswith("/api/") and find(path) is None:
        return  # the web interface
    if answer.status in (401, 404, 405, 400, 413, 415, 431) and find(path) is None:
        return
    template = find(path)
    if template == "/hooks/{path}":
        return  # which methods there are, and what they answer, is up to the trigger
    assert template is not None, f"{path} is not in the contract"
    if document()["paths"][template].get(method.lower()) is None:
        assert answer.status in (401, 405), f"{method} {template} is not in the contract but answered {answer.status}"
        return
    schema = validator(template, method, answer.status)
    if schema is not None and "json" in answer.headers.get("content-type", ""):
        errors = [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in schema.iter_errors(answer.json)]
        assert not errors, f"{method} {template} {answer.status} breaks the contract:\n" + "\n".join(errors[:5]) + f"\n{answer.text[:800]}"
