"""Statements about signatures of texts."""

from sqlalchemy import text

CANDIDATES_MAX = 2_000
"""Texts whose signatures are compared in one search; beyond that a project is one great repetition anyway."""

CANDIDATES = text("""
    SELECT s.task_id, s.claim_id, s.place, s.person_id, s.signature
    FROM text_signature s LEFT JOIN claim c ON c.id = s.claim_id
    WHERE s.bands && CAST(:bands AS bigint[]) AND s.project_id = :project_id
      AND s.claim_id IS DISTINCT FROM :claim_id
      AND (s.claim_id IS NULL OR c.state IN ('submitted', 'returned', 'approved'))
    LIMIT :most
""")
"""Rejected work may be written anew, by whoever has the better idea."""

SUBMITTED_TEXTS = text("""
    SELECT DISTINCT ON (claim_id) claim_id, answer FROM submission
    WHERE claim_id = ANY(CAST(:claim_ids AS uuid[])) ORDER BY claim_id, revision DESC
""")

TASK_PAYLOADS = text("SELECT id, payload FROM task WHERE id = ANY(CAST(:task_ids AS uuid[]))")

NEWEST_TASK = text("""
    SELECT task_id FROM text_signature
    WHERE project_id = :project_id AND claim_id IS NULL AND place = 0 ORDER BY task_id DESC LIMIT 1
""")

TASKS_TO_SIGN = text("""
    SELECT t.id, t.payload FROM task t
    WHERE t.project_id = :project_id AND t.id > :after
      AND (SELECT count(*) FROM task WHERE project_id = :project_id AND id > :after)
        <> (SELECT count(*) FROM text_signature
            WHERE project_id = :project_id AND claim_id IS NULL AND place = 0 AND task_id > :after)
      AND NOT EXISTS (
        SELECT 1 FROM text_signature s WHERE s.task_id = t.id AND s.claim_id IS NULL AND s.place = 0
      )
    ORDER BY t.id LIMIT :most
""")
"""Two counts in indexes say whether there are any; only then each task is looked at."""

SIGN_TASK = text("""
    INSERT INTO text_signature (id, project_id, task_id, claim_id, place, person_id, bands, signature, created_at)
    VALUES (:id, :project_id, :task_id, NULL, :place, NULL, :bands, :signature, :now)
    ON CONFLICT (task_id, place) WHERE claim_id IS NULL DO NOTHING
""")

SIGN_CLAIM = text("""
    INSERT INTO text_signature (id, project_id, task_id, claim_id, place, person_id, bands, signature, created_at)
    VALUES (:id, :project_id, :task_id, :claim_id, 0, :person_id, :bands, :signature, :now)
    ON CONFLICT (claim_id) WHERE claim_id IS NOT NULL
    DO UPDATE SET bands = EXCLUDED.bands, signature = EXCLUDED.signature, created_at = EXCLUDED.created_at
""")

LOCK_TEXTS = text("SELECT pg_advisory_xact_lock(:key)")
