"""The people behind the accounts: who lives with whom, works where, and can be reached how.

Person n follows from the seed and n alone. What people share (a home and its landline, an employer and its
switchboard) follows from the number of the family or company, so nothing is remembered from one person to the next.
"""

from dataclasses import dataclass
from datetime import date

from sandbox.customers.countries import City, Country, Culture, Name
from sandbox.customers.dice import Dice, Place, Stream
from sandbox.customers.phones import Phone
from sandbox.customers.population import Market, Population

TIERS = ("Standard",) * 70 + ("Gold",) * 18 + ("Platinum",) * 8 + ("Enterprise",) * 4
STATUSES = ("Active",) * 88 + ("On hold",) * 5 + ("Closed",) * 4 + ("Prospect",) * 3
LAST_DAY = date(2025, 12, 31)
"""The day of the export."""
_POSTCODE_LETTERS = "ABDEFGHJLNPRSTUWXY"


@dataclass(frozen=True, slots=True)
class Address:
    street: str
    city: City
    postcode: str


@dataclass(frozen=True, slots=True)
class Company:
    key: str
    name: str
    domain: str
    city: City
    switchboard: Phone
    people: int
    shared_mailbox: str
    """The address that its people give as their own; empty if they have their own."""


@dataclass(frozen=True, slots=True)
class Person:
    key: str
    country: Country
    culture: Culture
    female: bool
    given_name: Name
    surname: Name
    birthdate: date | None
    home: Address
    language: str
    tier: str
    status: str
    modified: date
    mobile: Phone | None
    second_mobile: Phone | None
    landline: Phone | None
    company: Company | None
    office: Phone | None
    """A line of their own, or the switchboard."""
    extension: str
    whatsapp: Phone | None
    twitter: str
    loyalty: str
    private_email: str
    work_email: str
    shared_email: str
    family: tuple[str, str] | None
    """(household or father_son, key)"""
    recycled: str
    """Key of the pair of people who had the same mobile one after the other, or empty."""


@dataclass(frozen=True, slots=True)
class _Family:
    culture: Culture
    surnames: tuple[int, int, int, int]
    """Places in the list of surnames: two of the first member, two that the partner was born with."""
    partner_keeps: bool
    first_is_female: bool
    name_of_father: Name
    year: int
    """Of birth of the first member."""
    home: Address
    landline: Phone | None
    shared_email: str


def address(country: Country, dice: Dice) -> Address:
    city = dice.pick_common(country.cities)
    postcode = "".join(
        str(dice.below(10)) if mark == "#" else dice.pick(_POSTCODE_LETTERS) if mark == "@" else mark
        for mark in city.postcode
    )
    number = 1 + dice.below(country.house_numbers)
    return Address(country.street.format(number=number, street=dice.pick(country.streets)), city, postcode)


def _day(first_year: int, years: int, dice: Dice) -> date:
    return date.fromordinal(date(first_year, 1, 1).toordinal() + dice.below(years * 365))


def _family(market: Market, place: Place, seed: int) -> _Family:
    country = market.country
    dice = Dice(seed, Stream.FAMILY, market.number << 32 | place.group)
    culture = dice.pick(country.cultures)
    alone = place.kind == "alone"
    has_landline = place.kind == "father_son" or dice.chance(0.35 if alone else 0.7)
    home = address(country, dice)
    surnames = range(len(culture.surnames))
    a, b, c, d = (dice.pick_common(surnames) for _ in range(4))
    domain = dice.pick(country.mail_domains)
    with_children = place.size > 2
    return _Family(
        culture=culture,
        surnames=(a, b, c, d),
        partner_keeps=country.double_surnames or dice.chance(0.12),
        first_is_female=dice.chance(0.5),
        name_of_father=dice.pick_common(culture.male),
        year=1940 + dice.below(66 if alone else 32 if with_children or place.kind == "father_son" else 60),
        home=home,
        landline=market.fixed("landline", place.group, home.city.lines) if has_landline else None,
        shared_email=f"family.{culture.surnames[a].slug}{market.first + place.group}@{domain}"
        if not alone and dice.chance(0.06)
        else "",
    )


def _company(market: Market, place: Place, seed: int) -> Company:
    country = market.country
    dice = Dice(seed, Stream.COMPANY, market.number << 32 | place.group)
    pair, sector = divmod(market.company_names(place.group), len(country.sectors))
    first, second = divmod(pair, len(country.stems) - 1)
    second += second >= first  # never the same word twice
    words = (country.stems[first], country.stems[second], country.sectors[sector])
    joint = " " if country.stems_are_words else dice.pick((" & ", ", "))
    city = dice.pick_common(country.cities)
    accents = dice.chance(0.4)
    labels = (word.label if accents else word.slug for word in words)
    domain = f"{'-'.join(labels)}.{country.domain_suffix}"
    return Company(
        key=f"company-{market.number:02d}-{place.group:06d}",
        name=f"{words[0].text}{joint}{words[1].text} {words[2].text} {dice.pick(country.legal_forms)}",
        domain=domain,
        city=city,
        switchboard=market.fixed("switchboard", place.group, city.lines),
        people=place.size,
        shared_mailbox=f"info@{domain}" if 1 < place.size < 30 and dice.chance(0.1) else "",
    )


