"""The keys of a project: from the environment, from files that it names, or from those that `lifestage init` wrote."""

import os
from collections.abc import Sequence
from pathlib import Path

from lifestage.platform.config.configuration import Config
from lifestage.platform.errors import ConfigError
from lifestage.platform.run import Secrets

# Beside the main file, where `lifestage init` writes the keys.
PSEUDONYM_KEY_FILE, QUARANTINE_KEY_FILE = Path("keys/pseudonym.key"), Path("keys/quarantine.key")


def read_secrets(config: Config) -> Secrets:
    """The decoded keys. What the environment says counts first. A ConfigError names each key that is missing or malformed."""
    problems: list[str] = []
    names = config.shared.secrets
    pseudonym_key = _key(names.pseudonym_key, config.folder / PSEUDONYM_KEY_FILE, (32, 64), problems)
    quarantine_key = _key(names.quarantine_key, config.folder / QUARANTINE_KEY_FILE, (32, 48, 64), problems)
    if problems:
        raise ConfigError(problems)
    return Secrets(pseudonym_key, quarantine_key)


def secret_file(variable: str) -> str | None:
    """The path that `<variable>_FILE` names, whether or not there is a file."""
    return os.environ.get(f"{variable}_FILE")


def read_secret(variable: str, default: Path | None = None) -> str | None:
    """A secret from the environment, from the file that `<variable>_FILE` names, or from the default file; None without all."""
    if variable in os.environ:
        return os.environ[variable].strip()
    named = secret_file(variable)
    file = Path(named) if named else default
    # Replace bytes that are not UTF-8, so that a binary key file is reported as not hexadecimal.
    return file.read_text(encoding="utf-8", errors="replace").strip() if file and file.is_file() else None


def _key(variable: str, default: Path, lengths: Sequence[int], problems: list[str]) -> bytes:
    text = read_secret(variable, default)
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
