"""Fixtures of the tests of layers: a page in which no metrics were chosen yet."""

import pytest
from layers_view import Layers


@pytest.fixture
def has_chosen_metrics():
    return False


@pytest.fixture
def layers(page, server):
    """The layers of the runs that a test opens."""
    return Layers(page, server)
