"""Health of the wheel: broken and weak spokes, over-reliance, calibration, drift."""
