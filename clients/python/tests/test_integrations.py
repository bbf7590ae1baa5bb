"""Lightning and Hugging Face, where they are installed."""

import pytest

import nnmonitor as nnm


def test_lightning_logs_and_finishes(front, tmp_path):
    lightning = pytest.importorskip("lightning.pytorch")
    torch = pytest.importorskip("torch")
    from nnmonitor.integrations.lightning import NNMonitorLogger

    class Module(lightning.LightningModule):
        def __init__(self, width=4):
            super().__init__()
            self.save_hyperparameters()
            self.layer = torch.nn.Linear(width, 1)

        def training_step(self, batch, index):
            loss = self.layer(batch).square().mean()
            self.log("train/loss", loss)
            return loss

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    trainer = lightning.Trainer(
        max_steps=6, log_every_n_steps=1, accelerator="cpu", enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, default_root_dir=tmp_path,
        logger=NNMonitorLogger(url=front.url, id="lit", project="p", watch=False),
    )
    trainer.fit(Module(), torch.utils.data.DataLoader(torch.randn(24, 4), batch_size=4))
    steps = front.steps("lit")
    assert len(steps) == 6 and all("train/loss" in step["scalars"] for step in steps.values())
    assert front.run("lit")["config"]["width"] == 4
    assert front.run("lit")["state"] == "finished"


def test_trainer_of_transformers_logs(front, tmp_path):
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    torch = pytest.importorskip("torch")
    from nnmonitor.integrations.transformers import NNMonitorCallback

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(4, 1)

        def forward(self, x, labels=None):
            return {"loss": self.layer(x).square().mean()}

    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path), max_steps=5, logging_steps=1, report_to=[], use_cpu=True, save_strategy="no",
        disable_tqdm=True,
    )
    rows = [{"x": torch.randn(4), "labels": torch.zeros(1)} for _ in range(40)]
    trainer = transformers.Trainer(
        model=Model(), args=arguments, train_dataset=rows,
        callbacks=[NNMonitorCallback(url=front.url, id="hf", watch=False)],
    )
    trainer.train()
    nnm.finish()
    steps = front.steps("hf")
    assert {1, 2, 3, 4, 5} <= set(steps) and "train/loss" in steps[1]["scalars"]
    assert {"train/grad_norm", "train/learning_rate"} <= set(steps[1]["scalars"])
    assert front.run("hf")["config"]["max_steps"] == 5
