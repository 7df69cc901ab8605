"""Makes tokens with the real SimpleJWT, one for each JSON line on standard input, until that ends.

A line: `{"number", "user", "type": "access" | "refresh", "lifetime": seconds, "claims": {…}, "algorithm", "key", "kid"}`.
`claims` are set after SimpleJWT's own, null takes one away. Two algorithms are not SimpleJWT's: `none` (no signature)
and `HS256-raw`, which signs with `key` whatever it is: PyJWT refuses to use a public key as a secret, an attacker does not.
"""

import hashlib
import hmac
import json
import os
import sys
from base64 import urlsafe_b64encode
from datetime import timedelta
from types import SimpleNamespace

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "application.settings")

import django  # noqa: E402

django.setup()

import jwt  # noqa: E402
from rest_framework_simplejwt.backends import TokenBackend  # noqa: E402
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken  # noqa: E402

TYPES = {"access": AccessToken, "refresh": RefreshToken}
backends = {}


def mint(user, algorithm, key, type="access", lifetime=None, claims=None, kid=None):
    token = TYPES[type].for_user(SimpleNamespace(id=user, is_active=True))
    if lifetime is not None:
        token.set_exp(lifetime=timedelta(seconds=lifetime))
    for name, value in (claims or {}).items():
        if value is None:
            token.payload.pop(name, None)
        else:
            token[name] = value
    if algorithm == "none":
        return jwt.encode(token.payload, None, algorithm="none")
    if algorithm == "HS256-raw":
        return signed_raw(token.payload, key)
    if kid:
        return jwt.encode(token.payload, key, algorithm=algorithm, headers={"kid": kid})
    token._token_backend = backends.setdefault((algorithm, key), TokenBackend(algorithm, key))
    return str(token)


def signed_raw(payload, key):
    def text(data):
        return urlsafe_b64encode(data).rstrip(b"=").decode()

    head = text(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    signed = f"{head}.{text(json.dumps(payload).encode())}"
    return f"{signed}.{text(hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest())}"


print(json.dumps({"event": "listening"}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    number = request.pop("number")
    try:
        answer = {"number": number, "result": mint(**request)}
    except Exception as error:  # the test is told, whatever it was
        answer = {"number": number, "error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
