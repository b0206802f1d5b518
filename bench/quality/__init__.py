"""What the quality engine is worth: accuracy, calibration, speed and error rates, beside named peers."""
