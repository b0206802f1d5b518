"""Refusals of files, in words that say what to do next."""

from preceptor.kit.errors import AppError, Invalid, Kind


class MediaRefused(Invalid):
    """This file cannot be taken."""

    code = "media_refused"


class MediaTooLarge(MediaRefused):
    """This file is larger than files of its kind may be here."""

    code = "media_too_large"


class MediaDigestDiffers(MediaRefused):
    """What arrived is not what was announced: the SHA-256 differs. The bytes were removed; send the file again."""

    code = "media_digest_differs"


class MediaQuotaFull(AppError):
    """The organization's space for files is used up. Delete files that no task uses, or ask the operator for more."""

    code = "media_quota_full"


class TooManyUploads(AppError):
    """You have too many unfinished uploads. Finish or cancel some of them first."""

    code = "too_many_uploads"
    kind: Kind = "limited"


class UploadOver(AppError):
    """This upload is over: it was finished, cancelled or left too long. Start it anew."""

    code = "upload_over"
    kind: Kind = "gone"


class UploadElsewhere(AppError):
    """The upload stands at another byte than this part begins with. Ask for its offset and go on from there."""

    code = "upload_offset_differs"


class PartDiffers(Invalid):
    """This part's checksum differs from what arrived. Nothing of it was kept; send it again."""

    code = "upload_part_differs"


class MediaInUse(AppError):
    """Tasks or answers use this file, so that it stays. Archive it elsewhere if you only need the space."""

    code = "media_in_use"


class MediaUnknown(Invalid):
    """A task names a file that this organization does not have. Upload it first, then use its media: address."""

    code = "media_unknown"