def _surname(family: _Family, place: Place, *, female: bool, double: bool) -> Name:
    names = family.culture.feminine if female else family.culture.surnames
    first, second, partner_first, partner_second = family.surnames
    if place.member == 1 and place.kind == "household" and family.partner_keeps:
        first, second = partner_first, partner_second
    elif place.member > 1:
        second = partner_first
    if not double:
        return names[first]
    one, two = names[first], names[second]
    return Name(f"{one.text} {two.text}", f"{one.plain} {two.plain}", one.slug, one.label)


def _given_name(family: _Family, place: Place, dice: Dice) -> tuple[bool, Name]:
    """Whether it is a woman, and her name."""
    if place.kind == "father_son":
        return False, family.name_of_father
    female = (place.member == 0) == family.first_is_female if place.member < 2 else dice.chance(0.5)
    return female, dice.pick_common(family.culture.female if female else family.culture.male)


def _birth_year(family: _Family, place: Place, dice: Dice) -> int:
    if place.member == 0:
        return family.year
    if place.kind == "household" and place.member == 1:
        return family.year - 3 + dice.below(7)
    return family.year + 22 + dice.below(12)


def _private_local(given_name: Name, surname: Name, dice: Dice) -> str:
    given, family = given_name.slug, surname.slug
    return dice.pick(
        (f"{given}.{family}", f"{given}{family}", f"{given[:1]}{family}", f"{given[:1]}.{family}", f"{family}.{given}")
    )


def _work_local(given_name: Name, surname: Name, job: Place) -> str:
    """Small companies tell their people apart by a middle initial, large ones by staff number."""
    given, family = given_name.slug, surname.slug
    if job.size > 30:
        return f"{given[:1]}{family}{1000 + job.member}"
    initial = f"{chr(ord('a') + job.member % 26)}{'z' * (job.member // 26)}."
    return f"{given}.{initial if job.member else ''}{family}"


def _whatsapp(population: Population, market: Market, person: int, mobile: Phone, dice: Dice) -> Phone | None:
    if not dice.chance(0.18):
        return None
    abroad = dice.pick(population.markets)
    if abroad is market or dice.chance(0.45):
        return mobile
    return abroad.mobile("abroad", person, dice.pick(abroad.country.cities).lines)


def _office(market: Market, number: int, job: Place, company: Company, dice: Dice) -> tuple[Phone, str]:
    """A line of their own, or the switchboard and perhaps an extension."""
    if company.people > 1 and dice.chance(0.3 if company.people <= 30 else 0.1):
        return market.fixed("direct", number, company.city.lines), ""
    has_extension = company.people > 3 and dice.chance(0.4)
    return company.switchboard, str(100 + job.member) if has_extension else ""


def _mobile(market: Market, number: int, family: _Family, seed: int) -> Phone:
    line = market.mobile_line(number)
    if line != number:  # it has the area code of the city where its first owner lives
        family = _family(market, market.home(line), seed)
    return market.mobile("mobile", line, family.home.city.lines)


def _span(people: int) -> int:
    """A power of ten that no two people need to share a number below."""
    span = 10_000
    while span < people:
        span *= 10
    return span


def person(population: Population, index: int) -> Person:
    """Person `index` of the population."""
    market = population.market(index)
    country = market.country
    number = index - market.first
    dice = Dice(population.seed, Stream.PERSON, index)
    place, job = market.home(number), market.job(number)
    family = _family(market, place, population.seed)
    company = _company(market, job, population.seed) if job.kind == "office" else None

    female, given_name = _given_name(family, place, dice)
    surname = _surname(family, place, female=female, double=country.double_surnames)
    birthdate = _day(_birth_year(family, place, dice), 1, dice)

    span = _span(population.people)
    tag = 1 + index * 618_033 % span  # 618033 has no factor in common with a power of ten: nobody shares a tag
    domain = "gmail.com" if dice.chance(0.45) else dice.pick(country.mail_domains)
    if dice.chance(0.01):
        domain = f"{surname.label}-{tag}.{country.domain_suffix}"

    heir = market.recycled_by(number)
    mobile = _mobile(market, number, family, population.seed)
    office, extension = _office(market, number, job, company, dice) if company else (None, "")
    return Person(
        key=f"person-{index:07d}",
        country=country,
        culture=family.culture,
        female=female,
        given_name=given_name,
        surname=surname,
        birthdate=birthdate,
        home=family.home,
        language=dice.pick(country.languages),
        tier=dice.pick(TIERS),
        status=dice.pick(STATUSES),
        modified=_day(2018, 8, dice) if heir is None else _day(2023 if heir == number else 2015, 3, dice),
        mobile=mobile,
        second_mobile=market.mobile("second", number, family.home.city.lines) if dice.chance(0.06) else None,
        landline=family.landline,
        company=company,
        office=office,
        extension=extension,
        whatsapp=_whatsapp(population, market, index, mobile, dice),
        twitter=f"{given_name.slug[:1]}{surname.slug[:7]}{dice.pick(('', '_'))}{tag}" if dice.chance(0.08) else "",
        loyalty=f"LOYALTY-{dice.pick(('STD', 'SLV', 'GLD'))}-{span * 10 + tag}" if dice.chance(0.35) else "",
        private_email=f"{_private_local(given_name, surname, dice)}{tag}@{domain}",
        work_email=f"{_work_local(given_name, surname, job)}@{company.domain}" if company else "",
        shared_email=(company.shared_mailbox if company else "") or family.shared_email,
        family=(place.kind, f"family-{market.number:02d}-{place.group:06d}") if place.size > 1 else None,
        recycled="" if heir is None else f"mobile-{market.first + heir:07d}",
    )
