"""The report site on a real socket, over a home with one published and one unpublished release."""

import http.client
import json
import threading

import pytest

from huaxiang.services import site

FIRST, SECOND, UNSEALED = "2017-01-02-aaaaaaaaaa", "2017-01-03-bbbbbbbbbb", "2017-01-04-cccccccccc"


@pytest.fixture
def home(tmp_path):
    for release in (FIRST, SECOND, UNSEALED):
        report = tmp_path / "releases" / release / "report"
        (report / "customers").mkdir(parents=True)
        (report / "index.html").write_text(f"<p>{release}</p>")
        (report / "customers" / "07.js").write_text("1")
        (report.parent / "profiles").mkdir()
        (report.parent / "profiles" / "customer_profiles.html").write_text("secret")
        if release != UNSEALED:
            (report.parent / "MANIFEST.json").write_text(json.dumps({}))
    (tmp_path / "secrets.html").write_text("secret")
    (tmp_path / "releases" / FIRST / "report" / "out.html").symlink_to(tmp_path / "secrets.html")
    (tmp_path / "releases" / FIRST / "report" / ".hidden.html").write_text("secret")
    (tmp_path / "CURRENT").write_text(FIRST + "\n")
    return tmp_path


@pytest.fixture
def ask(home):
    server = site.server(home, 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def asked(path, method="GET", host="127.0.0.1:8088"):
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
        connection.request(method, path, headers={"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location"), answer.read().decode()

    yield asked
    server.shutdown()
    server.server_close()


def test_the_first_page_is_that_of_the_current_release_also_after_a_switch(ask, home):
    assert ask("/")[:2] == (302, f"/releases/{FIRST}/report/index.html")
    (home / "CURRENT").write_text(SECOND + "\n")
    status, target, _ = ask("/")
    assert (status, target) == (302, f"/releases/{SECOND}/report/index.html")
    assert ask(target) == (200, None, f"<p>{SECOND}</p>")
    assert ask(f"/releases/{FIRST}/report/index.html") == (200, None, f"<p>{FIRST}</p>")


def test_before_the_first_release_the_site_says_how_to_make_one(ask, home):
    (home / "CURRENT").unlink()
    status, _, said = ask("/")
    assert status == 404 and "make run" in said


def test_a_page_in_a_folder_is_served_and_its_query_is_ignored(ask):
    assert ask(f"/releases/{FIRST}/report/customers/07.js?x=1") == (200, None, "1")
    assert ask(f"/releases/{FIRST}/report/customers/07.js", "HEAD") == (200, None, "")


@pytest.mark.parametrize(
    "path",
    [
        "/secrets.html",
        "/CURRENT",
        "/releases/",
        f"/releases/{FIRST}/",
        f"/releases/{FIRST}/MANIFEST.json",
        f"/releases/{FIRST}/profiles/customer_profiles.html",
        f"/releases/{FIRST}/report/",
        f"/releases/{FIRST}/report/customers",
        f"/releases/{FIRST}/report/customers/",
        f"/releases/{FIRST}/report/../profiles/customer_profiles.html",
        f"/releases/{FIRST}/report/..%2fprofiles%2fcustomer_profiles.html",
        f"/releases/{FIRST}/report/%2e%2e/profiles/customer_profiles.html",
        f"/releases/{FIRST}/report/..\\profiles\\customer_profiles.html",
        f"/releases/{FIRST}/report//etc/passwd",
        f"/releases/{FIRST}/report/.hidden.html",
        f"/releases/{FIRST}/report/out.html",
        f"/releases/{FIRST}/report/index.html%00.html",
        f"/releases/{FIRST}%0a/report/index.html",
        f"/releases/{UNSEALED}/report/index.html",
        "/releases/../releases/x/report/index.html",
        "//releases/x",
    ],
)
def test_nothing_but_published_pages_can_be_read(ask, path):
    status, _, said = ask(path)
    assert status == 404 and "secret" not in said


def test_only_reading_is_answered(ask):
    assert ask("/", "POST")[0] == 501
    assert ask("/", "DELETE")[0] == 501


def test_another_name_for_this_machine_is_refused(ask):
    assert ask("/", host="evil.example")[0] == 403
    assert ask("/", host="localhost:8088")[0] == 302
