"""Training, calibrating and judging the learned part of routing, with numpy. A server never imports it."""
