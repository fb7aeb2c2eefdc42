"""Uploads: what is stored, what is refused, and in which words."""

import gzip
import io
import json
import threading
import zipfile
from pathlib import Path

import pytest
from reports import junit

SAMPLES = Path(__file__).parents[2] / "samples" / "junit"


def zipped(**files):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name if "." in name else f"{name}.xml", content)
    return memory.getvalue()


def stored_runs(server):
    return server.get("/runs").json()["total"]


def problem(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["correlation_id"] == answer.headers["x-request-id"]
    return body


def test_a_first_upload_is_stored_and_every_failure_has_a_verdict(server):
    answer = server.uploads(junit("test_a", "test_b", failed=["test_c"]))
    body = answer.json()
    assert (answer.status_code, body["duplicate"], body["total"]) == (201, False, 3)
    assert body["counts"] == {"passed": 2, "failed": 1, "error": 0, "skipped": 0, "flaky": 0}
    assert [(item["name"], item["verdict"]) for item in body["failures"]] == [("test_c", "new")]
    assert body["all_failures_quarantined"] is False


def test_a_second_upload_of_the_same_run_changes_nothing(server):
    server.uploads(junit("test_a"))
    answer = server.uploads(junit("test_a"))
    assert (answer.status_code, answer.json()["duplicate"], stored_runs(server)) == (200, True, 1)


def test_the_same_run_with_other_content_is_a_conflict(server):
    server.uploads(junit("test_a"))
    answer = server.uploads(junit("test_b"))
    assert (answer.status_code, problem(answer)["type"], stored_runs(server)) == (409, "conflict", 1)


@pytest.mark.parametrize("field", ["attempt", "job", "variant"])
def test_another_attempt_job_or_variant_is_another_run(server, field):
    server.uploads(junit("test_a"))
    assert server.uploads(junit("test_b"), **{field: "2"}).status_code == 201


def test_eight_copies_at_once_are_stored_once(server):
    codes = []
    threads = [
        threading.Thread(target=lambda: codes.append(server.uploads(junit("test_a")).status_code))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sorted(codes), stored_runs(server)) == ([200] * 7 + [201], 1)


@pytest.mark.parametrize(
    ("body", "reports"),
    [
        (gzip.compress(junit("test_a")), 1),
        (zipped(one=junit("test_a"), two=junit("test_b")), 2),
        (junit("test_a").decode().replace("utf-8", "utf-16").encode("utf-16"), 1),
        (b"\n  " + junit("test_a")[38:], 1),
    ],
    ids=["gzip", "zip", "utf-16", "leading white space"],
)
def test_reports_are_read_however_they_are_packed(server, body, reports):
    answer = server.uploads(body)
    assert (answer.status_code, answer.json()["reports"]) == (201, reports)


def test_a_form_of_many_reports_is_one_run(server):
    files = [("reports", (f"{name}.xml", junit(name), "application/xml")) for name in ("a", "b", "c")]
    answer = server.uploads(None, files=files)
    assert (answer.status_code, answer.json()["total"], stored_runs(server)) == (201, 3, 1)


def test_one_bad_member_refuses_all_of_them_by_name(server):
    answer = server.uploads(zipped(good=junit("test_a"), bad=b"hello"))
    assert (answer.status_code, stored_runs(server)) == (400, 0)
    assert "bad.xml" in problem(answer)["detail"]


def test_the_same_test_in_two_reports_with_two_outcomes_proves_nothing(server):
    answer = server.uploads(zipped(one=junit("test_a"), two=junit(failed=["test_a"])))
    assert answer.json()["counts"] == {"passed": 0, "failed": 1, "error": 0, "skipped": 0, "flaky": 0}


def test_a_cut_report_is_partial_and_never_all_quarantined(server):
    body = junit("test_a", failed=["test_b"])
    cut = body[: body.index(b"</testsuite>")]
    answer = server.uploads(cut).json()
    assert (answer["partial"], answer["total"], answer["all_failures_quarantined"]) == (True, 2, False)


@pytest.mark.parametrize(
    "name", sorted(path.name for path in SAMPLES.glob("*.xml") if "not-junit" not in path.name)
)
def test_real_reports_of_real_tools(server, name):
    answer = server.uploads((SAMPLES / name).read_bytes())
    body = answer.json()
    assert (answer.status_code, body["total"] > 0 or bool(body["warnings"] or body["suite_errors"])) == (
        201,
        True,
    )


BROKEN = (SAMPLES / "gotestsum-build-failure.xml").read_bytes()


@pytest.mark.parametrize(
    "body",
    [BROKEN, gzip.compress(BROKEN), zipped(one=BROKEN), zipped(one=BROKEN, two=junit("test_a"))],
    ids=["plain", "gzip", "zip of one", "zip of two"],
)
def test_what_failed_outside_of_tests_is_told_however_it_comes(server, body):
    answer = server.uploads(body).json()
    assert len(answer["suite_errors"]) == 1
    assert answer["all_failures_quarantined"] is False


def test_a_note_of_ours_beside_the_report_is_no_report(server):
    answer = server.uploads(zipped(**{"flakeguard.json": b"{}"}, one=junit("test_a")))
    assert (answer.status_code, answer.json()["reports"]) == (201, 1)


def test_jests_own_json_is_read_by_its_bytes_whatever_the_header_says(server):
    report = {
        "numTotalTests": 1,
        "success": True,
        "startTime": 1,
        "testResults": [
            {
                "name": "/app/cart.test.js",
                "status": "passed",
                "message": "",
                "assertionResults": [
                    {
                        "ancestorTitles": ["cart"],
                        "fullName": "cart adds",
                        "title": "adds",
                        "status": "passed",
                        "duration": 3,
                        "failureMessages": [],
                    }
                ],
            }
        ],
    }
    answer = server.uploads(json.dumps(report).encode(), headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()["total"]) == (201, 1)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"run_id": None}, "run_id"),
        ({"commit": None}, "commit"),
        ({"branch": None}, "branch"),
        ({"run_id": ""}, "run_id"),
        ({"run_id": "x" * 201}, "run_id"),
        ({"run_id": "a\x00b"}, "run_id"),
        ({"run_id": "a\u202eb"}, "run_id"),
        ({"commit": "c d"}, "commit"),
        ({"commit": "x" * 65}, "commit"),
        ({"branch": "a b"}, "branch"),
        ({"branch": "b" * 256}, "branch"),
        ({"attempt": "0"}, "attempt"),
        ({"attempt": "-1"}, "attempt"),
        ({"attempt": "one"}, "attempt"),
        ({"attempt": "9" * 12}, "attempt"),
        ({"job": "x" * 201}, "job"),
        ({"variant": "a\nb"}, "variant"),
        ({"event": "push me"}, "event"),
        ({"pr": "#12"}, "pr"),
        ({"pr": "\u0661"}, "pr"),
        ({"base": "not a commit"}, "base"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"url": "ftp://x/y"}, "url"),
        ({"started_at": "yesterday"}, "started_at"),
        ({"started_at": "2999-01-01T00:00:00Z"}, "started_at"),
        ({"started_at": "1970-01-01T00:00:00Z"}, "started_at"),
        ({"started_at": "0001-01-01T00:00:00+14:00"}, "started_at"),
        ({"fork": "maybe"}, "fork"),
    ],
)
def test_a_field_that_is_missing_or_wrong_is_named(server, query, field):
    answer = server.uploads(junit("test_a"), **query)
    body = problem(answer)
    assert (answer.status_code, body["type"], body["field"]) == (400, "validation_error", field)
    assert (field in body["detail"], stored_runs(server)) == (True, 0)


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", "application/xml", 400),
        (b"   ", "application/xml", 400),
        (b"hello", "application/xml", 400),
        (b"hello", "text/plain", 415),
        (b"hello", "image/png", 415),
        (b"<html><body>Sign in</body></html>", "text/html", 400),
        (b"<a><b></a>", "application/xml", 400),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><testsuite/>', "application/xml", 400),
        (b"{}", "application/json", 400),
        (b"[1, 2", "application/json", 400),
        (gzip.compress(junit("a"), mtime=0)[:-9], "application/gzip", 400),
        (b"PK\x03\x04 no zip", "application/zip", 400),
        (gzip.compress(gzip.compress(junit("a"), mtime=0), mtime=0), "application/gzip", 415),
        (b"BZh91AY&SY", "application/x-bzip2", 415),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_is_no_report_is_refused_and_nothing_stored(server, body, content_type, status):
    answer = server.uploads(body, headers={"Content-Type": content_type})
    assert (answer.status_code, stored_runs(server)) == (status, 0)
    assert problem(answer)["detail"]


