"""The keys of a project: from the environment, or from files that the environment names."""

import os
from collections.abc import Sequence
from pathlib import Path

from lifestage.platform.config.configuration import Config
from lifestage.platform.errors import ConfigError
from lifestage.platform.run import Secrets


def read_secrets(config: Config) -> Secrets:
    """The decoded keys. A ConfigError names each variable that is missing or malformed."""
    problems: list[str] = []
    names = config.shared.secrets
    pseudonym_key = _key(names.pseudonym_key, (32, 64), problems)
    quarantine_key = _key(names.quarantine_key, (32, 48, 64), problems)
    if problems:
        raise ConfigError(problems)
    return Secrets(pseudonym_key, quarantine_key)


def secret_file(variable: str) -> str | None:
    """The path that `<variable>_FILE` names, whether or not there is a file."""
    return os.environ.get(f"{variable}_FILE")


def read_secret(variable: str) -> str | None:
    """A secret from the environment, or from the file that `<variable>_FILE` names; None if there is neither."""
    if variable in os.environ:
        return os.environ[variable].strip()
    file = secret_file(variable)
    # Replace bytes that are not UTF-8, so that a binary key file is reported as not hexadecimal.
    return (
        Path(file).read_text(encoding="utf-8", errors="replace").strip()
        if file and Path(file).is_file()
        else None
    )


def _key(variable: str, lengths: Sequence[int], problems: list[str]) -> bytes:
    text = read_secret(variable)
    allowed = " or ".join(str(length) for length in lengths)
    if text is None:
        file = secret_file(variable)
        found = f"{variable}_FILE names {file}, which is not a file: " if file else ""
        problems.append(
            f"secrets: {found}set {variable} (or {variable}_FILE) to {allowed} bytes as hex, e.g. openssl rand -hex 32"
        )
        return b""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        problems.append(f"secrets: {variable} is not hexadecimal, expected {allowed} bytes as hex")
        return b""
    if len(key) not in lengths:
        problems.append(f"secrets: {variable} has {len(key)} bytes, expected {allowed}")
    return key
