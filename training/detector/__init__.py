"""Trains emotiond's face detector: boxes, scores and five landmarks from the luma of a picture."""