KINDS = (
    "application/x-www-form-urlencoded",
    "application/octet-stream",
    "application/xml",
    "text/plain",
    "text/xml",
    "image/png",
)
"""What curl says by itself, what people write by hand, and a slip."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    "before", [b"", b"\xef\xbb\xbf \n", b"=== 3 tests & no failure ===\r\n\x1b[32mok\x1b[0m\n"]
)
def test_a_report_is_read_whatever_it_is_called_and_whatever_was_logged_before(server, kind, pack, before):
    answer = server.uploads(pack(before + junit("test_a")), headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["counts"]["passed"]) == (201, 1)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"file=%3Ctestsuite%2F%3E", "application/x-www-form-urlencoded"),
        (b"PHRlc3RzdWl0ZS8+", "text/plain"),
        (junit("test_a"), "multipart/form-data"),
        (junit("test_a"), "multipart/form-data; boundary=x"),
        (
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n<a/>\r\n--x--',
            "multipart/form-data; boundary=x",
        ),
    ],
    ids=["escaped by curl", "base64", "no boundary", "no form", "no file"],
)
def test_whoever_sent_it_otherwise_is_told_a_command_that_works(server, body, kind):
    answer = server.uploads(body, headers={"Content-Type": kind})
    assert answer.status_code in {400, 415}
    assert "curl --data-binary @report.xml" in problem(answer)["detail"]


def test_a_broken_form_of_a_stranger_is_a_strangers_request(server):
    answer = server.uploads(b"x", scope="fg_nobody", headers={"Content-Type": "multipart/form-data"})
    assert answer.status_code == 401


def test_a_content_coding_that_is_not_read_is_refused(server):
    answer = server.uploads(junit("a"), headers={"Content-Encoding": "br"})
    assert (answer.status_code, problem(answer)["type"]) == (415, "unsupported_media_type")


def test_a_bomb_is_refused(server):
    bomb = zipped(bomb=b"<testsuite>" + b" " * 50_000_000 + b"</testsuite>")
    assert (server.uploads(bomb).status_code, stored_runs(server)) == (413, 0)


def test_a_form_without_a_file_is_refused(server):
    answer = server.http.post(
        "/api/v1/ingestion/junit",
        params={"run_id": "1", "commit": "c", "branch": "main"},
        data={"note": "hello"},
        files={"x": (None, "hello")},
        headers=server.auth("ingest:trunk"),
    )
    assert (answer.status_code, problem(answer)["field"]) == (400, "body")


def test_a_broken_form_is_refused(server):
    answer = server.uploads(b"--x\r\nnonsense", headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert answer.status_code == 400


class TestTrust:
    def trust(self, server):
        return server.get("/runs").json()["items"][0]["trust"]

    @pytest.mark.parametrize(
        ("scope", "query", "trust"),
        [
            ("ingest:trunk", {}, "trunk"),
            ("admin", {}, "trunk"),
            ("ingest:trunk", {"pr": "3", "branch": "fix"}, "pr"),
            ("ingest:trunk", {"event": "pull_request", "branch": "fix"}, "pr"),
            ("ingest:trunk", {"event": "pull_request", "fork": "1"}, "fork"),
            ("ingest:pr", {"branch": "fix"}, "pr"),
            ("ingest:pr", {"pr": "3"}, "pr"),
            ("ingest:pr", {"pr": "3", "fork": "1"}, "fork"),
        ],
    )
    def test_the_token_and_the_query_say_how_far_results_act(self, server, scope, query, trust):
        server.uploads(junit("test_a"), scope=scope, **query)
        assert self.trust(server) == trust

    def test_a_pull_requests_token_may_not_speak_for_the_default_branch(self, server):
        answer = server.uploads(junit("test_a"), scope="ingest:pr")
        assert (answer.status_code, problem(answer)["type"], stored_runs(server)) == (
            403,
            "permission_error",
            0,
        )


class TestGateQuestion:
    def test_a_quarantined_failure_is_said_so_and_alone_makes_all_quarantined(self, server):
        test_id = server.uploads(junit("a", failed=["b"])).json()["failures"][0]["test_id"]
        server.quarantines(test_id)
        answer = server.uploads(junit("a", failed=["b"]), run_id="2").json()
        assert answer["failures"][0]["verdict"] == "quarantined"
        assert answer["all_failures_quarantined"] is True

    def test_a_repeated_question_is_answered_as_of_now(self, server):
        test_id = server.uploads(junit("a", failed=["b"])).json()["failures"][0]["test_id"]
        server.quarantines(test_id)
        assert server.uploads(junit("a", failed=["b"])).json()["all_failures_quarantined"] is True

    def test_entries_that_match_nothing_are_told_when_asked(self, server):
        test_id = server.uploads(junit("a", failed=["b"])).json()["failures"][0]["test_id"]
        server.quarantines(test_id)
        answer = server.uploads(junit("a"), run_id="2", gate="1").json()
        assert answer["unmatched_quarantine"] == ["shop > b"]


RUN = {"run_id": "7", "status": "passed", "duration_ms": 1200, "timestamp": "2026-03-01T10:00:00Z"}


class TestSummaries:
    def test_created_duplicate_conflict(self, server):
        answers = [
            server.post("/ingestion/runs", run, scope="ingest:trunk")
            for run in (RUN, RUN, RUN | {"status": "failed"})
        ]
        assert [answer.status_code for answer in answers] == [201, 200, 409]
        assert [answer.json().get("duplicate") for answer in answers] == [False, True, None]

    def test_without_a_time_telling_it_again_is_still_the_same(self, server):
        run = {"run_id": "7", "status": "passed", "duration_ms": 1}
        codes = []
        for _ in range(2):
            codes.append(server.post("/ingestion/runs", run, scope="ingest:trunk").status_code)
            server.clock.pass_(hours=1)
        assert codes == [201, 200]

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"run_id": None}, "run_id"),
            ({"run_id": ""}, "run_id"),
            ({"status": "pass ed"}, "status"),
            ({"duration_ms": -1}, "duration_ms"),
            ({"duration_ms": "soon"}, "duration_ms"),
            ({"timestamp": "yesterday"}, "timestamp"),
            ({"more": 1}, "more"),
        ],
    )
    def test_a_wrong_field_is_named(self, server, change, field):
        run = {name: value for name, value in {**RUN, **change}.items() if value is not None}
        answer = server.post("/ingestion/runs", run, scope="ingest:trunk")
        assert (answer.status_code, problem(answer)["field"]) == (400, field)

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe"])
    def test_a_body_that_is_no_object_is_refused(self, server, body):
        answer = server.http.post("/api/v1/ingestion/runs", content=body, headers=server.auth("ingest:trunk"))
        assert (answer.status_code, problem(answer)["type"]) == (400, "validation_error")
