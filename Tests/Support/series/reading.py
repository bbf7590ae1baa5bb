"""Reads series."""

from Support.clients.ingest import assert_json
from Support.clients.openwire import request, run_path


def series(server, run: str, **query) -> dict:
    given = {key.rstrip("_"): value for key, value in query.items()}
    response = request(server, "GET", run_path(run) + "/series", params=given)
    assert_json(response)
    answer = response.json()
    assert list(answer) == ["steps", "last_steps", "scalars", "layers", "resolution", "last_seq"]
    for one in [*answer["scalars"].values(), *(one for by in answer["layers"].values() for one in by.values())]:
        assert list(one) == ["min", "max", "last", "nonfinite"]
        assert {len(part) for part in one.values()} == {len(answer["steps"])}
    return answer
