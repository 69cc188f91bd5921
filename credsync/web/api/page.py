"""The docs page: the OpenAPI document as one HTML page that needs nothing else, not even a network."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from credsync.web.api.problems import KINDS

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_STYLE = """
:root { color-scheme: light dark; --line: #8886; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
h2 { border-bottom: 1px solid var(--line); margin-top: 2.5rem; }
section { margin: 1.5rem 0; }
h3 { font-size: 1rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
code, pre { font-family: ui-monospace, monospace; font-size: .9rem; }
pre { background: var(--soft); padding: .75rem; overflow-x: auto; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); }
p { margin: .25rem 0 .5rem; }
"""


def docs_page(document: Mapping[str, Any]) -> str:
    """The page. Everything in it is escaped."""
    info, schemas = document["info"], document["components"]["schemas"]
    operations = [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(info['title'])} API</title><style>{_STYLE}</style></head><body><main>",
        f"<h1>{escape(info['title'])} API {escape(info['version'])}</h1><p>{_prose(info['description'])}</p>",
        '<p>For machines: <a href="/openapi.json">OpenAPI 3.1</a>. Send <code>Authorization: Bearer TOKEN</code>.</p>',
    ]
    for tag in document["tags"]:
        parts.append(f"<h2>{escape(tag['name'])}</h2>")
        parts += [_operation(*each) for each in operations if each[2]["tags"] == [tag["name"]]]
    parts.append("<h2>Bodies and answers</h2>")
    parts += [_schema(name, schema) for name, schema in schemas.items()]
    parts.append("<h2>Problems</h2>")
    parts += [
        f'<section id="{escape(name)}"><h3>{kind.status} {escape(kind.title)}</h3><p>{_prose(kind.told)}</p></section>'
        for name, kind in KINDS.items()
    ]
    return "".join([*parts, "</main></body></html>"])


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    parts = [
        f'<section id="{escape(operation["operationId"])}"><h3><code>{escape(method.upper())} {escape(path)}</code></h3>',
        f"<p><strong>{escape(operation['summary'])}.</strong> {_prose(operation['description'])}</p>",
    ]
    rows = [
        (f"{each['name']} ({each['in']})", _type(each["schema"]), each.get("description", ""))
        for each in operation["parameters"]
    ]
    parts.append(_table(("parameter", "type", "meaning"), rows))
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        parts.append(f"<p>Body: {_type(content['schema'])}, for example</p>")
        parts.append(f"<pre>{escape(json.dumps(content.get('example', {}), indent=2))}</pre>")
    answers = [(status, *_answer(answer)) for status, answer in operation["responses"].items()]
    parts.append(_table(("status", "type", "meaning"), answers))
    return "".join([*parts, "</section>"])


def _answer(answer: Mapping[str, Any]) -> tuple[str, str]:
    if "$ref" in answer:
        name = answer["$ref"].rpartition("/")[2]
        return f'<a href="#{escape(name)}">problem</a>', KINDS[name].title
    if "application/problem+json" in answer["content"]:
        return '<a href="#ProblemDocument">problem</a>', answer["description"]
    shapes = [
        _type(each["schema"]) if media == "application/json" else f"<code>{escape(media)}</code>"
        for media, each in answer["content"].items()
    ]
    return ", ".join(shapes), answer["description"]


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    required = schema.get("required", ())
    rows = [
        (field if field in required else f"{field}?", _type(shape), shape.get("description", ""))
        for field, shape in schema.get("properties", {}).items()
    ]
    words = [str(word) or "(empty)" for word in schema.get("enum", ())]
    listed = f"<p><code>{escape(', '.join(words))}</code></p>" if words else ""
    about = f"<p>{_prose(schema.get('description', ''))}</p>"
    table = _table(("field", "type", "meaning"), rows)
    return (
        f'<section id="{escape(name)}"><h3><code>{escape(name)}</code></h3>{about}{listed}{table}</section>'
    )


def _type(schema: Mapping[str, Any]) -> str:
    """A schema in a word or two, as HTML."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return escape(" | ".join(map(str, schema["enum"])))
    if "const" in schema:
        return f"<code>{escape(json.dumps(schema['const']))}</code>"
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    form = f" ({schema['format']})" if "format" in schema else ""
    return escape(str(schema.get("type", "anything")) + form)


def _table(heads: Iterable[str], rows: Iterable[tuple[str, str, str]]) -> str:
    listed = [
        f"<tr><td><code>{escape(name)}</code></td><td>{shape}</td><td>{_prose(meaning)}</td></tr>"
        for name, shape, meaning in rows
    ]
    if not listed:
        return ""
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    return f'<div class="wide"><table><tr>{head}</tr>{"".join(listed)}</table></div>'


def _prose(text: str) -> str:
    """Escaped text, what stands between backquotes as code."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if place % 2 else piece for place, piece in enumerate(pieces))
