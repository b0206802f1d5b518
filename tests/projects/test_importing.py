"""Files that people bring: every layout, every format, and what is said about bad ones."""

import csv
import gzip
import io
import json
import random
import tracemalloc
from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from preceptor.projects.importing import (
    ColumnMapping,
    ImportedTask,
    ImportRun,
    MappingRefused,
    RawRow,
    RowProblem,
    Suggestions,
    check_file,
    detect,
    mapping_of,
    read_rows,
    read_tasks,
    readers,
)
from preceptor.tasktypes.comparison import ComparisonAnswer, ComparisonPayload
from preceptor.tasktypes.comparison.importing import ComparisonImporter

IMPORTER = ComparisonImporter()
WAYS = IMPORTER.ways
SHARED = Path(__file__).parents[3] / "shared" / "data"
PAIR = {"id": "t1", "prompt": "Name a prime.", "response_a": "7", "response_b": "9"}


def material(task: ImportedTask) -> ComparisonPayload:
    assert isinstance(task.payload, ComparisonPayload)
    return task.payload


def known(answer: BaseModel | None) -> ComparisonAnswer:
    assert isinstance(answer, ComparisonAnswer)
    return answer


def jsonl(*rows: object) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def as_csv(rows: list[dict[str, object]], delimiter: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def parquet(rows: list[dict[str, object]], **options: object) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out, **options)
    return out.getvalue()


def read(
    data: bytes, name: str = "x.jsonl", mapping: Mapping[str, str] | None = None
) -> list[ImportedTask | RowProblem]:
    return list(read_tasks(io.BytesIO(data), name, IMPORTER, mapping))


def task(*rows: object, mapping: Mapping[str, str] | None = None) -> ImportedTask:
    (item,) = read(jsonl(*rows), mapping=mapping)
    assert isinstance(item, ImportedTask), item
    return item


def problem(data: bytes, name: str = "x.jsonl") -> RowProblem:
    """The last problem of a file that must have one."""
    problems = [item for item in read(data, name) if isinstance(item, RowProblem)]
    assert problems
    return problems[-1]


def row_problem(row: object) -> RowProblem:
    # A good row first, so that the layout is known and the line is not the first.
    found = problem(jsonl({**PAIR, "id": "good"}, row))
    assert found.line == 2
    return found


def texts(found: ImportedTask) -> dict[str, list[tuple[str, object]]]:
    return {r.id: [(m.role, m.content) for m in r.messages] for r in material(found).responses}


def packed(data: bytes) -> bytes:
    """Without the time of packing: parameters become names of tests, which every worker must find alike."""
    return gzip.compress(data, mtime=0)


