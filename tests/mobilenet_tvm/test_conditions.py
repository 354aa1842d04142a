from __future__ import annotations

import multiprocessing
import os
import time

from mobilenet_tvm.conditions import busy_cores, busy_warning, conditions


def _burn(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def test_a_busy_machine_is_noticed() -> None:
    burner = multiprocessing.get_context("spawn").Process(target=_burn, args=(3,))
    burner.start()
    time.sleep(1)
    busy = busy_cores()
    burner.kill()
    burner.join()
    assert busy is not None
    assert 0.3 < busy <= (os.cpu_count() or 1) + 0.1


def test_conditions_name_the_cpu() -> None:
    found = conditions()
    assert found["cpu"] != "unknown"
    assert found["cores"] >= 1
    assert len(found["load_average"]) == 3


def test_a_warning_only_where_the_machine_is_busy() -> None:
    assert busy_warning({"busy": False, "busy_cores": 0.1}) is None
    assert "1.5 of this machine's cores" in str(busy_warning({"busy": True, "busy_cores": 1.5}))
