"""The shapes of the billing API's answers and inputs."""
