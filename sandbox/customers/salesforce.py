"""Salesforce record ids: 15 case-sensitive characters, and 3 that make them safe where case gets lost."""

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_UPPER_CASE = str.maketrans({character: str(int(character.isupper())) for character in _BASE62})
_SERIALS = 62**8
_CONTACT = "0035g00"
"""Key prefix of Contact (003), a server pod (5g), a reserved 0 and a leading 0 of the serial number."""


def checksum(record_id: str) -> str:
    """The suffix of a 15-character id: for each five characters, one that says which of them are upper case."""
    bits = record_id.translate(_UPPER_CASE)[::-1]  # of each five, the first is worth 1 and the last 16
    return _SUFFIX[int(bits[10:], 2)] + _SUFFIX[int(bits[5:10], 2)] + _SUFFIX[int(bits[:5], 2)]


def contact_id(number: int) -> str:
    """The 18-character id of contact `number`. Numbers that follow each other get ids that look unrelated."""
    serial = number * 135_178_347_977_351 % _SERIALS  # coprime to 62, or two numbers could get the same id
    digits = ""
    for _ in range(8):
        serial, digit = divmod(serial, 62)
        digits = _BASE62[digit] + digits
    record_id = _CONTACT + digits
    return record_id + checksum(record_id)
