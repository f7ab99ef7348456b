"""The S3 login of stages comes from an Airflow connection."""

import json

import pytest

from mirpipe.errors import ConfigurationError
from mirpipe.orchestration import stage_subprocess
from mirpipe.orchestration.s3_connection import with_s3_login
from mirpipe.settings import settings
from tests.orchestration.conftest import FakeStage

CONNECTION = {
    "conn_type": "aws",
    "login": "key-of-the-library",
    "password": "secret/of+the library",
    "extra": {"region_name": "eu-central-1", "endpoint_url": "http://minio.example:9000"},
}
EXPECTED = {
    "AWS_ACCESS_KEY_ID": "key-of-the-library",
    "AWS_SECRET_ACCESS_KEY": "secret/of+the library",
    "AWS_REGION": "eu-central-1",
    "AWS_ENDPOINT_URL": "http://minio.example:9000",
}


def use_connection(monkeypatch: pytest.MonkeyPatch, connection: dict[str, object]) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_MUSIC", json.dumps(connection))
    monkeypatch.setenv("MIRPIPE_S3_CONNECTION", "music")
    settings.cache_clear()


def test_a_stage_gets_the_login_and_not_the_connection(
    stage: FakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_connection(monkeypatch, CONNECTION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-another")
    stage_subprocess.run_stage("retrieve")
    environment = stage.calls[0]["environment"]
    assert {name: environment[name] for name in EXPECTED} == EXPECTED
    assert environment.keys().isdisjoint({"AIRFLOW_CONN_MUSIC", "AWS_SESSION_TOKEN"})
    assert "secret" not in str(stage.calls[0]["arguments"])


def test_a_connection_without_a_login_leaves_it_to_the_role_of_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_connection(monkeypatch, {"conn_type": "aws", "extra": {"region_name": "eu-central-1"}})
    assert with_s3_login({"AWS_ACCESS_KEY_ID": "k"}) == {"AWS_REGION": "eu-central-1"}


def test_only_the_region_the_endpoint_and_the_role_of_the_machine_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_connection(monkeypatch, {"conn_type": "aws", "extra": {"region_name": "eu-central-1"}})
    environment = {
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": "http://minio.example:9000",
        "AWS_ENDPOINT_URL_S3": "http://other.example",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/token",
        "AWS_SKIP_SIGNATURE": "true",
        "AWS_TOKEN": "of-another",
        "HOME": "/home",
    }
    assert with_s3_login(environment) == {
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": "http://minio.example:9000",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/token",
        "HOME": "/home",
    }


def test_without_a_connection_the_environment_is_used() -> None:
    assert with_s3_login({"AWS_SESSION_TOKEN": "t"}) == {"AWS_SESSION_TOKEN": "t"}


def test_a_missing_connection_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRPIPE_S3_CONNECTION", "music")
    settings.cache_clear()
    with pytest.raises(ConfigurationError, match=r"no connection 'music'\. Add it"):
        with_s3_login({})


def test_an_option_that_would_have_no_effect_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    use_connection(monkeypatch, CONNECTION | {"extra": {"role_arn": "arn:aws:iam::1:role/r"}})
    with pytest.raises(ConfigurationError, match="cannot use: role_arn"):
        with_s3_login({})
