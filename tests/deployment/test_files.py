"""The files of deploy/ and their like, held against the programs that will read them, where those can be had."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from ruamel.yaml import YAML

from rixin.settings import Server, load
from tests.support.nginx import adapted
from tests.support.server import ROOT

KUBERNETES = ROOT / "deploy" / "kubernetes"
UNIT = ROOT / "deploy" / "systemd" / "rixin.service"
COMPOSE = ("compose.yaml", "deploy/compose/cluster.yaml")
MOST_EXPOSED = 20
"""What `systemd-analyze security` may say at most, of 100."""

Find = Callable[[str], str]


def run(*command: str, cwd: Path = ROOT) -> str:
    """What a program prints; it must succeed."""
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=cwd, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def own(name: str) -> str:
    """A program of the development environment."""
    return str(Path(sys.executable).parent / name)


def read(path: Path) -> dict[str, Any]:
    """What a file of YAML holds."""
    held: dict[str, Any] = YAML(typ="safe").load(path)  # pyright: ignore[reportUnknownMemberType] - it has no types
    return held


def resources() -> dict[str, list[dict[str, Any]]]:
    """What kustomize applies, by kind."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name in read(KUBERNETES / "kustomization.yaml")["resources"]:
        resource = read(KUBERNETES / name)
        found.setdefault(resource["kind"], []).append(resource)
    return found


def test_the_image() -> None:
    """Hadolint finds nothing; it ends as somebody without rights."""
    run(own("hadolint"), "Dockerfile")
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("USER ")] == ["USER 10001:10001"]
    assert not [line for line in lines if line.startswith(("ADD ", "FROM ")) and (":latest" in line or "://" in line)]


@pytest.mark.parametrize("file", COMPOSE)
def test_compose(file: str, program: Find) -> None:
    """Dclint finds nothing; every service of ours is read-only and without capabilities."""
    run(program("dclint"), "--max-warnings", "0", file)
    text = (ROOT / file).read_text(encoding="utf-8")
    assert text.count("read_only: true") == text.count("cap_drop:") == 1
    for source in re.findall(r"- (\.[\w./-]+):/", text):
        assert ((ROOT / file).parent / source).exists()


def test_the_counts_of_two_servers_outlive_a_power_cut() -> None:
    """What counts for both is told all that the page about quotas asks of it, and writes to a volume."""
    page = (ROOT / "docs" / "quotas.md").read_text(encoding="utf-8")
    asked = re.findall(r"`(append\w+|maxmemory-policy) (\w+)`", page)
    assert {name for name, _ in asked} == {"appendonly", "appendfsync", "maxmemory-policy"}
    valkey = read(ROOT / "deploy" / "compose" / "cluster.yaml")["services"]["valkey"]
    _, *given = valkey["command"]
    assert dict(zip(given[::2], given[1::2], strict=True)) == {f"--{name}": value for name, value in asked}
    assert valkey["volumes"] == ["valkey:/data"]


def test_kubernetes(program: Find) -> None:
    """The schemas of Kubernetes take every resource, and kustomize knows them all."""
    files = sorted(path for path in KUBERNETES.glob("*.yaml") if path.name != "kustomization.yaml")
    run(own("kubernetes-validate"), "--strict", *map(str, files))
    named = re.findall(r"^  - (\S+)$", (KUBERNETES / "kustomization.yaml").read_text(encoding="utf-8"), re.MULTILINE)
    assert {path.name for path in files} - set(named) == {"secret.example.yaml"}


