"""The files of deploy/ speak of settings, metrics and commands that exist."""

import json
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from celery.bin.celery import celery as celery_command

from clipcast.db.engine import Database
from clipcast.platforms.registry import live_platforms
from clipcast.settings import Settings, load_settings
from clipcast.telemetry.collectors import Installation
from clipcast.telemetry.metrics import Metrics
from clipcast.worker.broker import QUEUES
from conftest import REQUIRE_ALL, MovableClock

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PROMETHEUS_OWN = frozenset({"up", "process_resident_memory_bytes", "process_cpu_seconds_total"})


@pytest.fixture
def compose() -> Any:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def expressions() -> list[str]:
    alerts = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())
    dashboard = json.loads((DEPLOY / "grafana" / "dashboards" / "clipcast.json").read_text())
    rules = [rule["expr"] for group in alerts["groups"] for rule in group["rules"]]
    return rules + [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]


def test_alerts_and_panels_speak_of_metrics_that_exist(db: Database, clock: MovableClock) -> None:
    registry = Metrics(Installation(db, clock, live_platforms(load_settings()))).registry
    families = {family.name: family.type for family in registry.collect()}
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}
    there = {f"{name}{suffix}" for name, kind in families.items() for suffix in suffixes.get(kind, ("",))}

    used = {name for text in expressions() for name in re.findall(r"\b(?:clipcast|process)_\w+|\bup\b", text)}

    assert len(used) > 15
    assert used <= there | PROMETHEUS_OWN


def test_every_setting_of_the_files_exists(compose: Any) -> None:
    texts = [path.read_text() for path in [DEPLOY / "compose.yaml", DEPLOY / "Dockerfile", *DEPLOY.glob("systemd/*.service")]]
    named = {name.removesuffix("_FILE") for text in texts for name in re.findall(r"\bCLIPCAST_([A-Z_]+)\b", text)}
    secrets = {Path(each["file"]).name for each in compose["secrets"].values()}

    assert {name.lower() for name in named} <= Settings.model_fields.keys()
    assert {name for service in compose["services"].values() for name in service.get("secrets", [])} <= compose["secrets"].keys()
    assert all(f"once {name} " in (DEPLOY / "make-secrets").read_text() for name in secrets)


def test_nothing_listens_beyond_this_machine(compose: Any) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]

    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_secrets_are_made_once_and_stay(tmp_path: Path) -> None:
    shutil.copy(DEPLOY / "make-secrets", tmp_path)
    subprocess.run([tmp_path / "make-secrets"], check=True, capture_output=True)
    secrets = tmp_path / "secrets"
    first = {path.name: path.read_bytes() for path in secrets.iterdir()}

    subprocess.run([tmp_path / "make-secrets"], check=True, capture_output=True)

    assert {path.name: path.read_bytes() for path in secrets.iterdir()} == first
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    for name in ("database_url", "broker_url", "redis_url", "secret_key", "credential_keys"):
        settings = load_settings(**{name: first[name].decode()})
        assert getattr(settings, name)


def test_the_alerts_do_what_their_own_tests_say() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        assert not REQUIRE_ALL, "promtool is missing, and CLIPCAST_TEST_REQUIRE=all wants every check; Debian has it in prometheus"
        pytest.skip("promtool is not installed, so the alert rules were not tried (Debian: apt install prometheus)")

    answer = subprocess.run(
        [promtool, "test", "rules", "alerts_test.yml"],
        cwd=DEPLOY / "prometheus",
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_every_alert_is_tried() -> None:
    alerts = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())
    tried = yaml.safe_load((DEPLOY / "prometheus" / "alerts_test.yml").read_text())

    names = {rule["alert"] for group in alerts["groups"] for rule in group["rules"]}

    assert {case["alertname"] for test in tried["tests"] for case in test["alert_rule_test"]} == names


def test_every_queue_has_a_unit_with_a_name_that_systemd_takes() -> None:
    """A comma would be escaped, and no queue is called that."""
    text = (DEPLOY / "systemd" / "clipcast-worker@.service").read_text()
    named = re.search(r"clipcast-worker@\{([^}]*)\}", text)

    assert named
    assert set(named.group(1).split(",")) == {str(name) for name in QUEUES}


@pytest.mark.parametrize("service", ["flower", "redis"])
def test_no_secret_stands_among_the_arguments_of_a_process(compose: Any, tmp_path: Path, service: str) -> None:
    """What the command starts is replaced by a program that shows its arguments and what it was told otherwise."""
    secret = "marker-pa55word"
    for name in compose["secrets"]:
        (tmp_path / name).write_text(secret)
    for program in ("celery", "redis-server"):
        (tmp_path / program).write_text('#!/bin/sh\necho "arguments: $*"\necho "environment: $BROKER_URL"\n[ "$1" = - ] && cat\nexit 0\n')
        (tmp_path / program).chmod(0o755)
    shell, flag, script = compose["services"][service]["command"]
    script = script.replace("$$", "$").replace("/run/secrets", str(tmp_path))

    said = subprocess.run(
        [shell, flag, script], env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}, capture_output=True, text=True, check=True
    ).stdout.splitlines()

    assert secret not in said[0]
    assert secret in "".join(said[1:])


def test_celery_takes_its_broker_from_the_environment() -> None:
    """By this name, before any command of it: `flower` comes with the image and is none of our packages."""
    option = next(each for each in celery_command.params if each.name == "broker")

    assert option.envvar == "BROKER_URL"


def test_every_process_may_open_many_files(compose: Any) -> None:
    """The server lets connections have a quarter of what it may open."""
    units = [path.read_text() for path in DEPLOY.glob("systemd/*.service")]

    assert len(units) == 3
    assert all("\nLimitNOFILE=65536\n" in unit for unit in units)
    assert compose["services"]["server"]["ulimits"]["nofile"] == 65536
