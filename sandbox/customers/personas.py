"""The people whom demonstrations and tests call by name. They are in every sample base, whatever its size and seed.

Their numbers are reserved for fiction (555-01XX in North America, 07700 900XXX in the United Kingdom) and the base uses
these for nobody else; their addresses have no number in the local part, as all others have, or are at example.com.
"""

from dataclasses import dataclass, field, replace

from sandbox.customers.accounts import COLUMNS, Row
from sandbox.customers.salesforce import contact_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """One account of a named person. Identifiers are as a perfect reader finds them; empty is none."""

    person: str
    record_id: str = ""
    first_name: str
    last_name: str
    tier: str = "Standard"
    status: str = "Active"
    language: str = "en-US"
    birthdate: str = ""
    title: str = ""
    company: str = ""
    mobile: str = ""
    office: str = ""
    landline: str = ""
    private_email: str = ""
    work_email: str = ""
    whatsapp: str = ""
    twitter: str = ""
    loyalty: str = ""
    street: str = ""
    city: str = ""
    state: str = ""
    postcode: str = ""
    modified: str = "2025-06-02T09:30:00.000+0000"
    groups: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def row(self) -> Row:
        cells = dict.fromkeys(COLUMNS, "") | {
            "Id": self.record_id,
            "FirstName": self.first_name,
            "LastName": self.last_name,
            "Title": self.title,
            "AccountName": self.company,
            "Phone": _dashed(self.office),
            "MobilePhone": _dashed(self.mobile),
            "HomePhone": _dashed(self.landline),
            "Email": self.work_email or self.private_email,
            "Personal_Email__c": self.private_email if self.work_email else "",
            "WhatsApp__c": _dashed(self.whatsapp),
            "Twitter__c": self.twitter and f"@{self.twitter}",
            "Loyalty_Number__c": self.loyalty,
            "Account_Tier__c": self.tier,
            "Status__c": self.status,
            "Preferred_Language__c": self.language,
            "MailingStreet": self.street,
            "MailingCity": self.city,
            "MailingState": self.state,
            "MailingPostalCode": self.postcode,
            "MailingCountry": "United States",
            "Birthdate": self.birthdate,
            "LastModifiedDate": self.modified,
        }
        found = [("phone", self.office), ("phone", self.mobile), ("phone", self.landline)]
        found += [("email", self.work_email), ("email", self.private_email)]
        found += [("whatsapp", self.whatsapp), ("twitter", self.twitter), ("loyalty", self.loyalty)]
        return Row(
            cells=tuple(cells.values()),
            person=self.person,
            region="US",
            identifiers=tuple((kind, value) for kind, value in found if value),
            groups=self.groups,
        )


