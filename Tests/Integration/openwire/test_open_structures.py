"""The messages with the layers of structures, of which a history may need many."""

from Support.clients.live import LiveSocket
from Support.clients.openwire import accept_lines, accept_steps
from Support.payloads import run_id
from Support.servers.allocations import allocating_at_most

LAYERS = 1000
STRUCTURES = 60


def step(number: int) -> dict:
    """A step whose structure no other step has: its layers take 300 KB as text."""
    return {"step": number, "layers": [
        {"id": f"l{layer}", "type": "t" * 250, "parameters": 1000 * number + layer} for layer in range(LAYERS)]}


def test_the_structures_of_a_history_are_made_one_after_the_other(start_server):
    own = start_server(counted=True)
    run = run_id("structures")
    for start in range(0, STRUCTURES, 5):
        assert accept_lines(own, run, [step(number) for number in range(start, start + 5)])["accepted"] == 5
    with LiveSocket(own) as socket:
        # All together they have 18 MB.
        with allocating_at_most(own, 6_000_000):
            socket.say({"action": "subscribe_run", "run_id": run, "form": "columns", "layers": False})
            structures = []
            while (history := socket.read_json())["type"] == "structure":
                structures.append(history)
        assert history["type"] == "run_history"
        assert len(history["data"]["steps"]) == STRUCTURES
        names = {found["structure"] for found in history["data"]["steps"]}
        assert len(names) == len(structures) == STRUCTURES
        assert {message["structure"] for message in structures} == names
        assert [message["layers"][0]["parameters"] for message in structures] == [
            1000 * number for number in range(STRUCTURES)]
        # They are not sent again.
        accept_steps(own, run, step(STRUCTURES - 1))
        message, = socket.arrived(run)
        assert message["type"] == "step" and message["data"]["structure"] in names
