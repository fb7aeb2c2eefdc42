"""What `go test -json` of newer releases of Go says, event by event, as its documentation tells."""

import json

from core.junit import read_report


def events(*told: dict[str, object]) -> bytes:
    return "\n".join(json.dumps(one) for one in told).encode()


def of(action: str, test: str = "", **more: object) -> dict[str, object]:
    return {"Action": action, "Package": "shop", **({"Test": test} if test else {}), **more}


def outcomes(data: bytes) -> dict[str, str]:
    return {case.key.name: case.outcome.value for case in read_report(data).cases}


def test_a_benchmark_that_only_begins_has_not_failed():
    told = [of("run", "BenchmarkFast"), of("output", "BenchmarkFast", Output="1 ns/op\n"), of("pass")]
    assert outcomes(events(of("start"), of("run", "TestA"), of("pass", "TestA"), *told)) == {
        "TestA": "passed"
    }


def test_a_benchmark_that_fails_is_a_test_that_failed():
    data = events(of("start"), of("run", "BenchmarkFast"), of("fail", "BenchmarkFast"), of("fail"))
    assert outcomes(data) == {"BenchmarkFast": "failed"}


def test_a_test_that_a_panic_has_stopped_is_an_error():
    data = events(
        of("start"), of("run", "TestA"), of("run", "TestB"), of("pass", "TestB"), of("fail", Elapsed=0.2)
    )
    assert outcomes(data) == {"TestA": "error", "TestB": "passed"}


def test_a_build_that_fails_is_told_with_what_the_compiler_said():
    build = {
        "ImportPath": "shop [shop.test]",
        "Action": "build-output",
        "Output": "a.go:3:5: undefined: x\n",
    }
    report = read_report(
        events(
            build,
            {"ImportPath": "shop [shop.test]", "Action": "build-fail"},
            of("start"),
            of("output", Output="FAIL\tshop [build failed]\n"),
            of("fail", FailedBuild="shop [shop.test]"),
        )
    )
    (error,) = report.suite_errors
    assert (error.suite, "undefined: x" in error.message, report.partial) == ("shop", True, False)


def test_pauses_attributes_and_packages_without_tests_say_nothing():
    quiet = [of("pause", "TestA"), of("cont", "TestA"), of("attr", "TestA", Key="k", Value="v")]
    data = events(of("start"), of("run", "TestA"), *quiet, of("pass", "TestA"), of("pass"))
    data += b"\n" + events({"Action": "start", "Package": "none"}, {"Action": "skip", "Package": "none"})
    report = read_report(data)
    assert (len(report.cases), report.suite_errors, report.warnings) == (1, (), ())
