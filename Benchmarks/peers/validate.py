"""validate.py FILE SECONDS: prints the microseconds pydantic takes to validate a payload from its JSON."""

import sys
import time
from pathlib import Path

from models import Payload

body = Path(sys.argv[1]).read_bytes()
count, begin = 0, time.perf_counter()
while time.perf_counter() - begin < float(sys.argv[2]):
    Payload.model_validate_json(body)
    count += 1
print((time.perf_counter() - begin) / count * 1e6)
