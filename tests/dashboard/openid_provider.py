"""An OpenID Connect provider on 127.0.0.1 that logs every visitor in as the same user."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT = "mirpipe"
EMAIL = "maria@music.example"


@contextmanager
def openid_provider() -> Iterator[str]:
    """Yield the address of a running provider."""
    key = RSAKey.generate_key(2048, {"kid": "1", "alg": "RS256", "use": "sig"})
    nonces: dict[str, str] = {}

    class Provider(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
            if path == "/authorize":
                nonces["code"] = query["nonce"][0]
                answer = urlencode({"code": "code", "state": query["state"][0]})
                self.send_response(302)
                self.send_header("Location", f"{query['redirect_uri'][0]}?{answer}")
                self.end_headers()
            elif path == "/keys":
                self._send({"keys": [key.as_dict(private=False)]})
            else:
                self._send(
                    {
                        "issuer": address,
                        "authorization_endpoint": f"{address}/authorize",
                        "token_endpoint": f"{address}/token",
                        "jwks_uri": f"{address}/keys",
                        "id_token_signing_alg_values_supported": ["RS256"],
                    }
                )

        def do_POST(self) -> None:
            now = int(time.time())
            claims = {
                "iss": address,
                "aud": CLIENT,
                "sub": "1",
                "email": EMAIL,
                "nonce": nonces["code"],
                "iat": now,
                "exp": now + 600,
            }
            token = jwt.encode({"alg": "RS256", "kid": "1"}, claims, key)
            self._send({"access_token": "a", "token_type": "Bearer", "id_token": token})

        def _send(self, content: object) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, format: str, *arguments: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield address
    server.shutdown()
    server.server_close()
