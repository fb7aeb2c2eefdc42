"""Every command as people and programs use it: what it prints, and the code it ends with."""

import gzip
import json
import socket
from pathlib import Path

import pytest
from reports import junit

SAMPLES = Path(__file__).parents[2] / "samples" / "junit"
RUN = ("--commit", "c1", "--branch", "main")


@pytest.fixture
def report(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


@pytest.fixture
def flaky(flakeguard, project, report):
    """Test b fails and passes on the very same commits; two people may decide."""
    failed, passed = report("failed.xml", junit("a", failed=["b"])), report("passed.xml", junit("a", "b"))
    for number in range(3):
        for attempt, file in ((1, failed), (2, passed)):
            about = ("--project", project, "--commit", f"c{number}", "--branch", "main", "--run-id", number)
            at = ("--attempt", attempt, "--at", f"2026-02-2{number}T10:0{attempt}:00Z")
            assert flakeguard("ingest", file, *about, *at).code == 0
    for user in ("U1", "U2"):
        flakeguard("approver", "add", project, user, "--role", "approver")
    return "b"


class TestTenants:
    def test_a_project_and_its_token(self, flakeguard):
        made = flakeguard("project", "create", "acme/shop", "--org", "acme", "--json").json
        token = flakeguard(
            "token", "create", "acme/shop", "--scope", "ingest:trunk", "--expires", "90d", "--json"
        ).json
        assert (made["repo"], made["project_id"] > 0) == ("acme/shop", True)
        assert (token["token"].startswith("fg_trunk_"), token["expires_at"] is not None) == (True, True)
        assert flakeguard("token", "revoke", token["token_id"]).code == 0
        assert flakeguard("token", "list", "--json").json["items"][0]["revoked_at"]

    def test_the_raw_token_alone_is_on_the_standard_output(self, flakeguard, project):
        done = flakeguard("token", "create", project, "--scope", "read")
        assert done.out.startswith("fg_read_")
        assert len(done.out.splitlines()) == 1

    def test_people_get_and_lose_roles(self, flakeguard, project):
        flakeguard("approver", "add", project, "U1", "--role", "admin")
        listed = flakeguard("approver", "list", project, "--json").json["items"]
        assert listed == [{"user": "U1", "role": "admin"}]
        assert [flakeguard("approver", "remove", project, "U1").code for _ in range(2)] == [0, 1]

    @pytest.mark.parametrize(("user", "doubted"), [("U024BE7LH", False), ("bob", True), ("@bob", True)])
    def test_a_name_that_slack_does_not_know_is_doubted(self, flakeguard, project, user, doubted):
        done = flakeguard("approver", "add", project, user)
        assert (done.code, "does not look like" in done.err) == (0, doubted)

    def test_channels_come_and_go(self, flakeguard, project):
        added = flakeguard("channel", "add", project, "C7", "--json").json
        again = flakeguard("channel", "add", project, "C7")
        listed = flakeguard("channel", "list", project, "--json").json["items"]
        gone = flakeguard("channel", "remove", project, "C7")
        missing = flakeguard("channel", "remove", project, "C7")
        assert (added["subscribed"], again.code, gone.code, missing.code) == (True, 0, 0, 1)
        assert [(one["channel"], one["kinds"]) for one in listed] == [("C7", "all")]
        assert "No channel" in flakeguard("channel", "list", project).out

    def test_a_project_with_channels(self, flakeguard):
        good = flakeguard("project", "create", "acme/shop", "--channel", "T1/C1", "--channel", "C2", "--json")
        bad = flakeguard("project", "create", "acme/other", "--channel", "#general")
        assert (good.json["channels"], bad.code) == (["T1/C1", "C2"], 1)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("token", "create", "no/such", "--scope", "read"), 1),
        (("project", "create", "shop"), 1),
        (("flaky", "no/such"), 1),
        (("parse", "no-such-file.xml"), 1),
        (("import", "no-such-file.jsonl"), 1),
        (("quarantine", "approve", "q-99", "--by", "U1"), 1),
        (("quarantine", "approve", "nonsense", "--by", "U1"), 1),
        (("token", "revoke", "99"), 1),
        (("audit", "verify", "--org", "nobody"), 1),
        (("nonsense",), 2),
        (("token", "create", "acme/shop", "--scope", "everything"), 2),
        (("token", "create", "acme/shop", "--scope", "read", "--expires", "soon"), 2),
        (("ingest", "x.xml", "--project", "acme/shop"), 2),
        (("tests", "acme/shop", "--state", "odd"), 2),
        (("gate",), 2),
        (("--help",), 0),
        (("quarantine", "propose", "--help"), 0),
    ],
)
def test_exit_codes_and_one_clear_line(flakeguard, project, words, code):
    done = flakeguard(*words)
    assert done.code == code
    assert (not done.err) == (code == 0)
    assert "Traceback" not in done.err + done.out


