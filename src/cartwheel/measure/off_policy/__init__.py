"""What another policy would have earned, from decisions logged with probabilities."""

from cartwheel.measure.off_policy.estimators import ESTIMATORS, Estimator
from cartwheel.measure.off_policy.log import Log, make_log
from cartwheel.measure.off_policy.reward_model import cross_fit
from cartwheel.measure.off_policy.value import PolicyValue, evaluate, evaluate_all

__all__ = [
    "ESTIMATORS",
    "Estimator",
    "Log",
    "PolicyValue",
    "cross_fit",
    "evaluate",
    "evaluate_all",
    "make_log",
]
