"""The addresses of accounts, by the names that django-allauth looks for."""

from __future__ import annotations

from allauth.account import views
from allauth.socialaccount.providers.openid_connect import views as single_sign_on
from allauth.socialaccount.views import login_cancelled, login_error
from django.urls import URLPattern, URLResolver, include, path, re_path

from portal.accounts.methods import limited
from portal.accounts.pages import account, sign_out
from portal.accounts.sessions import Sessions, end_session

_patterns: list[URLPattern | URLResolver] = [
    path("sign-in/", views.login, name="account_login"),
    path("sign-out/", sign_out, name="account_logout"),
    path("account/", account, name="account"),
    path("account/inactive/", views.account_inactive, name="account_inactive"),
    path("account/confirm/", views.reauthenticate, name="account_reauthenticate"),
    path("account/password/", views.password_change, name="account_change_password"),
    path("account/password/set/", views.password_set, name="account_set_password"),
    path("account/password/reset/", views.password_reset, name="account_reset_password"),
    path("account/password/reset/sent/", views.password_reset_done, name="account_reset_password_done"),
    path(
        "account/password/reset/done/",
        views.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^account/password/reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        views.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("account/factors/", include("allauth.mfa.urls")),
    path("account/sessions/", Sessions.as_view(), name="usersessions_list"),
    path("account/sessions/<int:session_id>/end/", end_session, name="usersessions_end"),
    path("account/sso/cancelled/", login_cancelled, name="socialaccount_login_cancelled"),
    path("account/sso/error/", login_error, name="socialaccount_login_error"),
    path("account/sso/closed/", views.signup, name="account_signup"),
    path("account/sso/unknown/", views.signup, name="socialaccount_signup"),
    path("account/sso/<str:provider_id>/", single_sign_on.login, name="openid_connect_login"),
    path("account/sso/<str:provider_id>/done/", single_sign_on.callback, name="openid_connect_callback"),
]
urlpatterns = limited(_patterns)
