"""What `watch` measures arrives at the server: each number as it was, or rounded to six digits and nothing else."""

import math

import pytest

import nnmonitor as nnm

torch = pytest.importorskip("torch")
NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class Model(torch.nn.Module):
    """A layer of most kinds."""

    def __init__(self):
        super().__init__()
        nn = torch.nn
        self.tokens = nn.Embedding(40, 16)
        self.conv = nn.Conv1d(16, 16, 3, padding=1)
        self.norm = nn.BatchNorm1d(16)
        self.lstm = nn.LSTM(16, 16, batch_first=True)
        self.gru = nn.GRU(16, 16, batch_first=True)
        self.encoder = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
        self.up = nn.ConvTranspose1d(16, 8, 2)
        self.frozen = nn.Linear(8, 8).requires_grad_(False)
        self.head = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.LayerNorm(8), nn.Linear(8, 3))

    def forward(self, ids):
        x = self.norm(self.conv(self.tokens(ids).transpose(1, 2))).transpose(1, 2)
        x = self.encoder(self.gru(self.lstm(x)[0])[0])
        return self.head(self.frozen(self.up(x.transpose(1, 2)).mean(2)))


@pytest.mark.parametrize("precision", ["full", None])
def test_every_number_of_a_report_arrives(server, begin, precision):
    torch.manual_seed(0)
    model = Model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    run = begin(server, precision=precision)
    reports = []
    keep = run._report

    def spy(watcher, report):
        reports.append(report)
        keep(watcher, report)

    run._report = spy
    run.watch(model, every=1, histograms=True)
    for step in range(4):
        optimizer.zero_grad()
        model(torch.randint(40, (8, 12))).square().mean().backward()
        optimizer.step()
        run.log({"step": step}, step=step)
    run.finish()

    kept = server.steps(run.id)
    assert len(reports) == 4 and sorted(kept) == list(range(4))
    for step, report in enumerate(reports):
        seen = kept[step]
        assert [layer["id"] for layer in seen["layers"]] == [
            layer["id"].replace(".", "/") for layer in report.layers]
        for one, other in zip(seen["layers"], report.layers):
            assert {key: one[key] for key in other if key != "id"} == {
                key: other[key] for key in other if key != "id"}
        assert set(seen["metrics"]) == {name for name, column in report.metrics.items() if set(column) != {None}}
        for name, column in seen["metrics"].items():
            assert_same(column, report.metrics[name], precision)
        for name, by_layer in report.vectors.items():
            for layer, values in by_layer.items():
                assert_same(seen["vectors"][name][layer.replace(".", "/")], values, precision)
    assert {"weight_spectral_norm", "update_ratio", "activation_std", "gradient_p99"} <= set(kept[3]["metrics"])
    assert "weight_exponents" in kept[3]["vectors"]


def assert_same(seen, reported, precision):
    assert len(seen) == len(reported)
    for one, other in zip(seen, reported):
        if other is None:
            assert one is None
            continue
        number = NUMBERS.get(one, one)
        expected = float(other) if precision == "full" or isinstance(other, int) else float(f"{other:.6g}")
        assert number == expected or (math.isnan(number) and math.isnan(expected)), (one, other)


def test_report_of_every_kind_reaches_the_page_of_the_run(server, begin):
    """The server lists what was posted, and serves the latest structure."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    run = begin(server)
    nnm.watch(model, every=1)
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.randn(16, 4)).square().mean().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.01)
        optimizer.step()
        nnm.log({"train/loss": 1.0})
    nnm.finish()
    kept = server.run(run.id)
    assert {"gradient_clipped_l2_norm", "dead_fraction", "update_ratio", "weight_spectral_norm"} <= set(kept["metrics"])
    assert {"gradient_clip_factor", "train/loss"} <= set(kept["scalars"])
    assert [(layer["id"], layer["type"], layer["parameters"]) for layer in kept["layers"]] == [
        ("0", "Linear", 40), ("2", "Linear", 9)]
