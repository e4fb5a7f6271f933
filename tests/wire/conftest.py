"""Names of a test's own: with --server kafka all tests share one server."""
import uuid

import pytest


@pytest.fixture
def topic():
    return f"topic-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def group():
    return f"group-{uuid.uuid4().hex[:8]}"
