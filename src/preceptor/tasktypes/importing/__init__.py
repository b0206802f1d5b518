"""How a row of a file becomes the payload of a task; knows no file and no database.

Every task type has an `Importer`. Most are content with `FieldsImporter`, which takes the columns of a file as the
fields of the payload.
"""

from preceptor.tasktypes.importing.fields import Field, FieldsImporter
from preceptor.tasktypes.importing.json_values import BadJson, parse_json
from preceptor.tasktypes.importing.layout import Importer, Material, Way
from preceptor.tasktypes.importing.rows import RowReader, Values
from preceptor.tasktypes.importing.shapes import RawMessage, RowRefused, kind_of, messages_of, transcript_of

__all__ = [
    "BadJson",
    "Field",
    "FieldsImporter",
    "Importer",
    "Material",
    "RawMessage",
    "RowReader",
    "RowRefused",
    "Values",
    "Way",
    "kind_of",
    "messages_of",
    "parse_json",
    "transcript_of",
]
