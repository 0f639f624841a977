"""What can be set: a struct for each table of the settings, whose fields' docstrings are their documentation."""

import os
import sys
from pathlib import Path
from typing import Any, Literal, TypeAlias

from msgspec import Struct, field

DEFAULT_MODEL = "qwen2.5-coder-0.5b"
REPLAY = "replay:"
"""How the base URL of a provider begins that answers from recordings."""
LOCAL = "local"
"""The name of the embedded model, and what stands for a provider with all local models."""
EMBEDDER = "multilingual-e5-small"
DRAWER = "draw"
"""The name of the embedded embedding model."""
DEFAULT_WINDOW = 32768
"""Tokens of a local model's window, where neither the settings nor its file say less."""
DEFAULT_OUTPUT = 8192
"""Tokens that a local model's answer has at most, where the settings do not say."""
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})


def default_data_dir() -> Path:
    """Where a user's programs keep data, by the platform's own convention."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "rixin"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "rixin"


class Server(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The server itself. Durations are seconds, sizes bytes."""

    host: str = "127.0.0.1"
    """The address or name to listen on. Without keys only a loopback one is served."""
    port: int = 8700
    """0 takes any free one."""
    workers: int = 1
    """Processes that serve requests."""
    data_dir: Path = field(default_factory=default_data_dir)
    """Where everything is kept that the server must not lose."""
    models_dir: Path | None = None
    """Where weights are kept; `<data_dir>/models` unless set."""
    public_url: str | None = None
    """The address under which clients reach the server, where it is another one than it listens on."""
    database_url: str | None = None
    """`sqlite:////path/file`, or `postgresql://user@host/name`, which servers may share; a SQLite file in the data
    directory unless set."""
    redis_url: str | None = None
    """Where limits are counted for all servers that share it, a Redis or Valkey; in the database unless set."""
    auth: Literal["keys", "off"] = "keys"
    """`off` serves anyone who reaches the address, so it is refused on any but a loopback host."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks of proxies before the server: what they say in `x-forwarded-for` counts."""
    cors_origins: tuple[str, ...] = ("http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*")
    """Origins whose pages may call the API from a browser; `*` stands for anything."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Records below this level are not written."""
    log_format: Literal["auto", "text", "json"] = "auto"
    """`auto` writes text to a terminal and JSON elsewhere."""
    max_body_bytes: int = 64 * 2**20
    """A larger request body is refused."""
    keep_alive: float = 15.0
    """A silent stream gets a keep-alive after this long."""
    write_timeout: float = 120.0
    """A client that takes nothing of its stream for this long has gone."""
    shutdown_grace: float = 30.0
    """How long running requests may take to finish after SIGTERM."""
    body_timeout: float = 120.0
    """How long a client may take to send its body."""
    keep_bodies: Literal["off", "errors", "all"] = "off"
    """Whose requests and answers the request log keeps, redacted and encrypted; `errors` are those that failed."""
    max_kept_body_bytes: int = 2**18
    """A larger body is kept in part."""
    max_kept_bytes: int = 2**30
    """All kept bodies together; beyond it the oldest go."""
    request_log_days: float = 30.0
    """How long the calls of a request, and its bodies, are kept."""
    store_responses: bool = True
    """Keep the answers of `/v1/responses`, encrypted, for a day, so that clients can go on from them."""
    store_sessions: bool = True
    """Keep the sessions of `/v1/llm/chat/sessions`, encrypted, for a week after their last turn."""
    record_dir: Path | None = None
    """Where every request and its answer are written down, redacted, for `rixin serve --replay`."""

    @property
    def setup_token_file(self) -> Path:
        """Where what the first owner proves themselves with is written when no person reads along."""
        return self.data_dir / "setup-token"

    @property
    def shares_database(self) -> bool:
        """Whether other servers may use the same database."""
        return self.database_url is not None and not self.database_url.startswith("sqlite")


class Engine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The embedded engine: what all local models share."""

    default_model: str = DEFAULT_MODEL
    """The model that is pulled and served where neither providers nor models are configured."""
    memory_budget: int = 0
    """Bytes that loaded models may take together; 0 is three quarters of the machine's memory."""
    threads: int = 0
    """Threads that compute; 0 is the number of physical cores."""
    slots: int = 4
    """Requests that one model works on at a time."""
    queue: int = 64
    """Requests that may wait for one model; one more is refused."""
    queue_deadline: float = 60.0
    """Seconds that a request may wait."""
    load_deadline: float = 120.0
    """Seconds in which a model must be loaded."""
    first_token_deadline: float = 600.0
    """Seconds in which an answer must begin."""
    embedder_idle: float = 600.0
    """Seconds without a request after which the embedded embedding model is unloaded."""


