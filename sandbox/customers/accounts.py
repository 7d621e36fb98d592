"""Accounts as they stand in the CRM: what somebody once typed about a person."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from sandbox.customers import emails, phones
from sandbox.customers.countries import Name
from sandbox.customers.dice import Dice
from sandbox.customers.noise import Noise
from sandbox.customers.people import LAST_DAY, Person, address
from sandbox.customers.phones import Phone

COLUMNS = (
    "Id",
    "Salutation",
    "FirstName",
    "LastName",
    "Title",
    "AccountName",
    "Phone",
    "MobilePhone",
    "HomePhone",
    "OtherPhone",
    "Email",
    "Personal_Email__c",
    "Other_Email__c",
    "WhatsApp__c",
    "Twitter__c",
    "Loyalty_Number__c",
    "Account_Tier__c",
    "Status__c",
    "Preferred_Language__c",
    "MailingStreet",
    "MailingCity",
    "MailingState",
    "MailingPostalCode",
    "MailingCountry",
    "Birthdate",
    "LastModifiedDate",
    "Annual_Income__c",
    "Card_Number__c",
    "Health_Note__c",
)
SENSITIVE_COLUMNS = ("Annual_Income__c", "Card_Number__c", "Health_Note__c")
"""What routing does not need and must not leave the CRM."""

_TITLES = (
    "Sales Manager",
    "Office Manager",
    "Managing Director",
    "Accountant",
    "Buyer",
    "Head of Operations",
    "Engineer",
    "Assistant",
    "Controller",
    "IT Administrator",
    "VP, Marketing",
    "Warehouse Lead",
    "Owner",
    "Project Manager",
)
# The card networks' published test numbers.
_CARDS = ("4111111111111111", "5555555555554444", "378282246310005", "6011111111111117")
_HEALTH = ("Hard of hearing, speak slowly", "Wheelchair user", "On dialysis, call after 3 pm", "Diabetic", "Pregnant")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the export and the truth about it."""

    cells: tuple[str, ...]
    """In the order of `COLUMNS`; fewer if the row is cut short."""
    person: str
    """Whose account it is; rows with the same person are duplicates. Empty for a row that cannot be imported."""
    region: str
    """ISO code of the country that the person writes national numbers of."""
    identifiers: tuple[tuple[str, str], ...]
    """What a perfect reader finds in the row: (phone, E.164), (email, address), (whatsapp, E.164), (twitter, handle),
    (loyalty, number). Broken values and placeholders are not among them."""
    groups: tuple[tuple[str, str], ...]
    """The special groups it is in, as (kind, key of the group): `household` and `father_son` (whether or not the row
    shows the landline), `switchboard` and `shared_mailbox` (if it shows the shared value), `recycled_mobile` (the old
    and the new owner), `duplicate` (the key is the person), `three_phones`."""
    defect: str = ""
    """Why it cannot be imported: `empty_id`, `duplicate_id`, `too_few_columns`; empty for an account."""

    def cell(self, column: str) -> str:
        return self.cells[COLUMNS.index(column)]


class _Form:
    """The form that somebody fills in, with their omissions and slips."""

    def __init__(self, person: Person, dice: Dice, noise: Noise) -> None:
        self.person = person
        self.dice = dice
        self.noise = noise
        self.cells = dict.fromkeys(COLUMNS, "")
        self.identifiers: list[tuple[str, str]] = []

    def text(self, column: str, value: str) -> None:
        if value and not self.dice.chance(self.noise.missing):
            self.cells[column] = value

    def phone(self, column: str, phone: Phone | None, *, extension: str = "", certain: bool = False) -> bool:
        """Enter a phone, never omitted or spoilt if `certain`. Returns whether the number can be read there."""
        country = self.person.country
        if phone is None or (not certain and self.dice.chance(self.noise.missing)):
            return False
        if not certain and self.dice.chance(self.noise.malformed):
            self.cells[column] = phones.spoilt(phone, self.dice, reserved=country.prefixes)
            return False
        self.cells[column] = phones.written(phone, self.dice, region=country.calling_code, extension=extension)
        self.identifiers.append(("phone", phone.e164))
        return True

    def email(self, column: str, address: str) -> bool:
        if not address or self.dice.chance(self.noise.missing):
            return False
        if self.dice.chance(self.noise.malformed):
            self.cells[column] = emails.spoilt(address, self.dice)
            return False
        name = f"{self.person.given_name.plain} {self.person.surname.plain}"
        self.cells[column] = emails.written(address, name, self.dice)
        self.identifiers.append(("email", address))
        return True

    def other(self, column: str, kind: str, value: str, text: str) -> None:
        if value and not self.dice.chance(self.noise.missing):
            self.cells[column] = text
            self.identifiers.append((kind, value))


