"""A runtime with a connection for everybody in the crowd."""

import pytest

from preceptor.kit.runtime import Runtime
from tests.races.crowd import CROWD
from tests.races.scene import MakeRuntime


@pytest.fixture
def runtime(open_runtime: MakeRuntime) -> Runtime:
    return open_runtime(database_connections_max=CROWD)