def test_a_failure_is_json_too_when_json_is_wanted(flakeguard):
    done = flakeguard("flaky", "no/such", "--json")
    assert (done.code, done.json["error"]["type"]) == (1, "not_found")


def test_a_wrong_setting_is_named(flakeguard, monkeypatch):
    monkeypatch.setenv("FLAKEGUARD_BASE_URL", "nonsense")
    done = flakeguard("flaky", "acme/shop")
    assert (done.code, "FLAKEGUARD_BASE_URL" in done.err) == (1, True)


class TestParse:
    @pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.glob("pytest*.xml"))[:6])
    def test_the_shape_of_the_answer(self, flakeguard, name):
        (report,) = flakeguard("parse", SAMPLES / name, "--json").json["reports"]
        assert {"file", "dialect", "partial", "warnings", "tests"} <= set(report)
        for test in report["tests"]:
            wanted = {"suite", "class", "name", "file", "variant", "outcome", "flaky", "duration", "attempts"}
            assert wanted <= set(test)

    def test_retries_are_told(self, flakeguard):
        (report,) = flakeguard("parse", SAMPLES / "pytest-rerunfailures.xml", "--json").json["reports"]
        tests = {test["name"]: test for test in report["tests"]}
        assert (tests["test_flaky_recovers"]["flaky"], tests["test_flaky_recovers"]["outcome"]) == (
            True,
            "passed",
        )
        assert (tests["test_flaky_exhausted"]["flaky"], tests["test_flaky_exhausted"]["outcome"]) == (
            False,
            "failed",
        )

    def test_one_bad_file_does_not_hide_the_others(self, flakeguard, report):
        done = flakeguard("parse", report("bad.xml", b"hello"), report("good.xml", junit("a")), "--json")
        assert (done.code, len(done.json["reports"]), "bad.xml" in done.err) == (1, 1, True)


class TestIngest:
    def test_created_then_duplicate_then_conflict(self, flakeguard, project, report):
        about = ("--project", project, "--run-id", "1", *RUN, "--json")
        one, other = report("one.xml", junit("a", failed=["b"])), report("other.xml", junit("c"))
        done = [flakeguard("ingest", file, *about) for file in (one, one, other)]
        assert [item.code for item in done] == [0, 0, 1]
        assert [item.json.get("duplicate") for item in done[:2]] == [False, True]
        assert done[0].json["failures"][0]["verdict"] == "new"

    def test_many_files_are_one_run(self, flakeguard, project, report):
        files = [report(f"{name}.xml", junit(name)) for name in "abc"]
        done = flakeguard("ingest", *files, "--project", project, "--run-id", "1", *RUN, "--json")
        assert (done.json["total"], done.json["reports"]) == (3, 3)

    def test_without_a_server_there_is_a_clear_line(self, flakeguard, report):
        place = ("--url", "http://127.0.0.1:9", "--token", "fg_x")
        done = flakeguard("ingest", report("a.xml", junit("a")), "--run-id", "1", *RUN, *place)
        assert (done.code, "unreachable" in done.err) == (1, True)

    def test_an_address_without_its_scheme_is_told_as_that(self, flakeguard, report):
        place = ("--url", "127.0.0.1:9", "--token", "fg_x")
        done = flakeguard("ingest", report("a.xml", junit("a")), "--run-id", "1", *RUN, *place)
        assert (done.code, "must begin with https:// or http://" in done.err) == (1, True)

    def test_a_name_without_its_owner_is_not_one_to_create(self, flakeguard):
        done = flakeguard("flaky", "shop")
        assert (done.code, "give OWNER/NAME" in done.err) == (1, True)


def line(run, status, **more):
    return {
        "project": "acme/shop",
        "run_id": str(run),
        "commit": f"c{run}",
        "branch": "main",
        "at": f"2026-01-{run + 1:02}T10:00:00Z",
        "suite": "s",
        "class": "C",
        "name": "t",
        "status": status,
        **more,
    }


