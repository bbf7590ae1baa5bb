"""A run with more names and layers than the server takes."""

from Support.clients.ingest import accept
from Support.clients.openwire import accept_steps, read_steps, request, run_path
from Support.clients.runs import read
from Support.payloads import payload, run_id

LIMIT = 100


def step(number: int, layers: int, **more) -> dict:
    return {"step": number, "scalars": {"loss": 1.5}, "layers": [f"l{layer}" for layer in range(layers)],
            "metrics": {"activation_std": list(range(layers)), "gradient_std": list(range(layers))}, **more}


def matrix(server, run: str, metric: str) -> list[str]:
    """The layers of a metric's matrix."""
    response = request(server, "GET", run_path(run) + "/matrix", params={"metric": metric})
    assert response.status_code == 200, response.text[:2000]
    return response.json()["layers"]


def test_a_run_with_too_many_layers_lacks_layers_and_no_metric(start_server):
    server = start_server("--max-names-per-run", LIMIT)
    run = run_id("deep")
    answer = accept_steps(server, run, step(1, LIMIT))
    assert len(answer["warnings"]) == 3
    assert all("NN_MONITOR_MAX_NAMES_PER_RUN" in warning for warning in answer["warnings"])
    whole = read(server, run)
    assert (whole["metrics"], whole["scalars"]) == (["activation_std", "gradient_std"], ["loss"])
    assert whole["layer_count"] == len(whole["layers"]) == LIMIT - 3
    assert list(whole["ignored_names"].items()) == [
        ("layers", 3), ("metrics", 0), ("scalars", 0), ("vectors", 0), ("maximum", LIMIT)]
    assert read_steps(server, run)[0]["metrics"]["gradient_std"] == list(range(LIMIT - 3))
    assert matrix(server, run, "gradient_std") == [f"l{layer}" for layer in range(LIMIT - 3)]
    # Later names find no place; the counts are the largest of one step.
    accept_steps(server, run, {"step": 2, "scalars": {"loss": 1, "lr": 2, "x": 3}}, step(3, LIMIT - 1))
    assert read(server, run)["ignored_names"] == {
        "layers": 3, "metrics": 0, "scalars": 2, "vectors": 0, "maximum": LIMIT}


def test_a_run_of_the_first_wire_with_too_many_layers_shows_its_metrics(start_server):
    server = start_server("--max-names-per-run", LIMIT)
    run = run_id("deep")
    accept(server, payload(run, 1, layers=LIMIT + 20))
    whole = read(server, run)
    assert len(whole["metrics"]) == 12
    assert whole["ignored_names"]["layers"] == 20
    assert len(matrix(server, run, "activation_std")) == LIMIT


def test_a_run_that_lacks_nothing_has_no_such_key(start_server):
    server = start_server("--max-names-per-run", LIMIT)
    run = run_id("fits")
    answer = accept_steps(server, run, step(1, LIMIT - 3))
    assert "warnings" not in answer
    assert "ignored_names" not in read(server, run)
