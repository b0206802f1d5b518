"""Statements about tasks with content ratings of their own, returned and not executed.

They stand beside the queue in an index of theirs, ordered by what they may show and then by position. A handful of
different sets of ratings is found by skipping through it, so that whoever chose not to see some of it never reads past
those tasks, however many there are.
"""

from sqlalchemy import text

from preceptor.work.queries import FREE, HOLDS_NONE, NOT_HELD, PICKED

_RATED = """
    t.project_id = :project_id AND t.taken < t.wanted AND t.state = 'open' AND t.content_ratings <> '{}'
"""
# Every set of ratings that some free task of the project has, each by one look into the index.
SETS = f"""
    RECURSIVE rated(ratings) AS (
        (SELECT t.content_ratings FROM task t WHERE {_RATED} ORDER BY t.content_ratings LIMIT 1)
        UNION ALL
        SELECT (SELECT t.content_ratings FROM task t WHERE {_RATED} AND t.content_ratings > r.ratings
                ORDER BY t.content_ratings LIMIT 1)
        FROM rated r WHERE r.ratings IS NOT NULL
    )
"""
_ALLOWED = "r.ratings <@ CAST(:allowed AS text[])"


def _first(columns: str, condition: str, lock: str = "") -> str:
    """The first task of each set of ratings that the person may be shown."""
    return f"""
        SELECT one.* FROM rated r CROSS JOIN LATERAL (
            SELECT {columns} FROM task t
            WHERE {_RATED} AND t.content_ratings = r.ratings AND {NOT_HELD} AND {condition}
            ORDER BY t.position LIMIT 1 {lock}
        ) one WHERE {_ALLOWED}
    """


_BOUNDS = "t.position > :after AND t.position <= :until"
_LOCK = "FOR UPDATE OF t SKIP LOCKED"


def pick(beside: str = "true") -> str:
    """`queries.PICK_FREE` where some free task is rated: of those and the others, the first in the queue.

    Locks one task of each set of ratings until the claim is made, and takes one of them.
    """
    free = f"{HOLDS_NONE} AND {_BOUNDS} AND {beside}"
    return f"""
        WITH {SETS}
        SELECT * FROM (
            SELECT * FROM (
                SELECT {PICKED} FROM task t WHERE {FREE} AND {free} ORDER BY t.position LIMIT 1 {_LOCK}) unrated
            UNION ALL
            {_first(PICKED, free, _LOCK)}
        ) found ORDER BY position LIMIT 1
    """


PICK_AMONG_RATED = text(pick())
FIRST_AMONG_RATED = text(f"""
    WITH {SETS}
    SELECT id FROM (
        (SELECT t.id, t.position FROM task t WHERE {FREE} ORDER BY t.position LIMIT 1)
        UNION ALL
        ({_first("t.id, t.position", "true")})
    ) found ORDER BY position LIMIT 1
""")
# Whether the queue holds something rated for the person, to be put into a statement that begins with `SETS`.
NEXT_RATED = f"EXISTS ({_first('1', 'true')})"
# The ratings of each free task that is kept from the person. Asked in the order of the index: see `queries_gold._NEXT`.
KEPT_BACK = text(f"""
    WITH {SETS}
    SELECT r.ratings FROM rated r WHERE NOT {_ALLOWED} AND (
        SELECT 1 FROM task t WHERE {_RATED} AND t.content_ratings = r.ratings AND {NOT_HELD}
        ORDER BY t.position LIMIT 1) IS NOT NULL
""")
RATINGS_OF = text("SELECT t.content_ratings FROM task t WHERE t.id = :task_id AND t.project_id = :project_id")