class TestLayouts:
    def test_two_named_responses_keep_their_order(self) -> None:
        found = task({**PAIR, "choice": "B", "votes_a": 1, "votes_b": 4, "model_a": "small"})
        assert found.external_id == "t1"
        assert texts(found) == {"r1": [("assistant", "7")], "r2": [("assistant", "9")]}
        assert found.imported_answer is not None
        assert known(found.imported_answer).ranks == {"r1": 2, "r2": 1}
        assert found.imported_votes == {"r1": 1, "r2": 4}
        assert material(found).responses[0].source == "small"

    def test_chosen_and_rejected_are_told_apart_only_beside_the_payload(self) -> None:
        rows = [{"id": n, "prompt": "p", "chosen": f"good {n}", "rejected": f"bad {n}"} for n in range(400)]
        first_is_chosen = 0
        for item in read(jsonl(*rows)):
            assert isinstance(item, ImportedTask)
            assert item.imported_answer is not None
            best = min(known(item.imported_answer).ranks, key=known(item.imported_answer).ranks.__getitem__)
            ((_, content),) = texts(item)[best]
            assert str(content).startswith("good")
            first_is_chosen += best == "r1"
        assert 160 < first_is_chosen < 240

    def test_order_of_chosen_is_the_same_each_time(self) -> None:
        row = {"prompt": "p", "chosen": "x", "rejected": "y"}
        swapped = {"prompt": "p", "chosen": "y", "rejected": "x"}
        assert task(row) == task(row)
        assert task(row).payload == task(swapped).payload

    def test_whole_dialogues_lose_their_common_beginning(self) -> None:
        start = [{"role": "user", "content": "Hi"}]
        found = task(
            {
                "id": 1,
                "chosen": [*start, {"role": "assistant", "content": "Hello"}],
                "rejected": [*start, {"role": "assistant", "content": "Go away"}],
            }
        )
        assert [m.content for m in material(found).prompt] == ["Hi"]
        assert sorted(messages for (messages,) in texts(found).values()) == [
            ("assistant", "Go away"),
            ("assistant", "Hello"),
        ]

    def test_a_prompt_repeated_in_both_dialogues_is_taken_off(self) -> None:
        start = [{"role": "user", "content": "Hi"}]
        sides = {side: [*start, {"role": "assistant", "content": side}] for side in ("chosen", "rejected")}
        assert all(len(messages) == 1 for messages in texts(task({"prompt": "Hi", **sides})).values())

    def test_human_assistant_transcripts_are_read_as_turns(self) -> None:
        start = "\n\nHuman: Hi\n\nAssistant: Yes?\n\nHuman: More\n\nAssistant:"
        found = task({"chosen": f"{start} Sure.", "rejected": f"{start} No."})
        assert [m.role for m in material(found).prompt] == ["user", "assistant", "user"]
        assert sorted(content for ((_, content),) in texts(found).values()) == ["No.", "Sure."]  # type: ignore[type-var]

    @pytest.mark.parametrize("name", ["completions", "choices", "responses"])
    def test_openai_messages_with_several_completions(self, name: str) -> None:
        prompt = [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Hi"}]
        completions = [
            "a",
            {"message": {"role": "assistant", "content": "b", "refusal": None}},
            [{"role": "assistant", "content": "c"}],
        ]
        found = task({"messages": prompt, name: completions})
        assert texts(found) == {f"r{n}": [("assistant", text)] for n, text in enumerate("abc", start=1)}
        assert len(material(found).prompt) == 2

    def test_sharegpt_turns_are_messages(self) -> None:
        found = task({"conversations": [{"from": "human", "value": "Hi"}], "responses": ["a", "b"]})
        assert material(found).prompt[0].role == "user"

    def test_images_come_along(self) -> None:
        content = [
            {"type": "text", "text": "What is it?"},
            {"type": "image_url", "image_url": {"url": "https://e.org/a.png"}},
        ]
        found = task({"messages": [{"role": "user", "content": content}], "responses": ["a cat", "a dog"]})
        assert not isinstance(material(found).prompt[0].content, str)

    def test_all_optional_columns(self) -> None:
        found = task(
            {
                "task_id": 17,
                "prompt": "p",
                "responses": ["a", "b", "c"],
                "priority": "5",
                "overlap": 3.0,
                "subject": "logic",
                "gold": [2, 1, 2],
                "gold_explanation": "b holds",
                "context": "Read this first.",
            }
        )
        assert (found.external_id, found.priority, found.overlap, found.topic) == ("17", 5, 3, "logic")
        assert found.gold is not None
        assert known(found.gold).ranks == {"r1": 2, "r2": 1, "r3": 2}
        assert (found.gold_explanation, material(found).context) == ("b holds", "Read this first.")

    @pytest.mark.parametrize(
        ("gold", "ranks"),
        [("a", (1, 2)), ("response_b", (2, 1)), ("model_a", (1, 2)), ("Tie", (1, 1)), ({"a": 2, "b": 1}, (2, 1))],
    )
    def test_gold_is_named_in_many_ways(self, gold: object, ranks: tuple[int, int]) -> None:
        found = task({**PAIR, "gold": gold})
        assert found.gold is not None
        assert known(found.gold).ranks == dict(zip(("r1", "r2"), ranks, strict=True))

    def test_gold_follows_the_shuffled_order(self) -> None:
        for name in "abcdefgh":
            found = task({"id": name, "prompt": "p", "chosen": "x", "rejected": "y", "gold": "chosen"})
            assert found.gold == found.imported_answer

    def test_without_an_id_the_payload_names_the_task(self) -> None:
        row = {key: value for key, value in PAIR.items() if key != "id"}
        assert len(task(row).external_id) == 64
        assert task(row).external_id != task({**row, "response_b": "8"}).external_id

    def test_an_explicit_mapping_names_any_columns(self) -> None:
        mapping = {"prompt": "question text", "response_a": "text1", "response_b": "text2"}
        found = task({"question text": "q", "text1": "x", "text2": "y", "id": "not mapped"}, mapping=mapping)
        assert texts(found)["r2"] == [("assistant", "y")]
        assert found.external_id != "not mapped"

    @pytest.mark.parametrize(
        "mapping",
        [{"prompt": "q"}, {"nonsense": "q"}, {"prompt": "q", "chosen": "c"}, {"response_a": "a", "response_b": "b"}],
    )
    def test_a_mapping_that_cannot_work_is_refused_at_once(self, mapping: dict[str, str]) -> None:
        with pytest.raises(MappingRefused):
            mapping_of(mapping, IMPORTER)

    def test_unknown_columns_give_suggestions(self) -> None:
        found = detect(["frage", "kurz", "lang"], [{"frage": "q", "kurz": "ab", "lang": "a" * 50}], IMPORTER)
        assert isinstance(found, Suggestions)
        assert found.text_columns[0] == "lang"
        assert "response_a" in found.message
        (item,) = read(jsonl({"frage": "q", "kurz": "ab"}))
        assert isinstance(item, RowProblem)
        assert "response_a" in item.problem

    @pytest.mark.parametrize(
        "columns", [["Prompt", "Response 1", "Response-2"], ["question", "response_0", "response_1"]]
    )
    def test_names_are_recognised_in_other_spellings(self, columns: list[str]) -> None:
        found = detect(columns, [], IMPORTER)
        assert isinstance(found, ColumnMapping)
        assert dict(found.columns) == dict(zip(("prompt", "response_a", "response_b"), columns, strict=True))

    @pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
    def test_documented_examples_work(self, way) -> None:  # type: ignore[no-untyped-def]
        assert isinstance(read(way.example.encode())[0], ImportedTask)


ROWS: list[dict[str, object]] = [
    {"id": str(n), "prompt": f'Question {n}, "quoted"; with\nlines', "response_a": "é€😀", "response_b": f"b{n}"}
    for n in range(700)
]


class TestFormats:
    @pytest.mark.parametrize(
        ("data", "name"),
        [
            (jsonl(*ROWS), "x.jsonl"),
            (jsonl(*ROWS), "no suffix"),
            (b"\xef\xbb\xbf" + jsonl(*ROWS).replace(b"\n", b"\r\n"), "bom.jsonl"),
            (jsonl(*ROWS).rstrip(), "no last line end.ndjson"),
            (json.dumps(ROWS).encode(), "x.json"),
            (b"\xef\xbb\xbf" + json.dumps(ROWS, indent=2, ensure_ascii=False).encode(), "pretty.json"),
            (as_csv(ROWS), "x.csv"),
            (b"\xef\xbb\xbf" + as_csv(ROWS), "excel.csv"),
            (as_csv(ROWS, ";"), "german.csv"),
            (as_csv(ROWS, "\t"), "x.tsv"),
            (parquet(ROWS), "x.parquet"),
            (parquet(ROWS, row_group_size=100, compression="zstd"), "misnamed.csv"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    @pytest.mark.parametrize("packed", [False, True])
    def test_all_formats_give_the_same_tasks(self, data: bytes, name: str, packed: bool) -> None:
        found = read(gzip.compress(data) if packed else data, name + ".gz" * packed)
        assert [item.payload for item in found if isinstance(item, ImportedTask)] == [task(row).payload for row in ROWS]

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(
            st.fixed_dictionaries({"k": st.text(), "l": st.lists(st.text('[]{},"\\\n x', max_size=12))}), max_size=8
        ),
        st.sampled_from([None, 1, 2]),
        st.integers(1, 9),
    )
    def test_an_array_is_split_wherever_chunks_end(self, rows: list[object], indent: int | None, size: int) -> None:
        text = json.dumps(rows, indent=indent).encode()
        original, readers.CHUNK_BYTES = readers.CHUNK_BYTES, size
        try:
            found = list(read_rows(io.BytesIO(text), "x.json")) if rows else []
        finally:
            readers.CHUNK_BYTES = original
        assert [row.values for row in found if isinstance(row, RawRow)] == rows

    def test_rows_of_an_array_know_their_lines(self) -> None:
        found = list(read_rows(io.BytesIO(b'[\n{"a": 1},\n\n  {"a":\n 2}, {"a": 3}\n]'), "x.json"))
        assert [row.line for row in found] == [2, 4, 5]

    def test_csv_formulas_are_text(self) -> None:
        found = read(as_csv([{**PAIR, "response_a": "=HYPERLINK(1)", "response_b": "@SUM(A1)"}]), "x.csv")
        assert isinstance(found[0], ImportedTask)
        assert texts(found[0])["r1"] == [("assistant", "=HYPERLINK(1)")]

    def test_lists_in_csv_cells_are_json(self) -> None:
        found = read(as_csv([{"prompt": "p", "responses": json.dumps(["a", "b", "c"])}]), "x.csv")
        assert isinstance(found[0], ImportedTask)
        assert len(material(found[0]).responses) == 3


class TestBadRows:
    @pytest.mark.parametrize(
        ("row", "field"),
        [
            ({**PAIR, "prompt": None}, "prompt"),
            ({**PAIR, "prompt": "   "}, "prompt"),
            ({**PAIR, "prompt": 5}, "prompt"),
            ({**PAIR, "prompt": []}, "prompt"),
            ({**PAIR, "prompt": [{"role": "root", "content": "x"}]}, "prompt"),
            ({**PAIR, "prompt": "a\0b"}, "prompt"),
            ({**PAIR, "response_b": "\ud800"}, "response_b"),
            ({**PAIR, "response_a": "x" * 200_001}, "response_a"),
            ({**PAIR, "response_a": [{"role": "assistant", "content": "x", "tool_calls": [1]}]}, "response_a"),
            ({"id": 1, "prompt": "p", "response_a": "x"}, "response_b"),
            ({**PAIR, "priority": "high"}, "priority"),
            ({**PAIR, "priority": True}, "priority"),
            ({**PAIR, "overlap": 0}, "overlap"),
            ({**PAIR, "overlap": 2.5}, "overlap"),
            ({**PAIR, "choice": "c"}, "choice"),
            ({**PAIR, "choice": 1}, "choice"),
            ({**PAIR, "gold": [1]}, "gold"),
            ({**PAIR, "gold": [0, 1]}, "gold"),
            ({**PAIR, "gold": {"a": 1, "z": 2}}, "gold"),
            ({**PAIR, "votes_a": -1}, "votes_a"),
            ({**PAIR, "id": ["x"]}, "id"),
            ({**PAIR, "id": "x" * 201}, "id"),
            ({**PAIR, "topic": "a\0"}, "topic"),
        ],
    )
    def test_the_column_is_named(self, row: dict[str, object], field: str) -> None:
        known = dict.fromkeys(("priority", "overlap", "choice", "gold", "votes_a", "topic"))
        found = problem(jsonl({**known, **PAIR, "id": "good"}, row))
        assert (found.line, found.field) == (2, field)

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            (b'{"prompt": "a", "prompt": "b"}', "twice"),
            (b'{"prompt": NaN}', "NaN"),
            (b'{"priority": -Infinity}', "Infinity"),
            (b'{"priority": 1e999}', "too large"),
            (b'{"priority": ' + b"9" * 5_000 + b"}", "digits"),
            (b'{"prompt": "a"', "Not valid JSON"),
            (b'["a"]', "not a JSON object"),
            (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested"),
            (b'{"prompt": "caf\xe9"}', "0xE9"),
            (b'{"prompt": "' + b"a" * readers.ROW_BYTES_MAX + b'"}', "longer than"),
            (json.dumps({str(n): 1 for n in range(201)}).encode(), "more than 200 keys"),
        ],
    )
    def test_bad_json_is_explained_and_reading_goes_on(self, line: bytes, words: str) -> None:
        found = read(jsonl({**PAIR, "id": 1}) + line + b"\n" + jsonl({**PAIR, "id": 3}))
        assert [type(item) for item in found] == [ImportedTask, RowProblem, ImportedTask]
        assert isinstance(found[1], RowProblem)
        assert found[1].line == 2
        assert words in found[1].problem

    def test_an_encoding_error_names_the_byte(self) -> None:
        good = jsonl(PAIR)
        assert f"byte offset {len(good) + 2:,} " in problem(good + b'{"\xff": 1}').problem
        header = b"prompt,response_a,response_b\n"
        assert f"byte offset {len(header) + 4:,} " in problem(header + b"a,b,\xe9\nc,d,e\n", "x.csv").problem

    @pytest.mark.parametrize(
        ("body", "line", "words"),
        [
            (b"a,b\n", 2, "2 cells"),
            (b"a,b,c,d\n", 2, "4 cells"),
            (b'a,"b"x,c\n', 2, "closing quotation mark"),
            (b'a,b,c\nd,"e,f\ng,h,i\n', 3, "never closed"),
            (b"a,,c\n", 2, "empty"),
            (b"a,b\0,c\n", 2, "NUL"),
        ],
    )
    def test_csv_oddities_are_named_by_line(self, body: bytes, line: int, words: str) -> None:
        found = problem(b"prompt,response_a,response_b\n" + body, "x.csv")
        assert found.line == line
        assert words in found.problem

    def test_a_quote_never_closed_does_not_eat_the_memory(self) -> None:
        body = b'a,"b\n' + b"filler,filler,filler\n" * 1_000_000
        assert "never closed" in problem(b"prompt,response_a,response_b\n" + body, "x.csv").problem

    @pytest.mark.parametrize(
        "header", [b"prompt,prompt,response_a\n", b"x" * 300 + b",b\n", b",".join([b"c"] * 201) + b"\n"]
    )
    def test_bad_headers_are_refused(self, header: bytes) -> None:
        assert problem(header + b"a,b,c\n", "x.csv").line == 1

    def test_same_chosen_and_rejected_is_no_comparison(self) -> None:
        assert problem(jsonl({"prompt": "p", "chosen": "x", "rejected": "x"})).field == "rejected"

    def test_parquet_cells_of_other_types_are_named(self) -> None:
        rows = [{"prompt": b"bytes", "response_a": "a", "response_b": "b"}]
        assert problem(parquet(rows), "x.parquet").field == "prompt"  # type: ignore[arg-type]

    def test_parquet_text_that_is_not_utf8_is_named(self) -> None:
        bad = pa.StringArray.from_buffers(
            2, pa.array([b"ok", b"\xff\xfe"]).buffers()[1], pa.array([b"ok", b"\xff\xfe"]).buffers()[2]
        )
        out = io.BytesIO()
        pq.write_table(pa.table({"prompt": bad, "response_a": ["a", "b"], "response_b": ["c", "d"]}), out)
        found = read(out.getvalue(), "x.parquet")
        assert isinstance(found[0], ImportedTask)
        assert isinstance(found[1], RowProblem)
        assert (found[1].line, "UTF-8" in found[1].problem) == (2, True)

    @pytest.mark.parametrize("depth", [50, 300, 900])
    def test_deep_nesting_within_json_limits_is_a_problem(self, depth: int) -> None:
        nested = b"[" * depth + b"]" * depth
        row = b'{"prompt": [{"role": "user", "content": ' + nested + b'}], "response_a": "a", "response_b": "b"}'
        assert problem(jsonl(PAIR) + row).line == 2

    def test_what_is_said_about_hostile_keys_can_be_stored(self) -> None:
        for data in (b'{"\\ud800\\u0000": 1, "\\ud800\\u0000": 2}', b'{"\\ud800\\u0000": "text"}'):
            found = problem(data)
            assert "\0" not in f"{found.field}{found.problem}"
            assert f"{found.field}{found.problem}".encode()


class TestBadFiles:
    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"", "empty"),
            (b" \n \n", "white space"),
            (b"PK\x03\x04....", "Excel"),
            ("id,prompt\n".encode("utf-16"), "UTF-16"),
            (b"\x28\xb5\x2f\xfd....", "Zstandard"),
            (packed(packed(b"{}")), "twice"),
            (packed(jsonl(*ROWS))[:-30], "cut off"),
            (packed(b"{}\n")[:-6] + b"\0" * 6, "damaged"),
            (json.dumps(ROWS).encode()[:-5], "cut off"),
            (json.dumps(ROWS).encode() + b"[1]", "follows the end"),
            (parquet(ROWS)[:-20], "damaged or cut off"),
            (parquet(ROWS)[:4] + b"\0" * 100, "damaged or cut off"),
            (jsonl(PAIR) + b'{"id": "t2", "prom', "cut off"),
        ],
    )
    def test_the_reason_is_said(self, data: bytes, words: str) -> None:
        assert words in problem(data, "x").problem

    @settings(max_examples=80, deadline=None)
    @given(st.integers(0, 10_000), st.integers(0, 255), st.sampled_from(["jsonl", "csv", "parquet", "json", "gz"]))
    def test_a_flipped_byte_never_ends_in_an_unknown_error(self, at: int, byte: int, kind: str) -> None:
        rows = ROWS[:20]
        data = bytearray(
            {
                "jsonl": jsonl(*rows),
                "csv": as_csv(rows),
                "json": json.dumps(rows).encode(),
                "parquet": parquet(rows),
                "gz": gzip.compress(jsonl(*rows)),
            }[kind]
        )
        data[at % len(data)] = byte
        for item in read(bytes(data), f"x.{kind}"):
            assert isinstance(item, ImportedTask | RowProblem)

    def test_a_gzip_bomb_is_stopped(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(readers, "UNPACKED_ALWAYS_ALLOWED_BYTES", 1024**2)
        bomb = gzip.compress(jsonl({**PAIR, "response_a": "a" * 200}) * 30_000)
        assert "unpacks to more than" in problem(bomb, "x.jsonl.gz").problem

    def test_size_and_row_limits_hold(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(readers, "ROWS_MAX", 10)
        assert "more than 10 rows" in problem(jsonl(*ROWS[:11])).problem
        assert "700 rows" in problem(parquet(ROWS)).problem
        monkeypatch.setattr(readers, "FILE_BYTES_MAX", 100)
        assert "limit is 100" in problem(jsonl(*ROWS[:3])).problem


class TestReport:
    def test_it_counts_rows_duplicates_and_problems(self) -> None:
        data = jsonl(
            PAIR, PAIR, {**PAIR, "response_a": "other"}, {**PAIR, "id": "t2"}, {**PAIR, "id": "t3", "prompt": None}
        )
        run = ImportRun(io.BytesIO(data), "x.jsonl", IMPORTER)
        assert [found.external_id for found in run.tasks()] == ["t1", "t2"]
        report = run.report
        assert (report.rows, report.tasks, report.duplicates_in_file, report.problem_count) == (5, 2, 1, 2)
        assert [(found.line, found.field) for found in report.problems] == [(3, None), (5, "prompt")]

    def test_the_same_file_has_the_same_digest(self) -> None:
        data = jsonl(PAIR)
        report = check_file(io.BytesIO(data), "x.jsonl", IMPORTER)
        assert report.digest == check_file(io.BytesIO(data), "y.jsonl", IMPORTER).digest
        assert len(report.digest) == 64

    def test_only_the_first_thousand_problems_are_kept(self) -> None:
        report = check_file(io.BytesIO(jsonl(PAIR) + b"{}\n" * 1_500), "x.jsonl", IMPORTER)
        assert (len(report.problems), report.problem_count) == (1_000, 1_500)

    def test_memory_stays_flat(self) -> None:
        def peak(count: int) -> int:
            rng = random.Random(1)
            lines = (jsonl({**PAIR, "id": n, "response_a": rng.randbytes(500).hex()}) for n in range(count))
            file = io.BytesIO(b"".join(lines))
            tracemalloc.start()
            for _ in read_tasks(file, "x.jsonl", IMPORTER):
                pass
            _, top = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            return top

        assert peak(10_000) < peak(1_000) + 200_000


def _all(name: str) -> Iterable[ImportedTask | RowProblem]:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{path} is not here")
    with path.open("rb") as file:
        yield from read_tasks(file, path.name, IMPORTER)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("ukp_preference/train.jsonl.gz", 3_000),
        ("ukp_preference/test.jsonl.gz", 500),
        ("hh_harmless/pairs.jsonl.gz", None),
        ("pandalm/items.jsonl.gz", None),
    ],
)
def test_published_preference_files_are_read_whole(name: str, count: int | None) -> None:
    found = list(_all(name))
    assert [item for item in found if isinstance(item, RowProblem)] == []
    assert len(found) == count if count else found
