"""A real nginx with the configuration that we ship, before servers of a test."""

import re
import subprocess
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.server import ROOT

FOLDER = ROOT / "deploy" / "nginx"
_SERVER = re.compile(r"^(    server )rixin-\d+:8700( .*)$", re.MULTILINE)
_MAIN = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr notice;
events {{ worker_connections 512; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/rixin.conf;
}}
"""


def adapted(servers: Sequence[str], port: int) -> str:
    """Our configuration with other addresses: those of servers, and the port to listen on."""
    text = "".join((FOLDER / name).read_text(encoding="utf-8") for name in ("upstream.conf", "rixin.conf"))
    lines = _SERVER.findall(text)
    assert len(lines) == len(servers)
    addresses = iter(servers)
    text = _SERVER.sub(lambda line: f"{line[1]}{urlsplit(next(addresses)).netloc}{line[2]}", text)
    assert text.count("listen 8080;") == 1
    return text.replace("listen 8080;", f"listen 127.0.0.1:{port};")


@contextmanager
def nginx(program: str, servers: Sequence[str], port: int, folder: Path) -> Generator[str]:
    """Runs nginx before servers; gives its address.

    Args:
        program: The executable.
        servers: The addresses of the servers.
        port: Where to listen.
        folder: For its files.
    """
    (folder / "rixin.conf").write_text(adapted(servers, port), encoding="utf-8")
    main = folder / "nginx.conf"
    main.write_text(_MAIN.format(folder=folder), encoding="utf-8")
    command = [program, "-c", str(main), "-p", str(folder), "-e", "stderr"]
    subprocess.run([*command, "-t"], check=True, capture_output=True, timeout=20)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        reader = threading.Thread(target=process.stderr.read, daemon=True)
        try:
            # Whoever listens only says so in the log, once it works.
            told = next((line for line in process.stderr if "start worker process" in line), None)
            assert told is not None, "nginx has not started"
            reader.start()
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)
            if reader.is_alive():
                reader.join(20)
