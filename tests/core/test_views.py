import json

from django.http import Http404
from django.test import RequestFactory

from core import views


def test_a_path_of_the_api_that_leads_nowhere_is_a_problem() -> None:
    response = views.page_not_found(RequestFactory().get("/api/v1/nothing"), Http404())
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")
    assert json.loads(response.content)["code"] == "not_found"


def test_another_path_that_leads_nowhere_is_a_page() -> None:
    response = views.page_not_found(RequestFactory().get("/nothing"), Http404())
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


def test_a_fault_under_the_api_is_a_problem_that_tells_nothing_of_it() -> None:
    response = views.server_error(RequestFactory().get("/api/v1/keys"))
    assert (response.status_code, response["Content-Type"]) == (500, "application/problem+json")
    assert json.loads(response.content)["code"] == "internal_error"


def test_a_fault_elsewhere_is_a_page() -> None:
    response = views.server_error(RequestFactory().get("/"))
    assert response.status_code == 500
    assert response["Content-Type"].startswith("text/html")
