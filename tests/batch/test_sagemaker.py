"""The SageMaker script's request, checked against the service's own model."""

import importlib.util
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

pytestmark = pytest.mark.full

SCRIPT = Path(__file__).parents[2] / "scripts" / "sagemaker.py"
OPTIONS = [
    "--image",
    "1.dkr.ecr.eu-west-1.amazonaws.com/x:1",
    "--role",
    "arn:aws:iam::111122223333:role/train",
]


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location("sagemaker_script", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(script, log, *command, out="s3://bucket/run"):
    import typer

    app = typer.Typer()
    app.command()(script.main)
    return CliRunner().invoke(app, [*OPTIONS, "--out", out, "--log", str(log), *command])


@pytest.mark.parametrize("spot", [[], ["--spot"]])
def test_a_job_is_what_the_service_accepts(script, spot, tmp_path, monkeypatch):
    import boto3
    from botocore.stub import ANY, Stubber

    client = boto3.client(
        "sagemaker", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="y"
    )
    monkeypatch.setattr(script.boto3, "client", lambda name: client)
    command = ["train", "pipeline", "--config", "smoke_sft", "--out", "/opt/ml/checkpoints"]
    names = ["TrainingJobName", "RoleArn", "OutputDataConfig", "CheckpointConfig", "ResourceConfig"]
    expected = dict.fromkeys([*names, "StoppingCondition"], ANY)
    algorithm = {
        "TrainingImage": OPTIONS[1],
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["lm-eval-ext"],
        "ContainerArguments": command,
    }
    with Stubber(client) as stubber:
        stubber.add_response(
            "create_training_job",
            {"TrainingJobArn": "arn:aws:sagemaker:eu-west-1:111122223333:training-job/x"},
            {**expected, "AlgorithmSpecification": algorithm, "EnableManagedSpotTraining": bool(spot)},
        )
        result = run(script, tmp_path / "jobs.jsonl", *spot, "--", *command)
        stubber.assert_no_pending_responses()
    assert result.exit_code == 0 and "results in s3://bucket/run" in result.output
    [row] = map(json.loads, (tmp_path / "jobs.jsonl").read_text().splitlines())
    assert row["command"] == command and row["job"].startswith("job-")


def test_a_command_whose_output_would_be_lost_is_refused(script, tmp_path):
    result = run(script, tmp_path / "jobs.jsonl", "--", "train", "pipeline", "--out", "runs/loop")
    assert result.exit_code == 2 and "/opt/ml/checkpoints" in result.output
    assert not (tmp_path / "jobs.jsonl").exists()