class TestImport:
    LINES = (
        [line(run, "passed") for run in range(5)],
        {
            "project": "acme/shop",
            "merged": {"branch": "f", "commit": "x", "into_commit": "c4"},
            "at": "2026-01-06T00:00:00Z",
        },
    )

    @pytest.mark.parametrize("pack", [bytes, gzip.compress])
    def test_history_comes_in_once(self, flakeguard, report, pack):
        runs, merge = self.LINES
        file = report("results.jsonl", pack("\n".join(map(json.dumps, [*runs, merge])).encode()))
        first, again = (flakeguard("import", file, "--json").json for _ in range(2))
        assert (first["runs"], first["results"], first["merges"]) == (5, 5, 1)
        assert (again["runs"], again["duplicates"], again["seconds"] >= 0) == (0, 5, True)
        assert flakeguard("tests", "acme/shop", "--json").json["total"] == 1

    @pytest.mark.parametrize("bad", [b"{", b"[]", b'{"project": "a/b"}', json.dumps(line(1, "odd")).encode()])
    def test_a_line_that_cannot_be_read_is_named(self, flakeguard, report, bad):
        done = flakeguard("import", report("results.jsonl", b"\n" + bad))
        assert (done.code, "ine 2" in done.err) == (1, True)


class TestReading:
    def test_tests_tell_what_programs_ask_for(self, flakeguard, project, flaky):
        items = flakeguard("flaky", project, "--json").json["items"]
        wanted = {"test_id", "suite", "class", "name", "variant", "state", "score", "rate", "rate_interval"}
        assert ([item["name"] for item in items], wanted <= set(items[0])) == (["b"], True)

    @pytest.mark.parametrize("name", ["b", "shop::b", "shop.b", "2"])
    def test_a_test_is_found_by_id_or_name(self, flakeguard, project, flaky, name):
        assert flakeguard("show", project, name, "--json").json["name"] == "b"

    def test_history_explain_and_detections(self, flakeguard, project, flaky):
        history = flakeguard("history", project, "b", "--json").json["items"]
        assert [item["outcome"] for item in history] == ["passed", "failed"] * 3
        assert flakeguard("explain", project, "b", "--json").json["summary"]
        changes = flakeguard("detections", project, "--json").json["items"]
        assert {"suite", "class", "name", "at", "from", "to", "score"} <= set(changes[0])

    @pytest.mark.parametrize("command", ["flaky", "tests", "detections"])
    def test_people_get_a_table(self, flakeguard, project, flaky, command):
        assert "b" in flakeguard(command, project).out

    @pytest.mark.parametrize(
        ("command", "words"),
        [
            (
                "show",
                ["shop::b  t-2", "flaky, proven on the same commit", "% of runs", "nobody by CODEOWNERS"],
            ),
            ("explain", ["of", "What its failures prove", "Failures, newest first", "What would change it"]),
        ],
    )
    def test_people_get_sentences(self, flakeguard, project, flaky, command, words):
        told = flakeguard(command, project, "b").out
        assert [word for word in words if word not in told] == []
        assert "{" not in told

    def test_pages(self, flakeguard, project, flaky):
        page = flakeguard("tests", project, "--limit", "1", "--offset", "1", "--json").json
        assert (page["total"], [item["name"] for item in page["items"]]) == (2, ["b"])


