from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace

from mobilenet_tvm.places.conditions import busy_cores, busy_warning, conditions


def test_a_busy_machine_is_noticed() -> None:
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as burner:
        time.sleep(1)
        busy = busy_cores()
        burner.kill()
    assert busy is not None
    assert 0.3 < busy <= (os.cpu_count() or 1) + 0.1


def test_conditions_name_the_cpu() -> None:
    found = conditions()
    assert found["cpu"] != "unknown"
    assert found["cores"] >= 1
    assert len(found["load_average"]) == 3


def test_a_warning_only_where_the_machine_is_busy() -> None:
    now = conditions()
    assert busy_warning(replace(now, busy=False, busy_cores=0.1)) is None
    assert "1.5 of this machine's cores" in str(busy_warning(replace(now, busy=True, busy_cores=1.5)))
