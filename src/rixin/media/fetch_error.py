"""Why something is not fetched."""


class FetchError(Exception):
    """Something could not be fetched, or may not be. Its text is the log's: it may name what no client must see."""
