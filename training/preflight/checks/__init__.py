"""One small function a row, by subject; importing this package registers them all."""

from . import (
    data as data,
)
from . import (
    evaluation as evaluation,
)
from . import (
    generation as generation,
)
from . import (
    mask as mask,
)
from . import (
    model as model,
)
from . import (
    optimization as optimization,
)
from . import (
    reward as reward,
)
