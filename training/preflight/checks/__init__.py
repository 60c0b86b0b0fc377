"""One small function a row, by subject; importing this package registers them all."""

from training.preflight.checks import (
    data as data,
)
from training.preflight.checks import (
    evaluation as evaluation,
)
from training.preflight.checks import (
    generation as generation,
)
from training.preflight.checks import (
    mask as mask,
)
from training.preflight.checks import (
    model as model,
)
from training.preflight.checks import (
    optimization as optimization,
)
from training.preflight.checks import (
    reward as reward,
)
