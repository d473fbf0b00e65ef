"""The pages in a real Chromium. `sample_desk` is a Desk in memory with a rich case; unit tests use it too."""
