"""The installed task types described as data: what `preceptor task-types --json` and the API answer with."""

from preceptor.tasktypes.base import AnyTaskType, Row, Table, Template


def describe(kind: AnyTaskType) -> Row:
    """Everything that a program has to know of a task type: schemas, tables, layouts of files, templates."""
    config = kind.config_model()
    return {
        "name": kind.name,
        "title": kind.title,
        "summary": kind.summary,
        "element": kind.element,
        "services": [str(service) for service in sorted(kind.services)],
        "aspects": dict(kind.aspects(config)),
        "schemas": {
            "payload": kind.payload_model.model_json_schema(),
            "answer": kind.answer_model.model_json_schema(),
            "config": kind.config_model.model_json_schema(),
        },
        "tables": {
            **{name: _table(table) for name, table in kind.tables.items()},
            "judgments": {"about": "one person's judgment", "columns": _columns(kind.judgment_schema)},
        },
        "imports": [
            {"name": way.name, "columns": way.columns, "description": way.description, "example": way.example}
            for way in kind.importer.ways
        ],
        "templates": [_template(template) for template in kind.templates()],
    }


def _table(table: Table) -> Row:
    return {"shape": table.shape, "about": table.about, "columns": _columns(table.schema)}


def _columns(schema: object) -> Row:
    return {field.name: str(field.type) for field in schema}  # type: ignore[attr-defined]  # pyarrow has no types


def _template(template: Template) -> Row:
    return {
        "key": template.key,
        "title": template.title,
        "summary": template.summary,
        "config": template.config,
        "examples": len(template.examples),
    }