class TestDecisions:
    def test_propose_approve_release(self, flakeguard, project, flaky):
        proposal = flakeguard("quarantine", "list", project, "--json").json["items"][0]["proposal_id"]
        approved = flakeguard("quarantine", "approve", proposal, "--by", "U2", "--json").json
        again = flakeguard("quarantine", "approve", proposal, "--by", "U1")
        released = flakeguard(
            "quarantine", "release", proposal, "--by", "U1", "--reason", "fixed", "--json"
        ).json
        assert (approved["state"], again.code, released["state"]) == ("active", 1, "released")

    def test_nobody_approves_what_they_proposed(self, flakeguard, project, flaky):
        flakeguard("quarantine", "deny", "q-1", "--by", "U1", "--reason", "no", "--cooldown", "1d")
        made = flakeguard("quarantine", "propose", project, "b", "--by", "U1", "--for", "7d", "--json").json
        refused = flakeguard("quarantine", "approve", made["proposal_id"], "--by", "U1")
        assert (made["ttl_days"], refused.code, "proposed this yourself" in refused.err) == (7, 1, True)

    def test_the_gate_honours_it_without_a_server(self, flakeguard, project, flaky, report):
        report("now.xml", junit("a", failed=["b"]))
        about = ("--project", project, "--junit", "now.xml", "--runner", "pytest", "--exit-code", "1", *RUN)
        before = flakeguard("gate", *about, "--run-id", "90")
        flakeguard("quarantine", "approve", "q-1", "--by", "U2")
        after = flakeguard("gate", *about, "--run-id", "91", "--json")
        assert (before.code, after.code, after.json["reason"]) == (1, 0, "quarantined")

    def test_the_audit_chain_is_whole_until_somebody_touches_it(self, flakeguard, project, flaky, tmp_path):
        done = flakeguard("audit", "verify", "--json")
        assert (done.code, done.json["ok"]) == (0, True)
        assert (
            flakeguard("audit", "export", "--output", tmp_path / "audit.jsonl", "--json").json["events"] > 3
        )


class TestOperation:
    def test_doctor_says_what_is_off_and_what_to_do(self, flakeguard):
        done = flakeguard("doctor", "--json")
        states = {check["name"]: check["state"] for check in done.json["checks"]}
        assert (done.code, states["database"], states["slack"], states["projects"]) == (
            0,
            "ok",
            "off",
            "warning",
        )

    def test_doctor_fails_when_something_is_wrong(self, flakeguard, monkeypatch):
        monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
        done = flakeguard("doctor", "--json")
        assert (done.code, done.json["ok"]) == (1, False)

    @pytest.mark.parametrize(
        ("address", "told"),
        [
            ("", "is empty"),
            ("rubbish", "must begin with sqlite:///"),
            ("sqlite://flakeguard.db", "sqlite:///FILE"),
            ("postgresql://u:geheim@127.0.0.1:port/db", "HOST:PORT"),
            ("sqlite:///no/such/folder/flakeguard.db", "unable to open database file"),
            ("postgresql://u:geheim@127.0.0.1:1/db", "127.0.0.1"),
        ],
    )
    def test_a_wrong_database_is_told_as_what_it_is_and_without_its_password(
        self, flakeguard, monkeypatch, address, told
    ):
        monkeypatch.setenv("FLAKEGUARD_DATABASE_URL", address)
        listed, examined = flakeguard("project", "list"), flakeguard("doctor")
        assert (listed.code, told in listed.err) == (1, True)
        assert (examined.code, told in examined.out) == (1, True)
        assert "geheim" not in listed.err + examined.out

    def test_the_version_is_told_whichever_way_it_is_asked_for(self, flakeguard):
        asked, option = flakeguard("version"), flakeguard("--version")
        assert (option.code, option.out) == (0, asked.out)

    def test_a_place_that_is_taken_is_told_in_one_line(self, flakeguard):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            done = flakeguard("serve", "--port", taken.getsockname()[1])
        assert (done.code, "Cannot listen on 127.0.0.1" in done.err) == (1, True)

    def test_a_backup_is_a_whole_database(self, flakeguard, project, tmp_path, monkeypatch):
        done = flakeguard("backup", tmp_path / "copy.db", "--json")
        again = flakeguard("backup", tmp_path / "copy.db")
        monkeypatch.setenv("FLAKEGUARD_DATABASE_URL", f"sqlite:///{tmp_path}/copy.db")
        listed = flakeguard("project", "list", "--json").json["items"]
        assert (done.code, again.code, [item["repo"] for item in listed]) == (0, 1, ["acme/shop"])

    def test_an_empty_folder_needs_no_set_up(self, flakeguard, tmp_path, monkeypatch):
        monkeypatch.setenv("FLAKEGUARD_DATABASE_URL", f"sqlite:///{tmp_path}/new.db")
        assert flakeguard("project", "create", "a/b").code == 0
        assert flakeguard("migrate", "--json").json == {"migrated": False}

    def test_a_digest_is_shown(self, flakeguard, project, flaky):
        assert flakeguard("digest", project, "--json").json["repo"] == project
        told = flakeguard("digest", project).out
        assert "Failures per day" in told or "failures" in told
        assert "[]" not in told
