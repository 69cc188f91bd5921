"""The scene and the sandbox of tests/operate, for rounds."""

from tests.operate.conftest import hubspot, one_postgres, sandbox, scene

__all__ = ["hubspot", "one_postgres", "sandbox", "scene"]
