"""Files to copy."""

from pathlib import Path

#: A workflow that gates every pull request.
WORKFLOW = Path(__file__).parent / "lapmark-gate.yml"
