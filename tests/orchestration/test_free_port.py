"""What a user is told if no port is free."""

import pytest

from mirpipe.errors import ConfigurationError
from mirpipe.orchestration import free_port
from mirpipe.settings import Settings


def test_the_message_names_every_setting_of_a_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_port, "is_port_free", lambda *_: False)
    with pytest.raises(ConfigurationError) as refused:
        free_port.reserve_free_port(8700, bind="127.0.0.1")
    ports = [name for name in Settings.model_fields if name.endswith("_port")]
    assert "MIRPIPE_LISTENING_PORT" in str(refused.value)
    assert all(f"MIRPIPE_{name.upper()}" in str(refused.value) for name in ports)
