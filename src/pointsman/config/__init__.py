"""What the operator wanted: reads the file, the environment and the flags, and says everything that is wrong."""