def write(person: Person, record_id: str, dice: Dice, noise: Noise, *, duplicate: bool) -> Row:
    """The account `record_id` of the person."""
    form = _Form(person, dice, noise)
    form.cells["Id"] = record_id
    groups = [person.family] if person.family else []
    if duplicate:
        groups.append(("duplicate", person.key))
    groups += _contact_points(form)
    _particulars(form)
    numbers = {value for kind, value in form.identifiers if kind == "phone"}
    if len(numbers) >= 3:
        groups.append(("three_phones", person.key))
    return Row(
        cells=tuple(form.cells.values()),
        person=person.key,
        region=person.country.region,
        identifiers=tuple(dict.fromkeys(form.identifiers)),
        groups=tuple(groups),
    )


def _contact_points(form: _Form) -> list[tuple[str, str]]:
    """Enter phones, addresses and handles; the groups that the shared ones among them make the account a member of."""
    person, dice = form.person, form.dice
    groups = []
    company = person.company
    if (
        company
        and form.phone("Phone", person.office, extension=person.extension)
        and person.office == company.switchboard
    ):
        groups += [("switchboard", company.key)] if company.people > 1 else []
    elif not company and dice.chance(0.3):
        form.phone("Phone", person.landline or person.mobile)
    if form.phone("MobilePhone", person.mobile, certain=bool(person.recycled)) and person.recycled:
        groups.append(("recycled_mobile", person.recycled))
    form.phone("HomePhone", person.landline, certain=bool(person.family and person.family[0] == "father_son"))
    form.phone("OtherPhone", person.second_mobile)

    form.email("Email", person.work_email or person.private_email)
    if person.work_email:
        form.email("Personal_Email__c", person.private_email)
    if form.email("Other_Email__c", person.shared_email):
        groups.append(("shared_mailbox", person.shared_email))
    if person.whatsapp:
        form.other("WhatsApp__c", "whatsapp", person.whatsapp.e164, phones.written_for_whatsapp(person.whatsapp, dice))
    handle = person.twitter
    form.other("Twitter__c", "twitter", handle, dice.pick((f"@{handle}", f"@{handle}", handle)))
    form.other("Loyalty_Number__c", "loyalty", person.loyalty, person.loyalty)
    return groups


def _particulars(form: _Form) -> None:
    person, dice = form.person, form.dice
    country, home = person.country, person.home
    shout = str.upper if dice.chance(0.02) else str  # somebody's caps lock
    form.cells["FirstName"] = shout(person.given_name.text)
    form.cells["LastName"] = shout(person.surname.text)
    form.text("Salutation", dice.pick(country.salutations[person.female]))
    if person.company:
        form.text("Title", dice.pick(_TITLES))
        form.text("AccountName", person.company.name)
    form.cells["Account_Tier__c"] = person.tier
    form.cells["Status__c"] = person.status
    form.text("Preferred_Language__c", person.language)
    flat = (
        f"Apt {1 + dice.below(80)}\n" if dice.chance(0.04) else ""
    )  # Salesforce keeps a street of several lines in one field
    form.text("MailingStreet", flat + home.street)
    if form.cells["MailingStreet"]:
        form.cells["MailingCity"] = home.city.name
        form.text("MailingState", home.city.state)
        form.text("MailingPostalCode", home.postcode)
    spelling = 0 if dice.chance(0.8) else dice.below(len(country.names))
    form.cells["MailingCountry"] = country.names[spelling]
    if person.birthdate:
        form.text("Birthdate", "1900-01-01" if dice.chance(form.noise.malformed / 2) else person.birthdate.isoformat())
    seconds = dice.below(86_400)
    time = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    form.cells["LastModifiedDate"] = f"{person.modified.isoformat()}T{time}.000+0000"
    if dice.chance(0.2):
        form.cells["Annual_Income__c"] = str(18_000 + dice.below(400) * 500)
    if dice.chance(0.004):
        form.cells["Card_Number__c"] = dice.pick(_CARDS)
    if dice.chance(0.01):
        form.cells["Health_Note__c"] = dice.pick(_HEALTH)


