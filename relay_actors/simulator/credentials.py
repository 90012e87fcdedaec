"""Who may log in. Layer: simulator, pure. Source: PROTOCOL 3.1, 19.1."""

from __future__ import annotations

from dataclasses import dataclass

from relay_actors.protocol.readers import read_object, read_text

__all__ = ["Credentials"]

JWT_PROJECT = "jwt"
"""Stands for the project that is inside a JWT, which is not opened here."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client has to show; a part that is empty here may be anything there, except empty.

    Attributes:
        project: the project id.
        token: its API token.
        jwt_token: what takes the place of both.
    """

    project: str = ""
    token: str = ""
    jwt_token: str = ""

    def project_of(self, authentication: object) -> str | None:
        """Return whose client this is, or None when it may not log in."""
        shown = read_object(authentication) or {}
        if jwt_token := read_text(shown.get("jwt_token")):
            return JWT_PROJECT if self.jwt_token in ("", jwt_token) else None
        project, token = read_text(shown.get("project")), read_text(shown.get("token"))
        if not project or not token or self.project not in ("", project) or self.token not in ("", token):
            return None
        return project
