import subprocess
import sys

LOOKED_AT = """
import gc
from bot.serve import keep_what_is_loaded

before = len(gc.get_objects())
keep_what_is_loaded()
print(before, len(gc.get_objects()))
"""


def test_a_full_collection_does_not_look_at_what_was_loaded_to_start():
    told = subprocess.run([sys.executable, "-c", LOOKED_AT], check=True, capture_output=True, text=True)
    before, after = map(int, told.stdout.split())
    assert after < before / 100