def entered_again(person: Person, dice: Dice) -> Person:
    """The person as another account has them: misheard, moved, married, under a nickname, with another address."""
    moved = dice.chance(0.25)
    same_mobile = dice.chance(0.6)
    return replace(
        person,
        given_name=_given_name_again(person, dice),
        surname=_surname_again(person, dice),
        birthdate=_birthdate_again(person.birthdate, dice),
        home=address(person.country, dice) if moved else person.home,
        landline=None if moved else person.landline,
        mobile=person.mobile if same_mobile else person.second_mobile,
        second_mobile=None,
        private_email=_email_again(person, dice),
        work_email=person.work_email if dice.chance(0.5) else "",
        whatsapp=person.whatsapp if dice.chance(0.4) else None,
        twitter=person.twitter if dice.chance(0.3) else "",
        loyalty=person.loyalty if dice.chance(0.2) else "",
        tier="Standard" if dice.chance(0.5) else person.tier,
        modified=min(person.modified + timedelta(days=dice.below(700)), LAST_DAY),
        recycled=person.recycled if same_mobile else "",
    )


def _respelt(name: Name, text: str) -> Name:
    return replace(name, text=text, plain=text if text.isascii() else name.plain)


def _typo(text: str, dice: Dice) -> str:
    if len(text) < 4:
        return text
    place = 1 + dice.below(len(text) - 2)
    return dice.pick(
        (
            text[:place] + text[place + 1] + text[place] + text[place + 2 :],
            text[:place] + text[place + 1 :],
            text[:place] + text[place] + text[place:],
        )
    )


def _given_name_again(person: Person, dice: Dice) -> Name:
    name = person.given_name
    manner = dice.below(100)
    if manner < 30:
        return _respelt(name, dice.pick(person.culture.nicknames.get(name.text, (name.text,))))
    if manner < 42:
        return _respelt(name, _typo(name.text, dice))
    if manner < 50:
        return _respelt(name, name.plain)
    if manner < 54:
        return _respelt(name, f"{name.text[:1]}.")
    if manner < 60:
        return _respelt(name, f"{name.text} {dice.pick('ABCDEFGHJKLMNPRST')}.")
    return name


def _surname_again(person: Person, dice: Dice) -> Name:
    name = person.surname
    manner = dice.below(100)
    if manner < 12:
        return _respelt(name, _typo(name.text, dice))
    if manner < 20:
        return _respelt(name, name.plain)
    if manner < 32 and person.female:
        married = dice.pick_common(person.culture.feminine)
        return _respelt(name, f"{name.text}-{married.text}") if manner < 23 else married
    return name


def _birthdate_again(birthdate: date | None, dice: Dice) -> date | None:
    manner = dice.below(100)
    if birthdate is None or manner < 30:
        return None
    if manner < 38 and birthdate.day <= 12:
        return birthdate.replace(month=birthdate.day, day=birthdate.month)
    if manner < 44:
        return birthdate.replace(day=1 + dice.below(28))
    return birthdate


def _email_again(person: Person, dice: Dice) -> str:
    manner = dice.below(100)
    if manner < 55:
        return person.private_email
    if manner < 80:  # their name and number at another provider are still theirs alone
        return f"{person.private_email.partition('@')[0]}@{dice.pick(person.country.mail_domains)}"
    return ""