def test_the_data_of_a_pod_outlive_it() -> None:
    """They are in a volume of their own that stays when the pod goes, and is given to the next one of its name."""
    [data_dir] = re.findall(r"RIXIN_DATA_DIR=(\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    found = resources()
    assert "Deployment" not in found
    [workload] = found["StatefulSet"]
    claimed = {claim["metadata"]["name"]: claim["spec"] for claim in workload["spec"]["volumeClaimTemplates"]}
    pod = workload["spec"]["template"]["spec"]
    for container in (*pod["initContainers"], *pod["containers"]):
        [mount] = [mount for mount in container["volumeMounts"] if mount["mountPath"] == data_dir]
        assert claimed[mount["name"]]["accessModes"] == ["ReadWriteOnce"]
        assert mount["name"] not in {volume["name"] for volume in pod["volumes"]}  # which would be taken instead
    assert set(workload["spec"]["persistentVolumeClaimRetentionPolicy"].values()) == {"Retain"}


def test_what_chooses_pods_finds_them() -> None:
    """Services, the budget of disruptions and the policy of the network mean the pods, whose names are a service's."""
    found = resources()
    [workload] = found["StatefulSet"]
    labels = workload["spec"]["template"]["metadata"]["labels"]
    budgets = [budget["spec"]["selector"] for budget in found["PodDisruptionBudget"]]
    policies = [policy["spec"]["podSelector"] for policy in found["NetworkPolicy"]]
    for chosen in (workload["spec"]["selector"], *budgets, *policies):
        assert chosen == {"matchLabels": labels}
    services = {service["metadata"]["name"]: service["spec"] for service in found["Service"]}
    assert [service["selector"] for service in services.values()] == [labels] * len(services)
    headless = [name for name, service in services.items() if service.get("clusterIP") == "None"]
    assert headless == [workload["spec"]["serviceName"]]


def test_the_settings_of_the_pods(tmp_path: Path) -> None:
    """They are valid, and the pod has the time that they give to requests."""
    text = (KUBERNETES / "configmap.yaml").read_text(encoding="utf-8").partition("rixin.toml: |\n")[2]
    path = tmp_path / "rixin.toml"
    path.write_text(re.sub("^    ", "", text, flags=re.MULTILINE), encoding="utf-8")
    settings = load(path, environ={"SENSENOVA_API_KEY": "sk-x"})
    pod = resources()["StatefulSet"][0]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    waits = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] >= settings.server.shutdown_grace + waits + 10
    assert settings.server.host == "0.0.0.0"


def test_systemd(program: Find, tmp_path: Path) -> None:
    """Systemd takes the unit, calls it little exposed, and waits for running requests."""
    text = UNIT.read_text(encoding="utf-8")
    unit = tmp_path / UNIT.name
    unit.write_text(text.replace("/opt/rixin/bin/rixin", own("rixin")), encoding="utf-8")
    analyze = program("systemd-analyze")
    run(analyze, "verify", "--man=no", str(unit))
    run(analyze, "security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(unit))
    [stops] = re.findall(r"TimeoutStopSec=(\d+)", text)
    assert int(stops) > Server().shutdown_grace + 10


def test_nginx(program: Find, tmp_path: Path) -> None:
    """Nginx takes the configuration. Its reading and more is tested by a rolling restart."""
    (tmp_path / "rixin.conf").write_text(adapted(["http://127.0.0.1:1", "http://127.0.0.1:2"], 3), encoding="utf-8")
    main = tmp_path / "nginx.conf"
    main.write_text(f"pid {tmp_path}/pid; events {{}} http {{ include {tmp_path}/rixin.conf; }}", encoding="utf-8")
    subprocess.run([program("nginx"), "-t", "-q", "-c", str(main), "-e", str(tmp_path / "log")], check=True, timeout=20)


def test_the_bill_of_materials(tmp_path: Path) -> None:
    """CycloneDX takes it; it names every package of the lock, each with hashes."""
    path = tmp_path / "sbom.json"
    run(sys.executable, "deploy/sbom.py", str(path))
    text = path.read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    lock = (ROOT / "requirements" / "rixin.txt").read_text(encoding="utf-8")
    components = json.loads(text)["components"]
    assert len(components) == len(re.findall(r"^[a-z0-9].*==", lock, re.MULTILINE))
    assert sum(len(component["externalReferences"]) for component in components) == lock.count("--hash=sha256:")


def test_the_locks_name_no_address() -> None:
    """Packages come from whichever index the machine is set up with, and only with their hashes."""
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert "://" not in text
        assert "--hash=sha256:" in text
    for path in ROOT.glob("tests/**/package-lock.json"):
        if "node_modules" not in path.parts:
            assert '"resolved"' not in path.read_text(encoding="utf-8")
