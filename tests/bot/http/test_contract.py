"""The API against its own document: generated requests never meet a 5xx or an answer that is not documented."""

import base64

import pytest
import schemathesis
from http_server import serving, settings_for
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

KEY = base64.urlsafe_b64encode(bytes(32)).decode()
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance]
BOUNDED = settings(
    max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
)


@pytest.mark.slow
@pytest.mark.parametrize("scope", ["admin", "server"])
def test_every_operation_keeps_its_word(furnished, furnished_url, scope):
    server = serving(
        settings_for(furnished_url, FLAKEGUARD_TOKEN_RATE="100000/minute", FLAKEGUARD_SECRET_KEY=KEY),
        furnished[1],
    )
    schema = schemathesis.openapi.from_asgi("/openapi.json", server.http.app)
    operations = [found.ok() for found in schema.get_all_operations()]
    for operation in operations:

        @BOUNDED
        @given(case=operation.as_strategy())
        def asked(case):
            answer = case.call(headers=server.auth(scope))
            case.validate_response(answer, checks=CHECKS)

        asked()
    assert len(operations) > 25
    server.desk.database.close()
