"""validate.py FILE SECONDS: prints the microseconds of CPU pydantic takes to validate a payload from its JSON."""

import sys
import time
from pathlib import Path

from models import Payload

body = Path(sys.argv[1]).read_bytes()
count, begin = 0, time.process_time()
while time.process_time() - begin < float(sys.argv[2]):
    Payload.model_validate_json(body)
    count += 1
print((time.process_time() - begin) / count * 1e6)
