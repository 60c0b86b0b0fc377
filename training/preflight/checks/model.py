"""What is known only of the model itself."""

from __future__ import annotations

from training.preflight.registry import Outcome, inapplicable, row
from training.preflight.subject import Subject


@row(23, "merged model is not the trained one", "error")
def merged(subject: Subject) -> Outcome:
    """Nothing is merged before training."""
    if not subject.model.use_peft:
        return inapplicable("full fine-tuning: nothing is merged")
    return inapplicable("after training: python -m training.merge proves it")
