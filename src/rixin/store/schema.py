"""The tables, and the revisions that made them. Instants are seconds since the epoch, in UTC."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Double, Index, Integer, LargeBinary, MetaData, Table, Text

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0012", "0013", "0014")
"""Every revision of the schema, oldest first, one script of `migrations/versions` each."""

_TOKENS = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData()

keys = Table(
    "keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("prefix", Text, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("models", JSON, nullable=False),
    Column("plan", Text),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double),
    Column("disabled_at", Double),
    Column("last_used_at", Double),
    Column("creator", Text),
    Column("kind", Text, nullable=False, server_default="api"),
    Column("sealed", LargeBinary),  # an access key's secret, encrypted
    Column("user_id", Text),
    Column("team_id", Text),
    Column("dialects", JSON, nullable=False, server_default="[]"),
    Column("networks", JSON, nullable=False, server_default="[]"),
)
Index("keys_by_user", keys.c.user_id)
Index("keys_by_team", keys.c.team_id)

usage = Table(
    "usage",
    metadata,
    # A client may choose its request id, so that alone identifies no row.
    Column("time", Double, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("key_name", Text, nullable=False),
    Column("user_id", Text),
    Column("team_id", Text),
    Column("dialect", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("model_asked", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("error", Text),
    Column("stream", Boolean, nullable=False),
    Column("prompt_tokens", _TOKENS, nullable=False),
    Column("completion_tokens", _TOKENS, nullable=False),
    Column("cached_tokens", _TOKENS, nullable=False),
    Column("reasoning_tokens", _TOKENS, nullable=False),
    Column("knowledge_tokens", _TOKENS, nullable=False),
    Column("estimated", Boolean, nullable=False),
    Column("queue_ms", Double),
    Column("first_token_ms", Double),
    Column("total_ms", Double, nullable=False),
    Column("changes", Text, nullable=False),
    Column("cost", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("price_prompt", BigInteger, nullable=False),
    Column("price_completion", BigInteger, nullable=False),
    Column("price_cached", BigInteger, nullable=False),
    Column("price_request", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
Index("usage_by_id", usage.c.id)
Index("usage_by_key", usage.c.key_id, usage.c.time)
Index("usage_by_model", usage.c.model, usage.c.time)
Index("usage_by_model_asked", usage.c.model_asked, usage.c.time)
Index("usage_by_provider", usage.c.provider, usage.c.time)
Index(
    "usage_by_user",
    usage.c.user_id,
    usage.c.time,
    sqlite_where=usage.c.user_id.is_not(None),
    postgresql_where=usage.c.user_id.is_not(None),
)
Index(
    "usage_by_team",
    usage.c.team_id,
    usage.c.time,
    sqlite_where=usage.c.team_id.is_not(None),
    postgresql_where=usage.c.team_id.is_not(None),
)
Index(
    "usage_failed",
    usage.c.time,
    sqlite_where=usage.c.error.is_not(None),
    postgresql_where=usage.c.error.is_not(None),
)

usage_sums = Table(
    "usage_sums",
    metadata,
    Column("span", Integer, primary_key=True, autoincrement=False),  # seconds that are summed: an hour or a day
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("key_id", Text, primary_key=True),
    Column("user_id", Text, primary_key=True),  # empty where there is none, as of teams
    Column("team_id", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("provider", Text, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("key_name", Text, nullable=False),
    Column("requests", BigInteger, nullable=False),
    Column("errors", BigInteger, nullable=False),
    Column("estimated", BigInteger, nullable=False),
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("completion_tokens", BigInteger, nullable=False),
    Column("cached_tokens", BigInteger, nullable=False),
    Column("reasoning_tokens", BigInteger, nullable=False),
    Column("knowledge_tokens", BigInteger, nullable=False),
    Column("cost", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

requests = Table(
    "requests",
    metadata,
    Column("time", Double, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("attempts", Text, nullable=False),
    Column("attempt_count", Integer, nullable=False),
    Column("bodies_size", Integer, nullable=False),  # 0 where none are kept
    Column("bodies", LargeBinary),  # last, so that the other columns are read without it
)
Index(
    "requests_with_bodies",
    requests.c.time,
    requests.c.bodies_size,
    sqlite_where=requests.c.bodies_size > 0,
    postgresql_where=requests.c.bodies_size > 0,
)

revision = Table(
    "revision",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Integer, nullable=False),
)

meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("record", LargeBinary, nullable=False),
    Column("ends_at", BigInteger, nullable=False),  # in microseconds of the counters' own timeline
    Index("counters_by_end", "ends_at"),
)

providers = Table(
    "providers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("base_url", Text, nullable=False),
    Column("preset", Text),
    Column("dialect", Text, nullable=False),
    Column("models", JSON, nullable=False),
    Column("options", JSON, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # keys and headers, encrypted
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
)

learned = Table(
    "learned",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("part", Text, primary_key=True),
    Column("base_url", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("rule", JSON, nullable=False),
    Column("canonical", JSON, nullable=False),
    Column("learned_at", Double, nullable=False),
    Column("tested_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
)

responses = Table(
    "responses",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("size", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
Index("responses_by_age", responses.c.owner, responses.c.created_at, responses.c.size)
Index("responses_by_end", responses.c.expires_at)

files = Table(
    "files",
    metadata,
    Column("key", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("shape", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),  # at most so many bytes while they still come
    Column("status", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("expires_at", Double),
    Column("description", Text, nullable=False),
)
Index("files_by_owner", files.c.owner, files.c.key)
Index("files_by_end", files.c.expires_at)
Index(
    "files_unsettled",
    files.c.status,
    sqlite_where=files.c.status.in_(("uploading", "deleting")),
    postgresql_where=files.c.status.in_(("uploading", "deleting")),
)

knowledge_bases = Table(
    "knowledge_bases",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
)
Index("knowledge_bases_by_owner", knowledge_bases.c.owner, knowledge_bases.c.id)

knowledge_documents = Table(
    "knowledge_documents",
    metadata,
    Column("id", Integer, primary_key=True),  # never used again, so that what is remembered by it stays true
    Column("base_id", Text, nullable=False),
    Column("file_id", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("passages", Integer),
    Column("indexed", Integer, nullable=False),
    Column("error", Text),
    Column("embedder", Text),  # the model that made the vectors
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("claimed_by", Text),  # the process that indexes it
    Column("claimed_until", Double),
    sqlite_autoincrement=True,
)
Index(
    "knowledge_documents_by_file",
    knowledge_documents.c.base_id,
    knowledge_documents.c.file_id,
    unique=True,
    sqlite_where=knowledge_documents.c.status != "deleting",
    postgresql_where=knowledge_documents.c.status != "deleting",
)
Index(
    "knowledge_documents_unsettled",
    knowledge_documents.c.status,
    knowledge_documents.c.id,
    sqlite_where=knowledge_documents.c.status.in_(("uploaded", "deleting")),
    postgresql_where=knowledge_documents.c.status.in_(("uploaded", "deleting")),
)

knowledge_passages = Table(
    "knowledge_passages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("document_id", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("entry", Integer, nullable=False),  # the place of its passage: its own, or that of what a question is about
    Column("question", Boolean, nullable=False),
    Column("text", Text, nullable=False),
    Column("answer", Text),
    Column("heading", Text, nullable=False),
    Column("page", Integer),
    Column("tokens", Text, nullable=False),
    Column("vector", LargeBinary),  # little-endian 32-bit floats
)
Index("knowledge_passages_by_place", knowledge_passages.c.document_id, knowledge_passages.c.position, unique=True)
Index(
    "knowledge_passages_to_embed",
    knowledge_passages.c.document_id,
    knowledge_passages.c.position,
    sqlite_where=knowledge_passages.c.vector.is_(None),
    postgresql_where=knowledge_passages.c.vector.is_(None),
)
FULL_TEXT = "knowledge_text"
"""The full text over `knowledge_passages.tokens`: a virtual table in SQLite, an index in PostgreSQL."""

sessions = Table(
    "sessions",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("used_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("claim", Integer, nullable=False),  # counts claims, and their ends
    Column("claimed_until", Double),
    Column("size", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
Index("sessions_by_use", sessions.c.owner, sessions.c.used_at, sessions.c.size)
Index("sessions_by_end", sessions.c.expires_at)

users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False, unique=True),  # in lower case
    Column("password", Text),  # its Argon2 hash
    Column("role", Text, nullable=False),
    Column("plan", Text),
    Column("created_at", Double, nullable=False),
    Column("disabled_at", Double),
    Column("last_login_at", Double),
)

identities = Table(
    "identities",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("created_at", Double, nullable=False),
)
Index("identities_by_user", identities.c.user_id)

teams = Table(
    "teams",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("plan", Text),
    Column("created_at", Double, nullable=False),
)

members = Table(
    "members",
    metadata,
    Column("team_id", Text, primary_key=True),
    Column("user_id", Text, primary_key=True),
    Column("role", Text, nullable=False),
)
Index("members_by_user", members.c.user_id)

logins = Table(
    "logins",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("method", Text, nullable=False),  # password, oidc or setup
    Column("created_at", Double, nullable=False),
    Column("used_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
)
Index("logins_by_user", logins.c.user_id)
Index("logins_by_end", logins.c.expires_at)

audit = Table(
    "audit",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("time", Double, nullable=False),
    Column("actor", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("address", Text),
    Column("action", Text, nullable=False),
    Column("target", Text),
    Column("detail", Text, nullable=False),  # JSON, as it went into the hash
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # there is one row, 1
    Column("sequence", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    Column("seal", Text, nullable=False),
)
