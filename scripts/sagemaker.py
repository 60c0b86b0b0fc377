"""Run any command of lm-eval-ext as a SageMaker training job, in a container that has the package.

    python scripts/sagemaker.py --image ACCOUNT.dkr.ecr.REGION.amazonaws.com/lm-eval-ext:TAG \\
        --role ROLE_ARN --out s3://bucket/loop \\
        -- train pipeline --config smoke_sft --model ORG/MODEL --out /opt/ml/checkpoints

Needs boto3 and AWS credentials. SageMaker copies /opt/ml/checkpoints to --out while the job runs, and back
when a job with the same --out starts: a command that finds its output there resumes, also on spot instances.
Each job adds a line to --log: its name says nothing about the experiment, the line does.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer

CHECKPOINTS = "/opt/ml/checkpoints"


def request(
    name: str, command: list[str], image: str, role: str, out: str, instance: str, hours: int, spot: bool
) -> dict[str, Any]:
    """The arguments of CreateTrainingJob."""
    limits = {"MaxRuntimeInSeconds": hours * 3600, **({"MaxWaitTimeInSeconds": hours * 7200} if spot else {})}
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": image,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["lm-eval-ext"],
            "ContainerArguments": command,
        },
        "RoleArn": role,
        "OutputDataConfig": {"S3OutputPath": f"{out.rstrip('/')}/job"},
        "CheckpointConfig": {"S3Uri": out, "LocalPath": CHECKPOINTS},
        "ResourceConfig": {"InstanceType": instance, "InstanceCount": 1, "VolumeSizeInGB": 500},
        "StoppingCondition": limits,
        "EnableManagedSpotTraining": spot,
    }


def main(
    command: Annotated[list[str], typer.Argument(help="A command of lm-eval-ext, after --.")],
    image: Annotated[str, typer.Option(help="The container in ECR (containers/ has files to build it).")],
    role: Annotated[str, typer.Option(help="ARN of the execution role.")],
    out: Annotated[str, typer.Option(help="s3://BUCKET/PREFIX of what the command writes.")],
    instance_type: Annotated[str, typer.Option(help="One machine of this type.")] = "ml.p4d.24xlarge",
    hours: Annotated[int, typer.Option(help="SageMaker stops the job after this many.", min=1)] = 24,
    spot: Annotated[bool, typer.Option(help="Use spot instances; an interrupted job resumes.")] = False,
    log: Annotated[Path, typer.Option(help="JSON lines, one a job.")] = Path("jobs.jsonl"),
) -> None:
    """Submit a command of lm-eval-ext to SageMaker."""
    if not any(CHECKPOINTS in word for word in command):
        raise typer.BadParameter(f"the command writes nothing below {CHECKPOINTS}: its output would be lost")
    now = datetime.now(UTC)
    name = f"job-{now:%Y%m%d-%H%M%S}"  # SageMaker allows letters, digits and hyphens, 63 at most
    boto3.client("sagemaker").create_training_job(
        **request(name, command, image, role, out, instance_type, hours, spot)
    )
    with log.open("a", encoding="utf-8") as file:
        row = {"job": name, "submitted": now.isoformat(timespec="seconds"), "out": out, "command": command}
        file.write(json.dumps(row) + "\n")
    print(f"{name}: aws sagemaker describe-training-job --training-job-name {name}; results in {out}")


if __name__ == "__main__":
    typer.run(main)