class LocalModel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model file served by the embedded engine. None takes the engine's value or what the file says."""

    name: str
    """By which requests ask for it."""
    path: Path
    """Its GGUF file."""
    mmproj: Path | None = None
    """The projector that lets the model see images."""
    context_length: int | None = None
    """The window of one request, in tokens."""
    pool: int | None = None
    """Tokens that all running requests share; one window unless set."""
    max_output_length: int | None = None
    """Tokens that one answer may have."""
    slots: int | None = None
    """Requests that it works on at a time."""
    threads: int | None = None
    """Threads that compute."""
    chat_template: Path | None = None
    """A Jinja template instead of the file's own."""
    tool_format: Literal["native", "json"] = "json"
    """`json` also reads tool calls that a small model writes as JSON text."""
    strict: bool | Literal["opaque"] = False
    """Refuse fields that the model's documentation does not have; `opaque` without saying which."""
    keep_loaded: bool = False
    """Loaded at the start, and never unloaded for another model."""


class Media(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Images and videos of requests. Durations are seconds, sizes bytes."""

    private_hosts: tuple[str, ...] = ()
    """Hosts that may be fetched from although their addresses are private: names, `*.name`, addresses or networks."""
    ports: tuple[int, ...] = (80, 443)
    """Ports of public hosts that may be fetched from; private hosts may have any."""
    max_images: int = 100
    """Images that one request may have."""
    max_videos: int = 1
    """Videos that one request may have."""
    max_documents: int = 20
    """Documents that one request may have."""
    max_pages: int = 1000
    """Pages that one document may have."""
    max_characters: int = 2_000_000
    """Characters that are read of one document."""
    max_bytes: int = 45 * 2**20
    """All images, videos and documents of a request together."""
    max_pixels: int = 50_000_000
    """Pixels that one image may have."""
    max_video_seconds: float = 600.0
    """How long a video may be."""
    video_frames: int = 8
    """Images that a video becomes for models that see images only."""
    long_edge: int = 2048
    """Pixels of an image's longer edge; larger ones are reduced."""
    fetch_timeout: float = 30.0
    """How long fetching one image or video may take, redirects included."""
    decode_timeout: float = 15.0
    """How long decoding one may take."""
    decoders: int = 2
    """Processes that decode, started when they are needed."""
    decode_queue: int = 64
    """Images and videos that may wait for one of them; one more is refused."""
    vision_adapter: bool = False
    """Describe images and videos in words to models that take none: words in them and their places, colors, layout."""
    vision_timeout: float = 60.0
    """How long describing one image may take."""
    max_described_images: int = 20
    """Images that one request may have described."""
    recent_bytes: int = 64 * 2**20
    """Decoded images that are kept in memory, since conversations bring the same ones again; 0 keeps none."""


class Files(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Files that clients leave with the server. Durations are seconds, sizes bytes."""

    url: str | None = None
    """Where their bytes are kept: `s3://bucket/prefix`, or a directory; `<data_dir>/files` unless set."""
    options: dict[str, str] = {}
    """Of S3: `endpoint`, `region`, `access_key_id`, `secret_access_key`; what is not set is taken from `AWS_*`."""
    max_file_bytes: int = 512 * 2**20
    """A larger file is refused; some purposes have less."""
    max_account_bytes: int = 10 * 2**30
    """All files of one key together."""
    max_account_files: int = 10_000
    """How many files one key may have."""
    keep_images: bool = False
    """Keep a copy of every image that providers draw, and give links to that: it outlives theirs, which often end after
    an hour."""
    upload_timeout: float = 3600.0
    """How long an upload may take."""


class Telemetry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What operators see of the server."""

    metrics: bool = True
    """Count what happens, for Prometheus, and serve it at `/metrics`."""
    otlp_endpoint: str | None = None
    """Where traces are sent by OTLP over HTTP, such as `http://127.0.0.1:4318`; without it the variable
    `OTEL_EXPORTER_OTLP_ENDPOINT` says it, and without both there are none."""
    capture_content: bool = False
    """Have traces tell what was said, redacted."""


class Moderation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may not be asked or answered. Nothing is looked at unless `words` or `check_url` is set."""

    words: Path | None = None
    """A file of words and `/patterns/`, one a line, which is read at the start."""
    check_url: str | None = None
    """Where an own program is asked whether texts may pass."""
    check_key: str | None = None
    """Its bearer token."""
    check_deadline: float = 5.0
    """Seconds in which it must answer."""
    check_window: int = 400
    """Characters of an answer that are held back, to be checked together."""
    on_failure: Literal["closed", "open"] = "closed"
    """Whether texts pass that it cannot tell of: none does, or all do."""
    input: bool = True
    """Look at requests."""
    output: bool = True
    """Look at answers."""


Unit: TypeAlias = Literal["requests", "tokens", "concurrency", "credits", "money"]


Role: TypeAlias = Literal["owner", "admin", "auditor", "member"]


class Oidc(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Logging in by a provider of identities (OpenID Connect). It is off unless `issuer` is set."""

    issuer: str | None = None
    """The provider's address, under which it describes itself, such as `https://login.example.com`."""
    client_id: str = ""
    """By which the provider knows this server. Let it allow `<server.public_url>/admin/v1/oidc/callback`."""
    client_secret: str | None = None
    """What it has given this server with that; none for a public client."""
    name: str = "OpenID Connect"
    """What people call it."""
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    """What it is asked to tell of people."""
    allowed_domains: tuple[str, ...] = ()
    """Domains whose people become users when they first log in, by their verified e-mail addresses."""
    allowed_emails: tuple[str, ...] = ()
    """Such people, one by one. Where neither is set, only users that there are already can log in."""
    default_role: Role = "member"
    """What people are whom no claim makes anything else."""
    role_claim: str | None = None
    """The claim that says what people are, such as `groups`; where it is set, roles follow it at each login."""
    roles: dict[str, Role] = {}
    """What the values of that claim make people; of several the first in this table counts."""


class PlanLimit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One limit of a plan, of a provider (`limits` and `key_limits`), or of the whole server (`limits`).

    `window` is seconds and absent for `concurrency`; `model` narrows it to a model name or glob.
    """

    unit: Unit
    """What is counted; `concurrency` counts the requests that run at a time, `money` what they cost."""
    amount: int
    """How many are allowed; of `money` in millionths of a unit of `usage.currency`."""
    window: float | None = None
    """In how many seconds."""
    model: str | None = None
    """For which models, each counted apart; all together unless set."""


class ModelOverride(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What you know better of some of a provider's models than what it lists. None leaves it as it is."""

    name: str
    """A model's name, or a glob."""
    context_length: int | None = None
    """The window, in tokens."""
    max_output_length: int | None = None
    """Tokens that one answer may have."""
    input_modalities: tuple[str, ...] = ()
    """Of `text`, `image`, `audio`, `video`."""
    profile: dict[str, Any] = {}
    """What the upstream accepts for them; see docs/providers.md."""


class Provider(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An upstream that answers over HTTP. Durations are seconds."""

    name: str
    """Stands before a slash in `name/model`."""
    enabled: bool = True
    """Whether requests are sent to it."""
    base_url: str = ""
    """Where its routes are, such as `https://api.example.com/v1`; those of `preset` unless set."""
    preset: str | None = None
    """What is known of the provider, by name; found from the address unless set."""
    dialect: str = "openai_chat"
    """The API that it speaks."""
    api_keys: tuple[str, ...] = ()
    """Several make a pool. Write `${VARIABLE}` to keep them out of the file."""
    models: tuple[str, ...] = ()
    """The names of its models; what it lists unless set."""
    headers: dict[str, str] = {}
    """Sent with every request."""
    aliases: dict[str, str] = {}
    """Other names of its models; a name may be a glob such as `claude-*`."""
    overrides: tuple[ModelOverride, ...] = ()
    """What holds for some of its models; later ones win."""
    profile: dict[str, Any] = {}
    """What it accepts, where that is not what is known of it; see docs/providers.md."""
    connect_timeout: float = 10.0
    """Until a connection stands."""
    first_byte_timeout: float = 120.0
    """Until an answer begins."""
    idle_timeout: float = 120.0
    """Between two parts of an answer."""
    total_timeout: float = 3600.0
    """Until an answer is complete."""
    strict: bool | Literal["opaque"] = False
    """Refuse fields that the model's documentation does not have; `opaque` without saying which."""
    priority: int = 0
    """Of the providers that serve a model, those of the lowest number are asked first."""
    weight: float = 1.0
    """The share of requests among providers of one priority; 0 is asked when the others cannot answer."""
    limits: tuple[PlanLimit, ...] = ()
    """What it admits of all keys together; what would exceed that waits, or goes elsewhere."""
    key_limits: tuple[PlanLimit, ...] = ()
    """What it admits of each key."""
    queue: int = 64
    """Requests that may wait for a key while all of them are at their limits; one more is refused."""
    queue_deadline: float = 90.0
    """How long a request may wait in all, for a key or between two tries, until it is told when to come back."""
    retries: int = 2
    """How often a request is sent again after a failure of the provider; never once its answer has begun."""
    retry_share: float = 0.2
    """Tries again, as a part of all requests, so that an outage makes no storm."""

    @property
    def replay_dir(self) -> Path | None:
        """The directory of recordings that it answers from, where `base_url` is `replay:DIRECTORY`."""
        path = self.base_url.removeprefix(REPLAY)
        return None if path == self.base_url else Path(path).expanduser()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What it alone is told: its keys, and what its own headers hold."""
        return (*self.api_keys, *self.headers.values())


class RouteTarget(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of the models that answer together for NAME, which wins over what providers list, and over aliases.

    NAME may be a glob, which then counts as an alias does. None takes the provider's value.
    """

    model: str
    """As `provider/model`, or a name that providers list."""
    priority: int | None = None
    """Those of the lowest number are asked first."""
    weight: float | None = None
    """The share of requests among those of one priority."""


class ModelPrice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the models called NAME cost, in units of `usage.currency`, with up to six decimals.

    NAME is a provider's own name for a model, or a glob, either with or without `provider/` before it. A name goes
    before globs; of these the first one that fits counts.
    """

    prompt: str | float = 0.0
    """A million prompt tokens."""
    completion: str | float = 0.0
    """A million completion tokens, those of reasoning included."""
    cached: str | float | None = None
    """A million prompt tokens that the upstream had in its cache; as others unless set."""
    request: str | float = 0.0
    """One request that was served, beside its tokens."""


class UsageKeeping(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept of what requests used."""

    currency: str = "USD"
    """Of all prices and costs; its code of three letters."""
    days: float | None = None
    """How long the row of each request is kept; for good unless set."""
    sum_days: float | None = None
    """How long the sums of hours and days are kept; for good unless set."""


class Plan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A named set of limits that keys are given."""

    limits: tuple[PlanLimit, ...]
    """All of them hold."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings of one server."""

    server: Server = field(default_factory=Server)
    engine: Engine = field(default_factory=Engine)
    providers: tuple[Provider, ...] = ()
    models: tuple[LocalModel, ...] = ()
    media: Media = field(default_factory=Media)
    files: Files = field(default_factory=Files)
    moderation: Moderation = field(default_factory=Moderation)
    telemetry: Telemetry = field(default_factory=Telemetry)
    oidc: Oidc = field(default_factory=Oidc)
    aliases: dict[str, str] = {}
    """Other names of models, in order; a name may be a glob such as `claude-*`."""
    routes: dict[str, tuple[RouteTarget, ...]] = {}
    """Names that several models answer, before any list or alias."""
    plans: dict[str, Plan] = {}
    limits: tuple[PlanLimit, ...] = ()
    """What the whole server admits, of all keys together."""
    credits: dict[str, int] = {}
    """What one request for a model costs in credits, by its name, a route's, or a glob; 1 unless set."""
    prices: dict[str, ModelPrice] = {}
    """What models cost, by their names or globs."""
    usage: UsageKeeping = field(default_factory=UsageKeeping)
    secret_key: str | None = None
    """The root secret as base64 or 64 hex digits; `<data_dir>/secret.key` unless set."""

    @property
    def models_dir(self) -> Path:
        """Where weights are kept."""
        return self.server.models_dir or self.server.data_dir / "models"

    @property
    def files_dir(self) -> Path:
        """Where the bytes of files are kept, unless the settings name another place."""
        return self.server.data_dir / "files"

    @property
    def journals_dir(self) -> Path:
        """Where the processes of this machine keep their usage journals."""
        return self.server.data_dir / "journal"

    @property
    def first_key_file(self) -> Path:
        """Where the first key of a new server is written when no person reads along."""
        return self.server.data_dir / "first-key"

    @property
    def loopback_only(self) -> bool:
        """Whether only programs on this machine can reach the server."""
        return self.server.host in LOOPBACK_HOSTS


TABLES = (
    Server,
    Engine,
    LocalModel,
    Media,
    Files,
    Moderation,
    Telemetry,
    Oidc,
    Provider,
    ModelOverride,
    RouteTarget,
    PlanLimit,
    Plan,
    ModelPrice,
    UsageKeeping,
)
"""The tables of the settings."""
