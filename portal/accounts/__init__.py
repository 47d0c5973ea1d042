"""Accounts of people: how they sign in, their second factors and their sessions, by django-allauth."""
