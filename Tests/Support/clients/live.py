"""A subscriber of the open wire."""

from Support.wire.raw_websocket import RawWebSocket

DEFLATE = "permessage-deflate"
# The messages that have a step.
STEPS = ("step", "new_metrics")


class LiveSocket(RawWebSocket):
    """A connection to /ws; `initial` has the listing of runs, the first message."""

    def __init__(self, server, **options):
        headers = [f"Authorization: Bearer {server.token}"] if server.token else []
        super().__init__(server, headers, **options)
        assert self.answer.status == 101
        self.initial = self.read_json()
        assert self.initial["type"] == "initial_runs"

    def request(self, kind: str, action: str, **message) -> dict:
        """Sends an action; returns the answer, which is of this kind or an error. Skips other messages."""
        self.say({"action": action, **message})
        while (answer := self.read_json())["type"] not in (kind, "error"):
            pass
        return answer

    def watch(self, run_ids=None, **message) -> dict:
        answer = self.request("watching", "watch", run_ids=run_ids, **message)
        assert answer["type"] == "watching", answer
        return answer

    def history(self, run: str, **message) -> dict:
        answer = self.request("run_history", "subscribe_run", run_id=run, **message)
        assert answer["type"] == "run_history" and answer["run_id"] == run, answer
        return answer

    def arrived(self, *runs: str) -> list[dict]:
        """The messages of all requests that were answered before this call; of some runs if given.

        An event loop handles received bytes before the tasks that were scheduled for it, so a pong may overtake
        queued messages. They are sent before the server reads the next ping.
        """
        messages = []
        for _ in range(2):
            self.say({"action": "ping"})
            while (message := self.read_json())["type"] != "pong":
                if not runs or message.get("run_id") in runs:
                    messages.append(message)
        return messages

    def next_step(self, run: str) -> dict:
        """The next message with a step of a run."""
        while (message := self.read_json())["type"] not in STEPS or message["run_id"] != run:
            pass
        return message
