from vouch.quality.checks import Thresholds

THRESHOLDS = Thresholds(
    dark_below=20.0,
    bright_above=235.0,
    blank_below=4.0,
    blurred_below=10.0,
    aspect_above=4.0,
    min_side_px=4.0,
    outside_above=0.001,
    duplicate_iou=0.95,
    near_radius_bits=6,
    near_correlation=0.9,
)
