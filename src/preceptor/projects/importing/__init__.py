"""Reading tasks out of files that people bring; knows no database."""

from preceptor.projects.importing.converting import ImportedTask, convert
from preceptor.projects.importing.mapping import (
    OPTIONAL_COLUMNS,
    WAYS,
    ColumnMapping,
    MappingRefused,
    Suggestions,
    Way,
    detect,
    mapping_of,
)
from preceptor.projects.importing.readers import FileFormat, RawRow, RowProblem, file_digest, read_rows
from preceptor.projects.importing.report import ImportReport, ImportRun, check_file, detect_layout, read_tasks
from preceptor.projects.importing.shapes import RowRefused

__all__ = [
    "OPTIONAL_COLUMNS",
    "WAYS",
    "ColumnMapping",
    "FileFormat",
    "ImportReport",
    "ImportRun",
    "ImportedTask",
    "MappingRefused",
    "RawRow",
    "RowProblem",
    "RowRefused",
    "Suggestions",
    "Way",
    "check_file",
    "convert",
    "detect",
    "detect_layout",
    "file_digest",
    "mapping_of",
    "read_rows",
    "read_tasks",
]
