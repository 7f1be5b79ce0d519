"""Guess the encoding of a text that does not name it."""

from lifestage.ingestion.sources.decoding import codec_name

# Tried in this order if a text is not UTF-8. Nearly every text can be read as the last one.
ENCODINGS = ("GB18030", "Shift_JIS", "EUC-KR", "Windows-1252")
# The least share of East Asian characters among the non-ASCII letters of a text in an East Asian encoding.
MIN_EASTERN = 0.7


def guess_encoding(content: bytes) -> str:
    """Return the encoding that a text is probably in.

    Example:
        >>> guess_encoding("Köln".encode("cp1252")), guess_encoding("东京 上海 北京".encode("gbk"))
        ('Windows-1252', 'GB18030')
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    # The last character may be cut off.
    whole = content[: content.rfind(b"\n") + 1] or content
    try:
        whole.decode()
    except UnicodeDecodeError:
        return next(name for name in ENCODINGS if _fits(whole, name))
    return "UTF-8"


def _fits(content: bytes, encoding: str) -> bool:
    try:
        text = content.decode(
            codec_name(encoding) or encoding, "strict" if encoding != ENCODINGS[-1] else "replace"
        )
    except UnicodeDecodeError:
        return False
    letters = [letter for letter in text if ord(letter) > 127]
    eastern = [
        letter for letter in letters if "\u3000" <= letter <= "\u9fff" or "\uac00" <= letter <= "\uffef"
    ]
    return encoding == ENCODINGS[-1] or len(eastern) >= MIN_EASTERN * len(letters)
