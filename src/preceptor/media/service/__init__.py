"""Taking files in, listing and deleting them, and signing their addresses."""

from preceptor.media.service.library import Page, Used, delete_media, list_media, quota_of, tasks_using, used_by
from preceptor.media.service.placing import find_staged, place_in_answer, place_in_tasks, place_media, urls_in
from preceptor.media.service.uploads import (
    Arrived,
    cancel_upload,
    create_upload,
    keep_media,
    keep_parts,
    refuse_upload,
    start_check,
    unfinished_uploads,
)
from preceptor.media.signing import check_signature, signer

__all__ = [
    "Arrived",
    "Page",
    "Used",
    "cancel_upload",
    "check_signature",
    "create_upload",
    "delete_media",
    "find_staged",
    "keep_media",
    "keep_parts",
    "list_media",
    "place_in_answer",
    "place_in_tasks",
    "place_media",
    "quota_of",
    "refuse_upload",
    "signer",
    "start_check",
    "tasks_using",
    "unfinished_uploads",
    "urls_in",
    "used_by",
]
