"""Knowledge bases: documents cut into passages, found by their words and by what they mean.

| file | noun |
| --- | --- |
| `tokens` | what a text is found by |
| `documents` | a file's bytes to blocks of text |
| `chunking` | blocks to passages |
| `indexer` | the job that does it, and embeds |
| `embedder` | what makes vectors, as this room sees it |
| `search` | passages for a question |
| `prompt` | passages in a conversation |
"""
