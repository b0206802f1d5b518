"""Health, readiness and metrics for load balancers and Prometheus."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from preceptor.api.schemas import Out
from preceptor.http.edge import CurrentRuntime, Db
from preceptor.kit import health

router = APIRouter(tags=["system"])


class Health(Out):
    status: str


@router.get("/healthz", response_model=Health)
async def healthz() -> Health:
    """This process answers."""
    return Health(status="ok")


@router.get("/readyz", response_model=Health)
def readyz(session: Db, response: Response) -> Health:
    """The database answers and its schema is there."""
    ready = health.is_ready(session)
    response.status_code = 200 if ready else 503
    return Health(status="ready" if ready else "the schema is not installed: run `preceptor db upgrade`")


@router.get("/metrics", include_in_schema=False)
def metrics(session: Db, runtime: CurrentRuntime) -> Response:
    """Counts over the whole installation in Prometheus' text format."""
    registry = CollectorRegistry()
    for name, labels, value in health.measure(session):
        gauge = registry._names_to_collectors.get(f"preceptor_{name}")
        if not isinstance(gauge, Gauge):
            gauge = Gauge(f"preceptor_{name}", name.replace("_", " "), sorted(labels), registry=registry)
        (gauge.labels(**labels) if labels else gauge).set(value)
    pool = Gauge("preceptor_database_connections", "connections in use by this process", registry=registry)
    pool.set(_in_use(runtime.engine.pool))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _in_use(pool: object) -> int:
    checked_out = getattr(pool, "checkedout", None)
    return int(checked_out()) if callable(checked_out) else 0
