"""Other servers of the kind, each with an environment of its own: never a dependency of this project."""

import contextlib
import json
import shutil
import subprocess
import sys
import venv
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.build import HOME
from bench.processes import Process
from bench.targets import SERVER_CORE, Target, free_port, request, wait_until

ENVIRONMENTS = HOME.parent / ".cache" / "peers"
TEMPLATES = HOME / "peers"
PLAIN_PROXY = "nginx"
"""What does nothing but pass requests on: the limit of what any server can do."""


class NotInstalledError(Exception):
    """A peer that this machine cannot get."""


@dataclass(frozen=True)
class Peer:
    """How one is installed and started.

    In its command, environment, headers and template stand `{port}`, `{up}` (the upstream's port), `{metrics}` (a free
    port), `{run}` (a folder), `{config}` (the filled template), `{home}` (its environment) and `{templates}`.
    """

    command: tuple[str, ...]
    pip: str = ""
    """The requirement that pip installs, with its version."""
    npm: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    """What npm installs: `dependencies` and `overrides`."""
    template: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    path: str = "/v1/chat/completions"
    prefix: str = ""
    """What stands before the names of models."""
    chooses_port: bool = False
    """Whether it writes its port to `{run}/port`, and takes none."""
    slow: bool = False
    """Whether it answers hundreds of requests a second rather than thousands."""

    @property
    def what(self) -> str:
        """What is installed, with its version; empty for a program of the system."""
        return self.pip or " ".join(f"{name} {version}" for name, version in self.npm.get("dependencies", {}).items())


_ROUTER = ("--host", "127.0.0.1", "--port", "{port}", "--worker-urls", "http://127.0.0.1:{up}")
_ROUTER_POLICY = ("--policy", "round_robin", "--disable-retries", "--prometheus-port", "{metrics}")
_ONE_THREAD = {"TOKIO_WORKER_THREADS": "1"}

PEERS: Mapping[str, Peer] = {
    PLAIN_PROXY: Peer(("nginx", "-c", "{config}", "-p", "{run}"), template="nginx.conf"),
    "haproxy": Peer(("haproxy", "-db", "-f", "{config}"), template="haproxy.cfg"),
    "litellm": Peer(
        ("{home}/bin/litellm", "--config", "{config}", "--host", "127.0.0.1", "--port", "{port}", "--num_workers", "1"),
        pip="litellm[proxy]==1.104.0",
        template="litellm.yaml",
        headers={"authorization": "Bearer sk-bench"},
        environment={
            "LITELLM_LOG": "ERROR",
            "LITELLM_MODE": "PRODUCTION",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_TELEMETRY": "False",
            "NO_PROXY": "*",
        },
        slow=True,
    ),
    "portkey": Peer(
        (
            "node",
            "{home}/node_modules/@portkey-ai/gateway/build/start-server.js",
            "--port={port}",
            "--headless",
        ),
        # Newer ones of the overridden package break its streams.
        npm={
            "dependencies": {"@portkey-ai/gateway": "1.15.2"},
            "overrides": {"@hono/node-server": "1.13.8"},
        },
        headers={
            "x-portkey-provider": "openai",
            "x-portkey-custom-host": "http://127.0.0.1:{up}/v1",
            "authorization": "Bearer sk-upstream",
        },
        environment={"NODE_ENV": "production", "TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost"},
        slow=True,
    ),
    "tensorzero": Peer(
        ("{home}/bin/python", "{templates}/tensorzero_gateway.py", "{config}", "{run}/port"),
        pip="tensorzero==2026.6.0",
        template="tensorzero.toml",
        path="/openai/v1/chat/completions",
        prefix="tensorzero::model_name::",
        chooses_port=True,
    ),
    "vllm-router": Peer(
        ("{home}/bin/vllm-router", *_ROUTER, *_ROUTER_POLICY), pip="vllm-router==0.1.17", environment=_ONE_THREAD
    ),
    "smg": Peer(
        ("{home}/bin/smg", "launch", *_ROUTER, "--backend", "openai", *_ROUTER_POLICY, "--disable-health-check"),
        pip="smg==1.13.0",
        environment=_ONE_THREAD,
    ),
}


def install(name: str) -> Path:
    """Gets a peer into an environment of its own, unless it is there.

    Returns:
        The folder of that environment.

    Raises:
        NotInstalledError: It cannot be had, and why.
    """
    wanted, home = PEERS[name], ENVIRONMENTS / name
    if not wanted.pip and not wanted.npm:
        if shutil.which(wanted.command[0]) is None:
            raise NotInstalledError(f"{wanted.command[0]} is not on the PATH; the system's packages have it")
        return home
    stamp = home / "installed"
    if stamp.exists() and stamp.read_text() == wanted.what:
        return home
    home.mkdir(parents=True, exist_ok=True)
    if wanted.npm:
        (home / "package.json").write_text(json.dumps({"private": True, **wanted.npm}))
        npm = shutil.which("npm")
        if npm is None:
            raise NotInstalledError("npm is not on the PATH")
        command = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund"]
    else:
        venv.create(home, with_pip=True, symlinks=True, clear=True)
        command = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", wanted.pip]
    print(f"# installing {wanted.what} into {home}", file=sys.stderr, flush=True)
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotInstalledError(f"{wanted.what} cannot be installed: {done.stderr.strip().splitlines()[-1]}")
    stamp.write_text(wanted.what)
    return home


@contextlib.contextmanager
def peer(name: str, upstream_port: int, folder: Path) -> Generator[Target]:
    """A peer in front of the scripted upstream, on the core of the server.

    Raises:
        NotInstalledError: It cannot be had.
    """
    home, wanted, port = install(name), PEERS[name], free_port()
    run = folder / name
    run.mkdir()
    config = run / (wanted.template or "none")
    values = {
        "port": port,
        "up": upstream_port,
        "metrics": free_port(),
        "run": run,
        "config": config,
        "home": home,
        "templates": TEMPLATES,
    }

    def fill(text: str) -> str:
        for key, value in values.items():
            text = text.replace(f"{{{key}}}", str(value))
        return text

    if wanted.template:
        config.write_text(fill((TEMPLATES / wanted.template).read_text()))
    command = [*map(fill, wanted.command)]
    environment = {key: fill(value) for key, value in wanted.environment.items()}
    process = Process(command, log=run / "log", cores=SERVER_CORE, environment=environment, folder=run)
    headers = {key: fill(value) for key, value in wanted.headers.items()}
    body = {"model": f"{wanted.prefix}mock", "messages": [{"role": "user", "content": "hello"}]}
    try:
        if wanted.chooses_port:
            wait_until(process, name, (run / "port").exists, pause=0.05)
            port = int((run / "port").read_text())
        target = Target(name, port, process, headers, chat_path=wanted.path, prefix=wanted.prefix, slow=wanted.slow)
        wait_until(process, name, lambda: request(port, "POST", wanted.path, body, headers)[0] == 200, pause=0.05)
        yield target
    finally:
        process.stop()
