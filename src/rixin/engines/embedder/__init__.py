"""The program that runs the embedded embedding model: `python -m rixin.engines.embedder`.

| file | noun |
| --- | --- |
| `config` | what the parent says first |
| `serve` | the program's life: load, serve, end |
| `app` | HTTP in, HTTP out |
| `work` | one request, in portions between which others have their turn |
| `model` | the library |
"""
