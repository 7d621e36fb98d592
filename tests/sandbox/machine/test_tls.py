"""TLS on this machine is verified by its clients as elsewhere, and the proxy leads to one server only."""

import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from sandbox.machine.processes import HOST
from sandbox.machine.tls import Authority, TlsServer
from sandbox.machine.web import Handler, Server


class Hello(Handler):
    def do_GET(self) -> None:  # noqa: N802 - http.server calls it by this name
        self.reply(200, {"host": self.headers["Host"]})


@pytest.fixture(scope="module")
def target() -> Iterator[int]:
    server = Server(Hello)
    yield server.port
    server.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(target: int, authority: Authority) -> Iterator[TlsServer]:
    with TlsServer(target_port=target, certificate=authority.issue(HOST)) as started:
        yield started


@pytest.fixture(scope="module")
def proxy(target: int, authority: Authority) -> Iterator[TlsServer]:
    names = ("api.example.com", "login.example.com")
    with TlsServer(certificate=authority.issue(*names), hosts=dict.fromkeys(names, target)) as started:
        yield started


def get(url: str, trusted: Path, proxy: TlsServer | None = None) -> requests.Response:
    proxies = {"https": f"http://{HOST}:{proxy.port}"} if proxy else None
    return requests.get(url, verify=str(trusted), proxies=proxies, timeout=10)


def test_a_client_that_trusts_the_authority_reaches_the_server_behind(server: TlsServer, authority: Authority) -> None:
    assert get(f"https://{HOST}:{server.port}/", authority.certificate).json() == {"host": f"{HOST}:{server.port}"}


def test_a_client_that_trusts_others_refuses(server: TlsServer, tmp_path: Path) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        get(f"https://{HOST}:{server.port}/", Authority(tmp_path).certificate)


def test_the_name_is_verified_too(server: TlsServer, authority: Authority) -> None:
    context = ssl.create_default_context(cafile=authority.certificate)
    with pytest.raises(urllib.error.URLError, match="not valid for 'localhost'"):
        urllib.request.urlopen(f"https://localhost:{server.port}/", context=context, timeout=10)


@pytest.mark.parametrize("host", ["api.example.com", "login.example.com"])
def test_the_proxy_leads_its_hosts_to_the_server_whatever_dns_says(
    proxy: TlsServer, authority: Authority, host: str
) -> None:
    assert get(f"https://{host}/", authority.certificate, proxy).json() == {"host": host}


def test_the_proxy_refuses_every_other_host(proxy: TlsServer, authority: Authority) -> None:
    with pytest.raises(requests.exceptions.ProxyError, match="403"):
        get("https://www.example.com/", authority.certificate, proxy)
