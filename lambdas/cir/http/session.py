"""The session that requests to one service are sent with."""

from http.cookiejar import DefaultCookiePolicy

import requests

CONNECT_SECONDS = 3.05  # just above TCP's first retransmission after 3 s


def new_session() -> requests.Session:
    """Without cookies: they would be state that threads share, and no API here needs any."""
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session
