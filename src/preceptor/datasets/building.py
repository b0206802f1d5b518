"""Building a release into a local folder: rows, provenance, card, manifest."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
from sqlalchemy import Row as SqlRow
from sqlalchemy.orm import Session

from preceptor.datasets import queries, suggested
from preceptor.datasets.access import MANIFEST
from preceptor.datasets.card import CardFacts, render_card
from preceptor.datasets.exported import Exported
from preceptor.datasets.files import FileFact, RowFiles, beside_configs, fact_of, in_split
from preceptor.datasets.models import Release
from preceptor.datasets.options import KEY, ReleaseOptions, options_of
from preceptor.datasets.posteriors import decided_by_posterior, known_posterior, likeliest, posterior_of
from preceptor.datasets.provenance import SCHEMA as PROVENANCE_SCHEMA
from preceptor.datasets.provenance import provenance_row
from preceptor.datasets.providers import ProviderFiles
from preceptor.datasets.pseudonyms import Pseudonym
from preceptor.datasets.reading import TaskWork, pages
from preceptor.datasets.tally import ReleaseTally
from preceptor.kit.db import Json
from preceptor.kit.ids import show_id
from preceptor.projects.models import GuidelinesVersion, Project, RubricVersion
from preceptor.tasktypes.base import (
    Consensus,
    Posterior,
    ReleasedJudgment,
    ReleasedTask,
    ReleaseRows,
)
from preceptor.tasktypes.working import Working
from preceptor.work.models import SubmissionState
from preceptor.work.models_quality import QualityFit

FORMAT = 1
PROVENANCE = "provenance"
JUDGMENTS = "judgments"

OnPage = Callable[[int], None]
"""Called after each page with the number of tasks that it held."""


@dataclass(frozen=True)
class Built:
    """What lies in the folder. `sha256` is the digest of manifest.json, which holds those of all other files.

    `rows` are those of the task type's main table.
    """

    manifest: Json
    sha256: str
    rows: int
    judgments: int


def build(
    session: Session, project: Project, release: Release, name: Pseudonym, folder: Path, on_page: OnPage
) -> Built:
    """Write all files of a release from one snapshot. Memory does not grow with tasks or judgments.

    The same release built again from the same data has the same digest; files of rows have equal digests in
    every release of equal data.
    """
    tally, versions, options = ReleaseTally(), _Versions(session, project.id), options_of(release)
    kind = project.kind
    weighing = _Weighing(kind, options, project.standard, tally)
    with ExitStack() as stack:
        tables = {
            table: stack.enter_context(_config_files(folder, table, known.schema))
            for table, known in kind.kind.tables.items()
        }
        of_judgments = suggested.with_columns(kind.kind.judgment_schema)
        judgments = stack.enter_context(_config_files(folder, JUDGMENTS, of_judgments))
        provenance = stack.enter_context(RowFiles(folder, PROVENANCE_SCHEMA, beside_configs(PROVENANCE)))
        provided = stack.enter_context(ProviderFiles(folder, kind.kind.tables))
        exported = Exported(kind.kind.exporters(kind.config))
        files = _Files(tables, judgments, provenance, provided, exported)
        writer = _Writer(kind, name, versions, tally, weighing, files)
        for page in pages(session, project.id):
            writer.write(page)
            on_page(len(page))
    exported.close(folder)
    fits = list(session.scalars(queries.fits(list(tally.fits))))
    _write_texts(folder, project, release, kind, writer, versions, fits)
    left_out = dict(provided.left_out)
    more: Json = {KEY: options.as_json(), "quality": _quality(tally, fits), "providers_left_out": left_out}
    return _with_manifest(folder, project, release, files, more)


@dataclass(frozen=True)
class _Files:
    """Everything that rows are written to."""

    tables: Mapping[str, RowFiles]
    judgments: RowFiles
    provenance: RowFiles
    provided: ProviderFiles
    exported: Exported

    @property
    def rows_of(self) -> dict[str, int]:
        """Rows of each finished file."""
        found: dict[str, int] = dict(self.provided.rows_of)
        for written in (*self.tables.values(), self.judgments, self.provenance):
            found |= written.rows_of
        return found

    @property
    def rows(self) -> dict[str, int]:
        """Rows by table, the main one first."""
        return {**{table: written.rows for table, written in self.tables.items()}, JUDGMENTS: self.judgments.rows}

    def add(self, made: Sequence[ReleaseRows]) -> Iterator[list[str]]:
        """Write the rows of several tasks to the tables; for each task the digests of its rows."""
        digests = {
            table: iter(written.add([row for rows in made for row in rows.tables.get(table, ())]))
            for table, written in self.tables.items()
        }
        for rows in made:
            self.provided.add(rows.tables)
            yield [next(digests[table]) for table in self.tables for _ in rows.tables.get(table, ())]


def _config_files(folder: Path, config: str, schema: pa.Schema) -> RowFiles:
    # The JSON copy lies outside the config: `datasets` cannot load a folder that mixes formats.
    return RowFiles(folder, schema, in_split(config), json_path=f"jsonl/{config}.jsonl.gz")


class _Versions:
    """Guidelines and rubric versions of a project, by id."""

    def __init__(self, session: Session, project_id: UUID) -> None:
        self.guidelines: list[GuidelinesVersion] = list(session.scalars(queries.guidelines(project_id)))
        self.rubrics: list[RubricVersion] = list(session.scalars(queries.rubrics(project_id)))
        self.guidelines_numbers: Mapping[UUID | None, int] = {found.id: found.number for found in self.guidelines}
        self.rubric_numbers: Mapping[UUID | None, int] = {found.id: found.number for found in self.rubrics}


class _Writer:
    """Turns pages of tasks into rows."""

    def __init__(
        self,
        kind: Working,
        name: Pseudonym,
        versions: _Versions,
        tally: ReleaseTally,
        weighing: "_Weighing",
        files: _Files,
    ) -> None:
        self.kind = kind
        self.main = next(iter(kind.kind.tables), "")
        self.name = name
        self.versions = versions
        self.tally = tally
        self.weighing = weighing
        self.files = files

    def write(self, page: list[TaskWork]) -> None:
        """All rows of a page, each file in one write."""
        made = [suggested.told(self._rows(work), work.judgments) for work in page]
        table_digests = self.files.add(made)
        judgment_digests = iter(self.files.judgments.add([row for rows in made for row in rows.judgments]))
        self.files.provenance.add(
            [
                provenance_row(
                    work,
                    self.name,
                    self.versions.guidelines_numbers,
                    self.versions.rubric_numbers,
                    next(table_digests),
                    [next(judgment_digests) for _ in rows.judgments],
                )
                for work, rows in zip(page, made, strict=True)
            ]
        )

    def _rows(self, work: TaskWork) -> ReleaseRows:
        task = _released_task(self.kind, work.task, self.weighing.options)
        given = [self._released(judgment) for judgment in work.judgments]
        counted = [judgment.answer for judgment in given if judgment.counted]
        possible = self.kind.unit_labels(task.payload)
        voted = self.kind.consensus(task.payload, counted)
        decided = self.weighing.decided(work, task, voted, possible)
        rows = self.kind.rows(task, given, decided)
        self.tally.add_judgments(work, self.name, self.versions.guidelines_numbers)
        if work.task.gold:
            # What people said about a known answer measures them; it is no news about the responses. At most the
            # answer itself is, once, however many people were measured with it.
            kept = rows.tables if task.known_answer is not None else {}
            self.tally.gold_pairs += len(kept.get(self.main, ()))
            return ReleaseRows(judgments=rows.judgments, tables=kept)
        self.files.exported.add(task, given, decided)
        self.tally.add_consensus(voted, possible, rows.undecided)
        if not counted:
            self.tally.imported_pairs += len(rows.tables.get(self.main, ()))
        return rows

    def _released(self, judgment: SqlRow[Any]) -> ReleasedJudgment[Any]:
        return ReleasedJudgment(
            submission_id=show_id("submission", judgment.id),
            person_pseudonym=self.name(judgment.person_id),
            answer=self.kind.answer(judgment.answer),
            # Without a heartbeat nobody knows how long it took.
            seconds=float(judgment.worked_seconds) if judgment.worked_seconds else None,
            state=str(judgment.state),
            counted=judgment.state == SubmissionState.APPROVED,
            guidelines_version=self.versions.guidelines_numbers.get(judgment.guidelines_version_id),
            submitted_at=judgment.created_at,
            shown_order=tuple(judgment.display_order),
        )


class _Weighing:
    """How sure each answer is, and which are decided."""

    def __init__(self, kind: Working, options: ReleaseOptions, standard: float, tally: ReleaseTally) -> None:
        self.kind = kind
        self.options = options
        self.standard = standard
        self.tally = tally

    def decided(
        self,
        work: TaskWork,
        task: ReleasedTask[Any, Any],
        voted: Consensus,
        possible: Mapping[str, tuple[str, ...]],
    ) -> Consensus:
        """The consensus with its posterior, decided as the release asks."""
        if task.known_answer is not None:
            known = self.kind.labels(task.payload, task.known_answer)
            return replace(voted, posterior=known_posterior(possible, known))
        posterior = posterior_of(work.weighed, possible, self._votes(task, voted), self.standard)
        if not work.task.gold and voted.answers:
            self.tally.add_posterior(work, posterior, _overruled(voted, posterior))
        if self.options.least is None:
            return replace(voted, posterior=posterior)
        units = decided_by_posterior(voted.units, posterior.units, self.options.least)
        return replace(voted, units=units, posterior=posterior)

    def _votes(self, task: ReleasedTask[Any, Any], voted: Consensus) -> Mapping[str, Mapping[str, int]]:
        """Votes by unit: of people here, or those that came with the file (one, where it brought only an answer)."""
        if any(unit.counts for unit in voted.units.values()) or task.imported_answer is None:
            return {name: unit.counts for name, unit in voted.units.items()}
        labels = self.kind.labels(task.payload, task.imported_answer)
        return {unit: task.imported_votes or {label: 1} for unit, label in labels.items()}


def _overruled(voted: Consensus, posterior: Posterior) -> int:
    """Units in which the likeliest label is not the one with most votes."""
    return sum(
        bool(unit.counts) and unit.label is not None and likeliest(posterior.units.get(name, {}), 0.0) != unit.label
        for name, unit in voted.units.items()
    )


def _released_task(kind: Working, task: SqlRow[Any], options: ReleaseOptions) -> ReleasedTask[Any, Any]:
    known = task.known_answer if options.gold else None
    return ReleasedTask(
        task_id=show_id("task", task.id),
        external_id=task.external_id,
        payload=kind.payload(task.payload),
        imported_answer=kind.answer(task.imported_answer) if task.imported_answer else None,
        imported_votes=task.imported_votes or {},
        topic=task.topic,
        gold=task.gold,
        known_answer=kind.answer(known) if known else None,
    )


def _write_texts(
    folder: Path,
    project: Project,
    release: Release,
    kind: Working,
    writer: _Writer,
    versions: _Versions,
    fits: Sequence[QualityFit],
) -> None:
    used = [version for version in versions.guidelines if writer.tally.guidelines[version.number]]
    (folder / "guidelines").mkdir()
    for version in used:
        (folder / "guidelines" / f"v{version.number}.md").write_text(version.body, encoding="utf-8", newline="\n")
    current = next((found for found in versions.rubrics if found.id == project.rubric_version_id), None)
    facts = CardFacts(
        project=project,
        title=release.title,
        number=release.number,
        kind=kind.kind,
        rows=writer.files.rows,
        left_out=writer.files.provided.left_out,
        tally=writer.tally,
        guidelines=used,
        rubric=current,
        options=writer.weighing.options,
        fits=fits,
    )
    (folder / "README.md").write_text(render_card(facts), encoding="utf-8", newline="\n")


def _quality(tally: ReleaseTally, fits: Sequence[QualityFit]) -> Json:
    """Where chances come from: every fit that is in the rows, and for how many tasks there was none.

    A fit under way writes posteriors before its own row: of such a one only the id is known.
    """
    there = {fit.id: fit for fit in fits}
    return {
        "fits": [_fit(fit_id, there.get(fit_id), tasks) for fit_id, tasks in sorted(tally.fits.items())],
        "weighed_anew_tasks": tally.weighed_anew,
        "assumed_tasks": tally.assumed,
        "ambiguous_tasks": tally.ambiguous,
        "ambiguity_known_tasks": tally.readable,
        "decided_unlike_majority": tally.overruled,
    }


def _fit(fit_id: UUID, fit: QualityFit | None, tasks: int) -> Json:
    base: Json = {"id": show_id("fit", fit_id), "tasks": tasks}
    if fit is None:
        return base
    return {
        **base,
        "method": fit.method,
        "why": fit.why,
        "at": fit.created_at.isoformat(),
        "labels": fit.labels,
        "people": fit.people,
        "known_answers": fit.diagnostics.get("gold"),
        "accuracy": fit.accuracy,
        "majority_accuracy": fit.majority_accuracy,
        "ece": fit.ece,
        "newest_submission": show_id("submission", fit.newest_submission_id) if fit.newest_submission_id else None,
    }


def _with_manifest(folder: Path, project: Project, release: Release, files: _Files, more: Json) -> Built:
    rows, facts = files.rows_of, dict[str, FileFact]()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        inside = path.relative_to(folder).as_posix()
        facts[inside] = fact_of(path, rows.get(inside))
    manifest: Json = {
        **more,
        "format": FORMAT,
        "release": {
            "id": show_id("release", release.id),
            "number": release.number,
            "project": show_id("project", project.id),
            "task_type": project.task_type,
        },
        "rows": files.rows,
        "files": {inside: fact.as_json() for inside, fact in facts.items()},
    }
    path = folder / MANIFEST
    path.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8", newline="\n")
    main = next(iter(files.rows.values()))
    return Built(manifest, fact_of(path, None).sha256, main, files.judgments.rows)
