"""The screen of an emulated CRM: what somebody changes there is told of, like a change in the CRM itself."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from sandbox.crm.customers import dynamics, salesforce, servicenow
from sandbox.crm.emulator import Emulator, running
from sandbox.customers import SMALLEST, generate


@pytest.mark.parametrize(
    ("make", "tier"), [(salesforce, "Account_Tier__c"), (dynamics, "cir_tier"), (servicenow, "u_tier")]
)
def test_what_is_changed_or_deleted_at_the_screen_is_told_once_it_is_so(
    make: Callable[..., Emulator[Any]], tier: str
) -> None:
    crm = make(generate(size=SMALLEST), limit=12)
    told: list[tuple[str, str | None, bool]] = []

    def tell(account_id: str) -> None:
        account = crm.accounts[account_id]
        told.append((account_id, account.fields.get(tier), account.deleted))

    crm.on_change = tell
    with running(crm) as url:
        screen = f"{url}/sandbox/accounts"
        first, second = (each["id"] for each in requests.get(screen, params={"limit": 2}, timeout=10).json())
        assert requests.patch(f"{screen}/{first}", json={tier: "Platinum"}, timeout=10).json()[tier] == "Platinum"
        assert requests.delete(f"{screen}/{second}", timeout=10).ok
        for wrong in ({"nothing": "x"}, ["x"]):
            assert requests.patch(f"{screen}/{first}", json=wrong, timeout=10).status_code == 400
        assert requests.patch(f"{screen}/nobody", json={tier: "Gold"}, timeout=10).status_code == 404
    assert [(each, deleted) for each, _, deleted in told] == [(first, False), (second, True)]
    assert told[0][1] == "Platinum"
