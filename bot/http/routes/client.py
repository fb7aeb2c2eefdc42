"""GET /gate.py: the gate as one file that any Python runs, for CI machines without FlakeGuard."""

from fastapi import APIRouter, Response

from bot.gate.single_file import single_file

router = APIRouter(tags=["gate"])


@router.get("/gate.py", summary="The gate as one file", operation_id="gate_client", response_class=Response)
async def gate() -> Response:
    """`curl -fsS $FLAKEGUARD_URL/gate.py -o gate.py && python3 gate.py -- pytest --junitxml=junit.xml`."""
    return Response(single_file(), media_type="text/x-python; charset=utf-8")
