"""Every figure of every page, found by walking its elements, and the value of the API that it has to be."""
