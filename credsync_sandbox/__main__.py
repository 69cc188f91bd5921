"""`python -m credsync_sandbox`."""

import sys

from credsync_sandbox.main import main

sys.exit(main())
