"""Who calls in these tests (the official SDKs, with one try each), and which gateways."""

from collections.abc import Callable

import anthropic
import openai
from google import genai

from gateways import Gateway

KEY = "the-master-key-of-this-gateway"

DEMO = """
providers:
  demo: {}
models:
  tiny: {provider: demo, id: demo-simple, tier: simple}
  org/big: {provider: demo, id: demo-complex, tier: complex}
"""

BEHIND = """
server:
  max_body_bytes: 200000
  shutdown_grace_s: {grace_s}
providers:
  local:
    dialect: openai-chat
    base_url: {base_url}
models:
  tiny: {{provider: local, id: tiny-1, tier: simple}}
"""

StartBehind = Callable[..., Gateway]


def openai_client(gateway: Gateway, key: str = "any") -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=key, max_retries=0)


def anthropic_client(gateway: Gateway, key: str = "any") -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=gateway.url, api_key=key, max_retries=0)


def google_client(gateway: Gateway, version: str = "v1beta", key: str = "any") -> genai.Client:
    options = genai.types.HttpOptions(base_url=gateway.url, api_version=version)
    return genai.Client(api_key=key, http_options=options)
