"""Files to copy into a project that has a gate: workflows of GitHub, and a job of GitLab."""

from pathlib import Path

#: A workflow that gates every pull request.
WORKFLOW = Path(__file__).parent / "lapmark-gate.yml"

#: A workflow that comments on the pull request afterwards.
COMMENT = Path(__file__).parent / "lapmark-comment.yml"

#: A job that gates every merge request.
GITLAB = Path(__file__).parent / "lapmark-gate.gitlab-ci.yml"
