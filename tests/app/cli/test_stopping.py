"""A process that is asked to stop stops, however often and in whichever moment it is asked."""

import signal
import subprocess
import sys

WAITS = """
import sys
from clipcast.cli.stopping import asked_to_stop
with asked_to_stop() as asked:
    print("waits", flush=True)
    asked.wait()
    sys.stdin.read()  # until every signal was sent: after this block, SIGTERM kills
"""


def test_signals_that_arrive_inside_each_others_handlers_stop_it_all_the_same() -> None:
    for _ in range(5):  # one round alone misses the moment now and then
        with subprocess.Popen([sys.executable, "-c", WAITS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "waits\n"
            try:
                for _ in range(1000):
                    process.send_signal(signal.SIGTERM)
                process.communicate(timeout=30)
            finally:
                process.kill()
        assert process.returncode == 0
