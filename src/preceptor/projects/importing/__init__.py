"""Reading tasks out of files that people bring; knows no database."""

from preceptor.projects.importing.converting import ImportedTask, convert
from preceptor.projects.importing.mapping import (
    OPTIONAL_COLUMNS,
    ColumnMapping,
    MappingRefused,
    Suggestions,
    detect,
    mapping_of,
    targets_of,
    titles_of,
)
from preceptor.projects.importing.readers import FileFormat, RawRow, RowProblem, file_digest, read_rows
from preceptor.projects.importing.report import ImportReport, ImportRun, check_file, detect_layout, read_tasks

__all__ = [
    "OPTIONAL_COLUMNS",
    "ColumnMapping",
    "FileFormat",
    "ImportReport",
    "ImportRun",
    "ImportedTask",
    "MappingRefused",
    "RawRow",
    "RowProblem",
    "Suggestions",
    "check_file",
    "convert",
    "detect",
    "detect_layout",
    "file_digest",
    "mapping_of",
    "read_rows",
    "read_tasks",
    "targets_of",
    "titles_of",
]
