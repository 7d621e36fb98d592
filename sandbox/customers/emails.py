"""How one e-mail address gets written down, and what stands where one should be."""

from sandbox.customers.dice import Dice, weighted

_TAGS = ("crm", "news", "shop", "account")
_PLACEHOLDERS = (
    "test@test",
    "test@test.com",
    "none@none.com",
    "noemail@noemail.com",
    "no@email.com",
    "unknown@unknown.com",
    "a@a.a",
    "n/a",
    "N/A",
    "unknown",
    "none",
    "-",
)


_MANNERS = weighted((("plain", 88), ("upper", 4), ("domain", 4), ("named", 2), ("link", 1), ("blank", 1)))


def written(address: str, name: str, dice: Dice) -> str:
    """The address in one of the ways that still mean the same mailbox."""
    local, _, domain = address.partition("@")
    if domain == "gmail.com" and dice.chance(0.08):
        return f"{_gmail_alias(local, dice)}@{domain}"
    if not domain.isascii():
        return f"{local}@{domain.encode('idna').decode()}" if dice.chance(0.3) else address
    manner = dice.pick(_MANNERS)
    return address if manner == "plain" else _with_manner(manner, address, name)


def _with_manner(manner: str, address: str, name: str) -> str:
    local, _, domain = address.partition("@")
    return {
        "upper": address.upper(),
        "domain": f"{local}@{domain.capitalize()}",
        "named": f'"{name}" <{address}>',
        "link": f"Mailto:{address}",
        "blank": f"{address} ",
    }[manner]


def _gmail_alias(local: str, dice: Dice) -> str:
    """Gmail ignores dots, and everything from a plus on."""
    if dice.chance(0.5):
        return f"{local}+{dice.pick(_TAGS)}"
    place = 1 + dice.below(len(local) - 1)
    return f"{local[:place]}.{local[place:]}".replace("..", ".")


def spoilt(address: str, dice: Dice) -> str:
    """A placeholder, or the address with a slip that no reader can undo."""
    if dice.chance(0.5):
        return dice.pick(_PLACEHOLDERS)
    local, _, domain = address.partition("@")
    return dice.pick(
        (
            f"{local}.{domain}",
            f"{local}@",
            f"{local[:1]} {local[1:]}@{domain}",
            f"{local}@{domain.replace('.', ',')}",
            f"{local}@@{domain}",
            f"{local}@{domain.partition('.')[0]}",
            f"@{domain}",
        )
    )
