"""The full text over the tokens of passages: how each database finds the passages that hold some of them.

Both rank by Okapi BM25 (Robertson and Zaragoza, 2009), so that a rare token counts more than one that is everywhere.
SQLite's FTS5 brings it. PostgreSQL has no ranking that knows how rare a token is: there it is made of the counts.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import ARRAY, Integer, Text, TextClause, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from rixin.store.schema import FULL_TEXT

_SQLITE = text(
    f"""
    SELECT document_id, entry
    FROM knowledge_passages JOIN {FULL_TEXT} ON {FULL_TEXT}.rowid = knowledge_passages.id
    WHERE {FULL_TEXT} MATCH :query AND document_id IN :documents
    ORDER BY {FULL_TEXT}.rank, id
    LIMIT :limit
    """  # noqa: S608 - of a name of ours
).bindparams(bindparam("documents", expanding=True))

# The constants are those of FTS5: k1 = 1.2, b = 0.75.
_POSTGRESQL = text(
    """
    WITH hits AS MATERIALIZED (
        SELECT id, document_id, entry, words, length(words) / avg(length(words)) OVER () AS length
        FROM knowledge_passages, to_tsvector('simple', tokens) AS words
        WHERE to_tsvector('simple', tokens) @@ CAST(:query AS tsquery) AND document_id = ANY(:documents)
    ), terms AS (
        SELECT id, lexeme, cardinality(positions) AS frequency, length, count(*) OVER (PARTITION BY lexeme) AS hits
        FROM hits, unnest(words)
        WHERE lexeme = ANY(:tokens)
    ), scores AS (
        SELECT id, sum(
            ln(1 + (passages - hits + 0.5) / (hits + 0.5)) * frequency / (frequency + 1.2 * (0.25 + 0.75 * length))
        ) AS score
        FROM terms, (SELECT count(*) AS passages FROM knowledge_passages WHERE document_id = ANY(:documents)) AS base
        GROUP BY id
    )
    SELECT document_id, entry FROM hits JOIN scores USING (id) ORDER BY score DESC, id LIMIT :limit
    """
).bindparams(bindparam("documents", type_=ARRAY(Integer)), bindparam("tokens", type_=ARRAY(Text)))


async def match(
    connection: AsyncConnection, tokens: Sequence[str], documents: Collection[int], limit: int
) -> list[tuple[int, int]]:
    """Passages that hold any of some tokens, the best first.

    Args:
        connection: In whose transaction.
        tokens: Letters and digits only; at least one.
        documents: Where to look, by their ids.
        limit: At most so many.

    Returns:
        Document ids and positions.
    """
    values: dict[str, object] = {"documents": list(documents), "limit": limit}
    statement: TextClause
    if connection.dialect.name == "sqlite":
        statement = _SQLITE
        values["query"] = " OR ".join(f'"{token}"' for token in tokens)
    else:
        statement = _POSTGRESQL
        values["query"] = " | ".join(f"'{token}'" for token in tokens)
        values["tokens"] = list(tokens)
    return [(row.document_id, row.entry) for row in await connection.execute(statement, values)]