@dataclass(frozen=True, slots=True)
class SharedLine:
    """A number that several people can be calling from."""

    number: str
    people: tuple[Persona, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Personas:
    """The named people by the part they play."""

    john_smith: Persona
    """One customer, many doors; shares no identifier with anybody."""
    newcomer: Persona
    """Known by e-mail; calls from `newcomer_number`, which no account has."""
    newcomer_number: str
    switchboard: SharedLine
    """An office whose people all show the same number."""
    household: SharedLine
    """Parents and a daughter on one landline, each with a mobile."""
    father_and_son: SharedLine
    """Same name, same address, same landline; only the birthdate tells them apart."""
    recycled_mobile: SharedLine
    """Who had the number first, and who has it now."""
    duplicate: tuple[Persona, Persona]
    """Two accounts of one person: maiden name and married name, with the mobile in common."""
    withheld_callers: tuple[str, ...]
    """What arrives as caller number when the caller shows none."""

    @property
    def accounts(self) -> tuple[Persona, ...]:
        """All accounts of named people, in the order of their ids."""
        lines = (self.switchboard, self.household, self.father_and_son, self.recycled_mobile)
        return (self.john_smith, self.newcomer, *(one for line in lines for one in line.people), *self.duplicate)


def _dashed(number: str) -> str:
    if number.startswith("+1"):
        return f"+1-{number[2:5]}-{number[5:8]}-{number[8:]}"
    return number and f"{number[:3]}-{number[3:7]}-{number[7:]}"


def _switchboard() -> SharedLine:
    number = "+13125550100"
    people = (
        ("Dana", "Whitaker", "Managing Director", "Platinum"),
        ("Luis", "Ocampo", "Warehouse Lead", "Standard"),
        ("Grace", "Okafor", "Buyer", "Gold"),
        ("Henry", "Lindgren", "Accountant", "Standard"),
        ("Mei", "Tanaka", "IT Administrator", "Gold"),
        ("Omar", "Haddad", "Sales Manager", "Standard"),
        ("Paula", "Reyes", "Office Manager", "Standard"),
        ("Stefan", "Novak", "Project Manager", "Standard"),
    )
    return SharedLine(
        number,
        tuple(
            Persona(
                person=f"{first}-{last}".lower(),
                first_name=first,
                last_name=last,
                title=title,
                company="Harborpoint Logistics",
                tier=tier,
                office=number,
                work_email=f"{first}.{last}@harborpoint.example.com".lower(),
                street="200 West Lake Street",
                city="Chicago",
                state="IL",
                postcode="60606",
                groups=(("switchboard", "harborpoint"),),
            )
            for first, last, title, tier in people
        ),
    )


def _household() -> SharedLine:
    number = "+13055550123"
    people = (
        ("Carlos", "1971-03-09", "+13055550131", "es-US"),
        ("Marisol", "1974-11-21", "+13055550132", "es-US"),
        ("Elena", "2003-07-30", "+13055550133", "en-US"),
    )
    return SharedLine(
        number,
        tuple(
            Persona(
                person=f"{first}-ortega".lower(),
                first_name=first,
                last_name="Ortega",
                birthdate=birthdate,
                language=language,
                mobile=mobile,
                landline=number,
                private_email=f"{first}.ortega@example.com".lower(),
                street="1480 Coral Way",
                city="Miami",
                state="FL",
                postcode="33145",
                groups=(("household", "ortega"),),
            )
            for first, birthdate, mobile, language in people
        ),
    )


def _father_and_son() -> SharedLine:
    number = "+16145550175"
    father = Persona(
        person="robert-miller-senior",
        first_name="Robert",
        last_name="Miller",
        birthdate="1951-04-17",
        tier="Gold",
        landline=number,
        street="77 Chestnut Street",
        city="Columbus",
        state="OH",
        postcode="43215",
        groups=(("father_son", "miller"),),
    )
    son = replace(
        father,
        person="robert-miller-junior",
        birthdate="1979-10-02",
        tier="Standard",
        mobile="+16145550176",
        private_email="rob.miller@example.com",
    )
    return SharedLine(number, (father, son))


def _recycled_mobile() -> SharedLine:
    number = "+14045550164"
    former = Persona(
        person="walter-briggs",
        first_name="Walter",
        last_name="Briggs",
        birthdate="1948-01-25",
        status="Closed",
        mobile=number,
        modified="2016-08-11T14:02:00.000+0000",
        groups=(("recycled_mobile", "briggs-to-nguyen"),),
    )
    present = replace(
        former,
        person="kim-nguyen",
        first_name="Kim",
        last_name="Nguyen",
        birthdate="1996-05-14",
        status="Active",
        private_email="kim.nguyen@example.com",
        modified="2025-04-22T16:45:00.000+0000",
    )
    return SharedLine(number, (former, present))


def _duplicate() -> tuple[Persona, Persona]:
    maiden = Persona(
        person="elizabeth-carter",
        first_name="Elizabeth",
        last_name="Carter",
        birthdate="1987-09-12",
        tier="Gold",
        mobile="+12065550147",
        private_email="elizabeth.carter@example.com",
        street="12 Cedar Lane",
        city="Seattle",
        state="WA",
        postcode="98109",
        modified="2021-02-17T10:12:00.000+0000",
        groups=(("duplicate", "elizabeth-carter"),),
    )
    married = replace(
        maiden,
        first_name="Liz",
        last_name="Carter-Hughes",
        tier="Platinum",
        private_email="liz.hughes@example.com",
        street="903 Highland Avenue",
        postcode="98122",
        modified="2025-08-05T08:20:00.000+0000",
    )
    return maiden, married


def _numbered(personas: Personas) -> Personas:
    """Give the accounts their ids, in order."""
    numbers = iter(range(len(personas.accounts)))

    def account(persona: Persona) -> Persona:
        return replace(persona, record_id=contact_id(next(numbers)))

    def line(shared: SharedLine) -> SharedLine:
        return replace(shared, people=tuple(account(persona) for persona in shared.people))

    return replace(
        personas,
        john_smith=account(personas.john_smith),
        newcomer=account(personas.newcomer),
        switchboard=line(personas.switchboard),
        household=line(personas.household),
        father_and_son=line(personas.father_and_son),
        recycled_mobile=line(personas.recycled_mobile),
        duplicate=(account(personas.duplicate[0]), account(personas.duplicate[1])),
    )


PERSONAS = _numbered(
    Personas(
        john_smith=Persona(
            person="john-smith",
            first_name="John",
            last_name="Smith",
            birthdate="1980-06-15",
            tier="Enterprise",
            title="VP, Procurement",
            company="Acme Corp",
            mobile="+19175550142",
            office="+12125550188",
            private_email="john.smith@gmail.com",
            work_email="j.smith@acmecorp.com",
            whatsapp="+447700900123",
            twitter="jsmith_tweets",
            loyalty="LOYALTY-GLD-98765",
            street="350 Fifth Avenue",
            city="New York",
            state="NY",
            postcode="10118",
        ),
        newcomer=Persona(
            person="aisha-khan",
            first_name="Aisha",
            last_name="Khan",
            birthdate="1992-12-03",
            tier="Gold",
            mobile="+16465550118",
            private_email="aisha.khan@example.com",
            street="41 Mercer Street",
            city="New York",
            state="NY",
            postcode="10013",
        ),
        newcomer_number="+16465550199",
        switchboard=_switchboard(),
        household=_household(),
        father_and_son=_father_and_son(),
        recycled_mobile=_recycled_mobile(),
        duplicate=_duplicate(),
        withheld_callers=("anonymous", "sip:anonymous@anonymous.invalid", "+266696687"),
    )
)
