"""One small function a row, by subject; importing this package registers them all."""

from training.preflight.checks import (
    data as data,
    evaluation as evaluation,
    generation as generation,
    mask as mask,
    model as model,
    optimization as optimization,
    reward as reward,
)
