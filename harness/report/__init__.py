"""Results of a run: `run.json` is the truth, made from the journal; the page, JUnit and Markdown are views of it."""
