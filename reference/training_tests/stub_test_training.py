"""Does a text become batches, a loss and steps as it should? That is for you to write."""

import pytest


def test_training():
    pytest.fail("not written yet")
