"""Fixtures of the strip: a run with scalars, opened."""

import pytest
from dashboard import Dashboard, unique_run
from heatmap_view import Heatmap, post_steps
from strip_view import Strip, scalar_steps, scalars


@pytest.fixture
def heatmap(page):
    return Heatmap(page)


@pytest.fixture
def strip(page):
    return Strip(page)


@pytest.fixture
def opened(page, server, heatmap, strip):
    """Posts steps of 12 layers with three scalars, opens the run and waits until both pictures have them."""

    # The number of columns depends on the width, which the depth profile would take a part of.
    page.add_init_script("localStorage.setItem('nnmonitor.heatmap.profile', 'false')")

    def opened(steps, layers=12, values=scalars, first=0, columns=None):
        run = unique_run("strip")
        post_steps(server, run, scalar_steps(layers, steps, first, values))
        page.goto(f"{server.url}/#run={run}")
        Dashboard(page, server).expect_step(first + steps - 1)
        heatmap.expect_columns(columns or steps)
        return run

    return opened
