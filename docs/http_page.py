"""The HTTP reference, out of the OpenAPI document that the server itself serves."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from markdown_pieces import link, table

Schema = Mapping[str, Any]

JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"


def operations(document: Schema) -> Iterator[str]:
    """Every operation, by tag in the document's order."""
    tag = None
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if (operation.get("tags") or ["other"])[0] != tag:
                tag = (operation.get("tags") or ["other"])[0]
                yield f"## {tag.capitalize()}"
            yield from _operation(f"{method.upper()} {path}", operation)


def _operation(name: str, operation: Schema) -> Iterator[str]:
    yield f"### `{name}`"
    yield operation.get("description") or operation.get("summary", "")
    yield _access(operation)
    parameters = list(_parameters(operation.get("parameters", [])))
    if parameters:
        yield table(["parameter", "in", "type", "meaning"], parameters)
    for content_type, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"Body (`{content_type}`): {_type(content['schema'])}."
    yield "\n".join(_answers(operation["responses"]))


def _access(operation: Schema) -> str:
    """Who may call it: what any one of its security requirements asks for, since they all ask for the same."""
    needed = {scope for requirement in operation.get("security", []) for scopes in requirement.values() for scope in scopes}
    return f"Needs: {', '.join(f'`{scope}`' for scope in sorted(needed))}." if needed else "Open to anybody."


def _parameters(parameters: Sequence[Schema]) -> Iterator[list[str]]:
    for parameter in parameters:
        schema = parameter["schema"]
        meaning = parameter.get("description") or schema.get("description", "")
        yield [f"`{parameter['name']}`", parameter["in"], _type(schema).removesuffix(" or null"), _with_default(meaning, schema)]


def _answers(responses: Schema) -> Iterator[str]:
    problems = []
    for status, response in sorted(responses.items()):
        content = response.get("content", {})
        if PROBLEM in content:
            problems.append(f"`{status}`")
        elif JSON in content and content[JSON]["schema"]:
            yield f"- `{status}`: {_type(content[JSON]['schema'])}"
        else:
            yield f"- `{status}`: {', '.join(f'`{kind}`' for kind in content if kind != JSON) or 'no JSON body'}"
    if problems:
        yield f"- {', '.join(problems)}: {link('Problem')}"


def shapes(document: Schema) -> Iterator[str]:
    """Every schema, by name."""
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield f"### {name}"
        if schema.get("description"):
            yield schema["description"]
        yield table(["field", "type", "meaning"], _fields(schema)) if "properties" in schema else _type(schema)


def _fields(schema: Schema) -> Iterator[list[str]]:
    required = schema.get("required", [])
    for name, field in schema["properties"].items():
        mark = "" if name in required else " (optional)"
        yield [f"`{name}`{mark}", _type(field), _with_default(field.get("description", ""), field)]


def _type(schema: Schema) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return link(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(_type(part) for part in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    kind = schema.get("format") or schema.get("type") or "anything"
    return {"date-time": "time (ISO 8601)", "binary": "file"}.get(kind, kind) + _bounds(schema)


def _bounds(schema: Schema) -> str:
    names = {"minimum": "from {}", "maximum": "to {}", "minLength": "at least {} characters", "maxLength": "at most {} characters"}
    found = [text.format(f"{schema[name]:,g}") for name, text in names.items() if name in schema]
    return f", {' '.join(found)}" if found else ""


def _with_default(meaning: str, schema: Schema) -> str:
    default = schema.get("default")
    if default in (None, "", [], {}):
        return meaning
    return f"{meaning} Default: `{str(default).lower() if isinstance(default, bool) else default}`.".strip()
